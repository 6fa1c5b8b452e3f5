//! What one deployment makes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::circle::{Dependencies, circle};
use super::grant::{self, Grant};
use super::parameters::Values;
use super::refused::Refused;
use super::scope::Scope;
use super::value::text;

const FUNCTION: &str = "AWS::Serverless::Function";

#[derive(Debug)]
pub struct Stack {
    /// By logical id, without intrinsic functions.
    resources: BTreeMap<String, Value>,
    outputs: Values,
}

impl Stack {
    pub(super) fn make(
        scope: &Scope<'_>,
        resources: &Map<String, Value>,
        outputs: &Map<String, Value>,
        globals: &Value,
    ) -> Result<Self, Refused> {
        let mut made = BTreeMap::new();
        let mut dependencies = Dependencies::new();
        for id in &scope.resources {
            let mut resource = resources[*id].clone();
            if resource["Type"] == FUNCTION {
                resource["Properties"] = merged(globals, &resource["Properties"]);
            }
            let events = resource["Properties"]["Events"].take();
            let properties = scope.evaluate(&resource["Properties"])?.unwrap_or_default();
            resource["Properties"] = properties;
            dependencies.entry((*id).to_owned()).or_default().extend(scope.references());
            resource["Properties"]["Events"] =
                evaluate_events(scope, id, &events, &mut dependencies)?;
            made.insert((*id).to_owned(), resource);
        }
        let circle = circle(dependencies);
        if !circle.is_empty() {
            return Err(Refused::broken(format!("a circle of {circle:?}")));
        }
        let mut values = Values::new();
        for (name, output) in outputs {
            if scope.makes(output)? {
                let value = scope.evaluate(&output["Value"])?.as_ref().and_then(text);
                let wrong = || Refused::broken(format!("the output {name} is no text"));
                values.insert(name.clone(), value.ok_or_else(wrong)?);
            }
        }
        Ok(Self { resources: made, outputs: values })
    }

    /// The resources, by logical id.
    pub fn resources(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.resources.iter().map(|(id, resource)| (id.as_str(), resource))
    }

    /// A resource's properties, or `Null` if this deployment doesn't make it.
    pub fn properties(&self, id: &str) -> &Value {
        self.resources.get(id).map_or(&Value::Null, |resource| &resource["Properties"])
    }

    pub fn output(&self, name: &str) -> Option<&str> {
        self.outputs.get(name).map(String::as_str)
    }

    /// The functions' names, as their folders are called.
    pub fn functions(&self) -> BTreeSet<String> {
        let functions = self.resources.iter().filter(|(_, resource)| resource["Type"] == FUNCTION);
        functions
            .map(|(id, _)| {
                id.strip_suffix("Function").expect("a suffix that all have").to_lowercase()
            })
            .collect()
    }

    fn function(&self, function: &str) -> &Value {
        self.properties(&logical_id(function, "Function"))
    }

    pub fn timeout(&self, function: &str) -> Duration {
        let seconds = self.function(function)["Timeout"].as_u64();
        Duration::from_secs(seconds.expect("every function has a timeout of its own"))
    }

    /// The environment variables of a function, without those that Lambda adds.
    pub fn environment(&self, function: &str) -> Values {
        let variables = self.function(function)["Environment"]["Variables"].as_object();
        let variables = variables.into_iter().flatten();
        variables.filter_map(|(name, value)| Some((name.clone(), text(value)?))).collect()
    }

    fn events(&self, function: &str) -> impl Iterator<Item = &Value> {
        self.function(function)["Events"].as_object().into_iter().flatten().map(|(_, event)| event)
    }

    /// The methods and paths that lead to a function.
    pub fn routes(&self, function: &str) -> BTreeSet<(String, String)> {
        let route = |event: &Value| {
            let part = |name: &str| text(&event["Properties"][name]).expect("a route is complete");
            (event["Type"] == "HttpApi").then(|| (part("Method"), part("Path")))
        };
        self.events(function).filter_map(route).collect()
    }

    /// Whether every route of a function requires an IAM signature.
    pub fn is_private(&self, function: &str) -> bool {
        let mut routes = self.events(function).filter(|event| event["Type"] == "HttpApi");
        routes.all(|event| event["Properties"]["Auth"]["Authorizer"] == "AWS_IAM")
    }

    /// The permissions of a function's role, without those that Lambda itself uses.
    pub fn grants(&self, function: &str) -> BTreeSet<Grant> {
        grant::of_role(self.properties(&logical_id(function, "Role")))
    }
}

/// Evaluates a function's events, each of which SAM expands to resources of its own. An API's definition
/// names the functions that its routes lead to.
fn evaluate_events(
    scope: &Scope<'_>,
    id: &str,
    events: &Value,
    dependencies: &mut Dependencies,
) -> Result<Value, Refused> {
    let mut evaluated = Map::new();
    for (name, event) in events.as_object().into_iter().flatten() {
        let event = scope.evaluate(event)?.unwrap_or_default();
        let mut references = scope.references();
        references.insert(id.to_owned());
        dependencies.insert(format!("{id}{name}"), references);
        if let Some(api) = event["Properties"]["ApiId"].as_str() {
            let api = api.trim_matches(['<', '>']).to_owned();
            dependencies.entry(api).or_default().insert(id.to_owned());
        }
        evaluated.insert(name.clone(), event);
    }
    Ok(json!(evaluated))
}

/// SAM's `Globals` under a resource's own properties.
fn merged(globals: &Value, own: &Value) -> Value {
    match (globals, own) {
        (Value::Object(globals), Value::Object(own)) => {
            let mut both = globals.clone();
            for (name, value) in own {
                let below = globals.get(name).unwrap_or(&Value::Null);
                both.insert(name.clone(), merged(below, value));
            }
            Value::Object(both)
        }
        (globals, Value::Null) => globals.clone(),
        (_, own) => own.clone(),
    }
}

fn logical_id(function: &str, suffix: &str) -> String {
    let (first, rest) = function.split_at(1);
    format!("{}{rest}{suffix}", first.to_uppercase())
}
