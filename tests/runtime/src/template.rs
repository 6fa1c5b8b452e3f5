//! The parts of `template.yaml` that describe how a function is deployed.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_yaml_ng::Value;

use crate::process::Variables;

/// The conditions that hold in the tests' deployment. They cover every permission that the cases
/// use.
const HOLDING: [&str; 2] = ["HasDeliveryKey", "HasEventBus"];

/// The permissions that Lambda itself uses: to write logs, to read the stream, and to report the
/// records that it gave up.
const USED_BY_LAMBDA: [&str; 6] = [
    "logs:",
    "sqs:SendMessage",
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
    "dynamodb:ListStreams",
];

pub struct Template(Value);

/// A permission: an action, and the resource as the template writes it (`Table.Arn`,
/// `${Table.Arn}/index/by-status`).
pub type Grant = (String, String);

impl Template {
    /// Reads the project's template.
    ///
    /// # Panics
    /// When the template can't be read.
    pub fn read() -> Self {
        let path = crate::project().join("template.yaml");
        let text = std::fs::read_to_string(&path).expect("template.yaml is there");
        Self(serde_yaml_ng::from_str(&text).expect("template.yaml is YAML"))
    }

    /// The functions' names, as their folders are called.
    pub fn functions(&self) -> BTreeSet<String> {
        let of_function = |(id, resource): (&Value, &Value)| {
            (resource["Type"] == "AWS::Serverless::Function").then(|| {
                let id = id.as_str().expect("a logical id is text");
                id.strip_suffix("Function").expect("the suffix that all have").to_lowercase()
            })
        };
        mapping(&self.0["Resources"]).filter_map(of_function).collect()
    }

    /// The value at a path below `Resources`, or `Null`.
    pub fn resource(&self, path: &[&str]) -> &Value {
        path.iter().fold(&self.0["Resources"], |value, name| &value[*name])
    }

    /// The value of an output.
    pub fn output(&self, name: &str) -> &Value {
        &self.0["Outputs"][name]["Value"]
    }

    fn properties(&self, function: &str) -> &Value {
        self.resource(&[&logical_id(function, "Function"), "Properties"])
    }

    pub fn timeout(&self, function: &str) -> Duration {
        let seconds = self.properties(function)["Timeout"].as_u64();
        Duration::from_secs(seconds.expect("every function has a timeout of its own"))
    }

    /// The environment variables of a function, without those that Lambda adds.
    pub fn variables(&self, function: &str) -> BTreeSet<String> {
        self.settings(function).map(|(name, _)| name).collect()
    }

    fn settings(&self, function: &str) -> impl Iterator<Item = (String, &Value)> {
        let common = &self.0["Globals"]["Function"]["Environment"]["Variables"];
        let own = &self.properties(function)["Environment"]["Variables"];
        let both = mapping(common).chain(mapping(own));
        both.map(|(name, value)| (name.as_str().expect("a name is text").to_owned(), value))
    }

    /// A function's environment: the values of `given`, or else the parameters' defaults.
    ///
    /// # Panics
    /// When a parameter has neither, in which case a deployment would ask for it.
    pub fn environment(&self, function: &str, given: impl Fn(&str) -> Option<String>) -> Variables {
        let value = |name: &str, value: &Value| {
            let parameter = untagged(value).as_str().expect("a setting is a reference");
            let default = scalar(&self.0["Parameters"][parameter]["Default"]);
            given(name).or(default).unwrap_or_else(|| panic!("{name} has no value"))
        };
        self.settings(function)
            .map(|(name, setting)| {
                let value = value(&name, setting);
                (name, value)
            })
            .collect()
    }

    /// The methods and paths that lead to a function.
    pub fn routes(&self, function: &str) -> BTreeSet<(String, String)> {
        let route = |(_, event): (&Value, &Value)| {
            let properties = &event["Properties"];
            (event["Type"] == "HttpApi").then(|| {
                let part = |name: &str| scalar(&properties[name]).expect("a route is complete");
                (part("Method"), part("Path"))
            })
        };
        mapping(&self.properties(function)["Events"]).filter_map(route).collect()
    }

    /// Whether every route of a function requires an IAM signature.
    pub fn is_private(&self, function: &str) -> bool {
        mapping(&self.properties(function)["Events"])
            .all(|(_, event)| event["Properties"]["Auth"]["Authorizer"] == "AWS_IAM")
    }

    /// The permissions of a function's role, without those that Lambda itself uses.
    pub fn grants(&self, function: &str) -> BTreeSet<Grant> {
        let role = self.resource(&[&logical_id(function, "Role"), "Properties", "Policies"]);
        let mut grants = BTreeSet::new();
        for policy in elements(role) {
            for statement in elements(&policy["PolicyDocument"]["Statement"]).filter_map(holding) {
                if statement["Effect"] != "Allow" || statement["Condition"] != Value::Null {
                    continue;
                }
                for action in elements(&statement["Action"]).filter_map(scalar) {
                    for resource in elements(&statement["Resource"]).filter_map(scalar) {
                        grants.insert((action.clone(), resource));
                    }
                }
            }
        }
        grants.retain(|(action, _)| !USED_BY_LAMBDA.iter().any(|of| action.starts_with(of)));
        grants
    }
}

/// The statement, if its condition holds.
fn holding(statement: &Value) -> Option<&Value> {
    match statement {
        Value::Tagged(tagged) if tagged.tag == "If" => {
            let holds = HOLDING.iter().any(|name| tagged.value[0] == *name);
            holds.then(|| &tagged.value[1])
        }
        statement => Some(statement),
    }
}

fn logical_id(function: &str, suffix: &str) -> String {
    let (first, rest) = function.split_at(1);
    format!("{}{rest}{suffix}", first.to_uppercase())
}

/// The value without the tag of an intrinsic function (`!Ref`, `!GetAtt`, `!Sub`).
fn untagged(value: &Value) -> &Value {
    match value {
        Value::Tagged(tagged) => &tagged.value,
        value => value,
    }
}

pub fn scalar(value: &Value) -> Option<String> {
    match untagged(value) {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

/// The elements of a list. A single value counts as a list of one.
pub fn elements(value: &Value) -> impl Iterator<Item = &Value> {
    let (list, single) = match value {
        Value::Sequence(list) => (list.as_slice(), None),
        Value::Null => (&[] as &[Value], None),
        single => (&[] as &[Value], Some(single)),
    };
    list.iter().chain(single)
}

pub fn mapping(value: &Value) -> impl Iterator<Item = (&Value, &Value)> {
    value.as_mapping().into_iter().flatten()
}
