//! Evaluates the intrinsic functions of a template for one deployment.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::parameters::Values;
use super::refused::Refused;
use super::value::text;

/// What a deployment in the tests' account and region finds under the names that AWS defines.
fn pseudo_parameter(name: &str) -> Option<&'static str> {
    Some(match name {
        "AWS::AccountId" => "123456789012",
        "AWS::Partition" => "aws",
        "AWS::Region" => "eu-north-1",
        "AWS::StackName" => "marketplace",
        "AWS::URLSuffix" => "amazonaws.com",
        _ => return None,
    })
}

/// What a value may refer to.
pub(super) struct Scope<'a> {
    pub(super) parameters: Values,
    pub(super) conditions: BTreeMap<String, bool>,
    /// The resources that this deployment makes.
    pub(super) resources: BTreeSet<&'a str>,
    /// The resources that were referred to since [`Scope::references`] was called last.
    referred: RefCell<BTreeSet<String>>,
}

impl<'a> Scope<'a> {
    /// Evaluates the conditions, each of which may refer to others.
    pub(super) fn new(
        parameters: Values,
        declared: &Map<String, Value>,
        resources: &'a Map<String, Value>,
    ) -> Result<Self, Refused> {
        let mut scope = Self {
            parameters,
            conditions: BTreeMap::new(),
            resources: BTreeSet::new(),
            referred: RefCell::default(),
        };
        // A condition can refer to one that is declared later, so each round adds what it can.
        while scope.conditions.len() < declared.len() {
            let before = scope.conditions.len();
            for (name, condition) in declared {
                if let Ok(holds) = scope.truth(condition) {
                    scope.conditions.insert(name.clone(), holds);
                }
            }
            if scope.conditions.len() == before {
                return Err(Refused::broken(
                    "the conditions refer to an unknown name or in a circle",
                ));
            }
        }
        for (id, resource) in resources {
            if scope.makes(resource)? {
                scope.resources.insert(id);
            }
        }
        Ok(scope)
    }

    /// Whether this deployment makes a resource or an output.
    pub(super) fn makes(&self, declaration: &Value) -> Result<bool, Refused> {
        match declaration["Condition"].as_str() {
            None => Ok(true),
            Some(name) => self.condition(name),
        }
    }

    fn condition(&self, name: &str) -> Result<bool, Refused> {
        let unknown = || Refused::broken(format!("the condition {name} is unknown"));
        self.conditions.get(name).copied().ok_or_else(unknown)
    }

    /// A condition, or an assertion of a rule.
    pub(super) fn truth(&self, value: &Value) -> Result<bool, Refused> {
        let wrong = || Refused::broken(format!("{value} is no condition"));
        let (function, argument) = function(value).ok_or_else(wrong)?;
        let arguments = argument.as_array().map(Vec::as_slice).unwrap_or_default();
        let mut truths = arguments.iter().map(|argument| self.truth(argument));
        match (function, arguments) {
            ("Condition", _) => self.condition(argument.as_str().ok_or_else(wrong)?),
            ("Fn::Not", [inner]) => Ok(!self.truth(inner)?),
            ("Fn::And", [_, _, ..]) => truths.try_fold(true, |all, one| Ok(all & one?)),
            ("Fn::Or", [_, _, ..]) => truths.try_fold(false, |any, one| Ok(any | one?)),
            ("Fn::Equals", [one, other]) => Ok(self.evaluate(one)? == self.evaluate(other)?),
            _ => Err(wrong()),
        }
    }

    /// The value without intrinsic functions; `None` if it is `AWS::NoValue`.
    pub(super) fn evaluate(&self, value: &Value) -> Result<Option<Value>, Refused> {
        if let Some((function, argument)) = function(value)
            && function != "Condition"
        {
            return self.call(function, argument);
        }
        Ok(Some(match value {
            Value::Array(list) => {
                let list = list.iter().filter_map(|each| self.evaluate(each).transpose());
                Value::Array(list.collect::<Result<_, _>>()?)
            }
            Value::Object(members) => {
                let member = |(name, value): (&String, &Value)| {
                    let value = self.evaluate(value).transpose()?;
                    Some(value.map(|value| (name.clone(), value)))
                };
                Value::Object(members.iter().filter_map(member).collect::<Result<_, _>>()?)
            }
            simple => simple.clone(),
        }))
    }

    fn call(&self, function: &str, argument: &Value) -> Result<Option<Value>, Refused> {
        let wrong = || Refused::broken(format!("{function} can't have {argument}"));
        let arguments = argument.as_array().map(Vec::as_slice).unwrap_or_default();
        match (function, arguments) {
            ("Ref", _) if argument == "AWS::NoValue" => Ok(None),
            ("Ref", _) => Ok(Some(json!(self.named(argument.as_str().ok_or_else(wrong)?)?))),
            ("Fn::GetAtt", [resource, attribute]) => {
                let part = |value: &Value| value.as_str().map(str::to_owned).ok_or_else(wrong);
                Ok(Some(json!(self.named(&format!("{}.{}", part(resource)?, part(attribute)?))?)))
            }
            ("Fn::If", [condition, then, otherwise]) => {
                let holds = self.condition(condition.as_str().ok_or_else(wrong)?)?;
                self.evaluate(if holds { then } else { otherwise })
            }
            ("Fn::Join", [between, parts]) => {
                let parts = self.evaluate(parts)?;
                let parts = parts.as_ref().and_then(Value::as_array).ok_or_else(wrong)?;
                let parts: Option<Vec<_>> = parts.iter().map(text).collect();
                let between = between.as_str().ok_or_else(wrong)?;
                Ok(Some(json!(parts.ok_or_else(wrong)?.join(between))))
            }
            ("Fn::Sub", []) => {
                Ok(Some(self.substitute(argument.as_str().ok_or_else(wrong)?, &Map::new())?))
            }
            ("Fn::Sub", [pattern, names]) => {
                let names = self.evaluate(names)?.ok_or_else(wrong)?;
                let names = names.as_object().ok_or_else(wrong)?;
                Ok(Some(self.substitute(pattern.as_str().ok_or_else(wrong)?, names)?))
            }
            _ => Err(wrong()),
        }
    }

    fn substitute(&self, pattern: &str, names: &Map<String, Value>) -> Result<Value, Refused> {
        let mut parts = pattern.split("${");
        let mut whole = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let unclosed = || Refused::broken(format!("{pattern} has a brace without an end"));
            let (name, rest) = part.split_once('}').ok_or_else(unclosed)?;
            match names.get(name).and_then(text) {
                Some(value) => whole.push_str(&value),
                None => whole.push_str(&self.named(name)?),
            }
            whole.push_str(rest);
        }
        Ok(json!(whole))
    }

    /// A parameter's value, or the name or an attribute of a resource. What AWS would choose is written
    /// in angle brackets, such as `<Table.Arn>`.
    fn named(&self, name: &str) -> Result<String, Refused> {
        if let Some(value) = pseudo_parameter(name) {
            return Ok(value.to_owned());
        }
        if let Some(value) = self.parameters.get(name) {
            return Ok(value.clone());
        }
        let resource = name.split_once('.').map_or(name, |(resource, _)| resource);
        if !self.resources.contains(resource) {
            return Err(Refused::broken(format!("{name} is not there")));
        }
        self.referred.borrow_mut().insert(resource.to_owned());
        Ok(format!("<{name}>"))
    }

    /// The resources that the evaluated values referred to since the last call.
    pub(super) fn references(&self) -> BTreeSet<String> {
        self.referred.take()
    }
}

/// An intrinsic function and its argument.
fn function(value: &Value) -> Option<(&str, &Value)> {
    let members = value.as_object().filter(|members| members.len() == 1)?;
    let (name, argument) = members.iter().next()?;
    let is_function = name == "Ref" || name == "Condition" || name.starts_with("Fn::");
    is_function.then_some((name.as_str(), argument))
}
