//! A deployment's parameters, as CloudFormation checks them before it begins.

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::{Map, Value};

use super::refused::Refused;
use super::value::text;

/// Parameters by name, or a deployment's settings by name.
pub type Values = BTreeMap<String, String>;

/// The value of every parameter: the given one, or its default.
pub(super) fn check(declared: &Map<String, Value>, given: &Values) -> Result<Values, Refused> {
    if let Some(unknown) = given.keys().find(|name| !declared.contains_key(*name)) {
        return Err(Refused::parameter(unknown, "is not a parameter of the template"));
    }
    let value = |(name, declaration): (&String, &Value)| {
        let value = given.get(name).cloned().or_else(|| text(&declaration["Default"]));
        let value = value.ok_or_else(|| Refused::parameter(name, "must have a value"))?;
        match broken_constraint(declaration, &value) {
            Some(constraint) => Err(Refused::parameter(name, constraint)),
            None => Ok((name.clone(), value)),
        }
    };
    declared.iter().map(value).collect()
}

/// The name of the constraint that a value breaks.
fn broken_constraint(declaration: &Value, value: &str) -> Option<&'static str> {
    let limit = |name: &str| declaration[name].as_u64();
    let is_longer = |longest: u64| value.chars().count() as u64 > longest;
    if limit("MaxLength").is_some_and(is_longer) {
        return Some("MaxLength");
    }
    if let Some(pattern) = declaration["AllowedPattern"].as_str()
        // As in Java, the pattern describes the whole value.
        && !Regex::new(&format!("^(?:{pattern})$")).is_ok_and(|regex| regex.is_match(value))
    {
        return Some("AllowedPattern");
    }
    if let Some(allowed) = declaration["AllowedValues"].as_array()
        && !allowed.iter().any(|allowed| text(allowed).as_deref() == Some(value))
    {
        return Some("AllowedValues");
    }
    if declaration["Type"] == "Number" {
        let Ok(number) = value.parse::<u64>() else { return Some("Type") };
        if limit("MinValue").is_some_and(|least| number < least) {
            return Some("MinValue");
        }
        if limit("MaxValue").is_some_and(|most| number > most) {
            return Some("MaxValue");
        }
    }
    None
}
