//! The permissions of a role.

use std::collections::BTreeSet;

use serde_json::Value;

use super::value::{elements, text};

/// The permissions that Lambda itself uses: to write logs and traces, to read the stream, and to report
/// the records that it gave up.
const USED_BY_LAMBDA: [&str; 7] = [
    "logs:",
    "xray:",
    "sqs:SendMessage",
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
    "dynamodb:ListStreams",
];

/// The key of a condition on the partition keys that a request names.
const LEADING_KEYS: &str = "dynamodb:LeadingKeys";

/// A permission: one action on one resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Grant {
    pub action: String,
    pub resource: String,
    /// The partition keys that it is limited to, with `*` for any text. A request may mix them.
    pub keys: Option<BTreeSet<String>>,
}

impl Grant {
    /// Whether it permits an action on a resource, and on these partition keys.
    pub fn permits(&self, action: &str, resource: &str, keys: &BTreeSet<String>) -> bool {
        let matches = |key: &String, patterns: &BTreeSet<String>| {
            patterns.iter().any(|pattern| is_like(key, pattern))
        };
        let are_permitted = |patterns| keys.iter().all(|key| matches(key, patterns));
        self.action == action
            && self.resource == resource
            && self.keys.as_ref().is_none_or(are_permitted)
    }
}

/// IAM's `StringLike`, for patterns with a `*` at their end or with none.
fn is_like(text: &str, pattern: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => text.starts_with(beginning),
        None => text == pattern,
    }
}

/// What a role grants its function.
pub(super) fn of_role(role: &Value) -> BTreeSet<Grant> {
    let statements = elements(&role["Policies"])
        .flat_map(|policy| elements(&policy["PolicyDocument"]["Statement"]));
    let mut grants = BTreeSet::new();
    for statement in statements {
        assert_eq!(statement["Effect"], "Allow", "{statement}");
        for action in elements(&statement["Action"]).filter_map(text) {
            if USED_BY_LAMBDA.iter().any(|of| action.starts_with(of)) {
                continue;
            }
            for resource in elements(&statement["Resource"]).filter_map(text) {
                for keys in keys(&statement["Condition"], &action) {
                    grants.insert(Grant {
                        action: action.clone(),
                        resource: resource.clone(),
                        keys,
                    });
                }
            }
        }
    }
    grants
}

/// The partition keys that a condition permits. A statement with several of them counts as several
/// grants, except for an action whose requests mix them.
fn keys(condition: &Value, action: &str) -> Vec<Option<BTreeSet<String>>> {
    let limited = &condition["ForAllValues:StringLike"][LEADING_KEYS];
    let mut keys = elements(limited).filter_map(text);
    match limited {
        Value::Null => vec![None],
        _ if action.starts_with("dynamodb:Batch") => vec![Some(keys.collect())],
        _ => keys.by_ref().map(|key| Some(BTreeSet::from([key]))).collect(),
    }
}
