//! `template.yaml`, as far as it says what a function is deployed with.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_yaml_ng::Value;

use crate::process::Variables;

/// Conditions that hold in the tests' deployment: all that a function may be deployed with is there,
/// but for what only another setting would make it use.
const HOLDING: [&str; 2] = ["HasDeliveryKey", "HasEventBus"];

/// What Lambda itself uses of a function's role: to write its log, to read the stream that wakes it, and
/// to say which records it gave up.
const OF_LAMBDA: [&str; 6] = [
    "logs:",
    "sqs:SendMessage",
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
    "dynamodb:ListStreams",
];

/// The template, read.
pub struct Template(Value);

/// A permission: an action, and the resource as the template writes it (`Table.Arn`,
/// `${Table.Arn}/index/by-status`).
pub type Grant = (String, String);

impl Template {
    /// Reads the project's template.
    ///
    /// # Panics
    /// When it can't be read.
    pub fn read() -> Self {
        let path = crate::project().join("template.yaml");
        let text = std::fs::read_to_string(&path).expect("template.yaml is there");
        Self(serde_yaml_ng::from_str(&text).expect("template.yaml is YAML"))
    }

    /// The functions, by their folder's names.
    pub fn functions(&self) -> BTreeSet<String> {
        let of_function = |(id, resource): (&Value, &Value)| {
            (resource["Type"] == "AWS::Serverless::Function").then(|| {
                let id = id.as_str().expect("a logical id is text");
                id.strip_suffix("Function").expect("the suffix that all have").to_lowercase()
            })
        };
        mapping(&self.0["Resources"]).filter_map(of_function).collect()
    }

    /// What is at a place below `Resources`; `Null` where there is nothing.
    pub fn resource(&self, path: &[&str]) -> &Value {
        path.iter().fold(&self.0["Resources"], |value, name| &value[*name])
    }

    /// A function's properties.
    fn properties(&self, function: &str) -> &Value {
        self.resource(&[&logical_id(function, "Function"), "Properties"])
    }

    /// A function's timeout.
    pub fn timeout(&self, function: &str) -> Duration {
        let seconds = self.properties(function)["Timeout"].as_u64();
        Duration::from_secs(seconds.expect("every function has a timeout of its own"))
    }

    /// The variables a function is deployed with; Lambda adds its own.
    pub fn variables(&self, function: &str) -> BTreeSet<String> {
        self.settings(function).map(|(name, _)| name).collect()
    }

    fn settings(&self, function: &str) -> impl Iterator<Item = (String, &Value)> {
        let everybodys = &self.0["Globals"]["Function"]["Environment"]["Variables"];
        let own = &self.properties(function)["Environment"]["Variables"];
        let both = mapping(everybodys).chain(mapping(own));
        both.map(|(name, value)| (name.as_str().expect("a name is text").to_owned(), value))
    }

    /// A function's environment: what `given` knows, or else the parameter's default.
    ///
    /// # Panics
    /// When neither says anything: the deployment would ask.
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

    /// The methods and paths under which a function is reached.
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

    /// Whether each route of a function asks for a signature of IAM.
    pub fn is_private(&self, function: &str) -> bool {
        mapping(&self.properties(function)["Events"])
            .all(|(_, event)| event["Properties"]["Auth"]["Authorizer"] == "AWS_IAM")
    }

    /// What a function's role permits it, without what Lambda uses of it.
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
        grants.retain(|(action, _)| !OF_LAMBDA.iter().any(|of| action.starts_with(of)));
        grants
    }
}

/// A statement, if its condition holds.
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

/// A value without the tag of an intrinsic function, `!Ref` or `!GetAtt` or `!Sub`.
fn untagged(value: &Value) -> &Value {
    match value {
        Value::Tagged(tagged) => &tagged.value,
        value => value,
    }
}

/// A value as text.
pub fn scalar(value: &Value) -> Option<String> {
    match untagged(value) {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

/// The elements of a list; a single value is a list of one.
pub fn elements(value: &Value) -> impl Iterator<Item = &Value> {
    let (list, single) = match value {
        Value::Sequence(list) => (list.as_slice(), None),
        Value::Null => (&[] as &[Value], None),
        single => (&[] as &[Value], Some(single)),
    };
    list.iter().chain(single)
}

/// The members of a mapping.
pub fn mapping(value: &Value) -> impl Iterator<Item = (&Value, &Value)> {
    value.as_mapping().into_iter().flatten()
}
