//! The management API's description, and the part of JSON Schema that it uses.

use std::sync::OnceLock;

use http::Method;
use serde_json::Value;

/// The call that another function answers.
const OTHER_FUNCTION: &str = "activateSubscription";

pub fn description() -> &'static Value {
    static DESCRIPTION: OnceLock<Value> = OnceLock::new();
    let text = include_str!("../../../functions/management/openapi.json");
    DESCRIPTION.get_or_init(|| serde_json::from_str(text).expect("a description in JSON"))
}

/// A call that the description names.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    pub described: &'static Value,
    /// The value of `{id}` in the path.
    pub id: Option<&'a str>,
}

impl<'a> Call<'a> {
    /// The call of a request. A path without parameters has precedence.
    pub fn of(method: &Method, path: &'a str) -> Option<Self> {
        let paths = description()["paths"].as_object().expect("paths");
        let fitting = paths.iter().filter(|(form, _)| fits_path(form, path));
        let (form, item) = fitting.min_by_key(|(form, _)| form.matches('{').count())?;
        // Methods are case-sensitive (RFC 9110, 9.1), but OpenAPI writes them in lower case.
        let small = |(name, _): &(&String, &Value)| name.to_ascii_uppercase() == method.as_str();
        let (_, described) = item.as_object()?.iter().find(small)?;
        // A path item also holds members that are no calls.
        if described["operationId"].is_null() || described["operationId"] == OTHER_FUNCTION {
            return None;
        }
        let place = form.split('/').position(|part| part == "{id}");
        Some(Self { described, id: place.and_then(|place| path.split('/').nth(place)) })
    }

    pub fn name(&self) -> &'static str {
        self.described["operationId"].as_str().expect("a name")
    }
}

fn fits_path(form: &str, path: &str) -> bool {
    let (form, path) = (form.split('/'), path.trim_end_matches('/').split('/'));
    form.clone().count() == path.clone().count()
        && form.zip(path).all(|(form, part)| form.starts_with('{') || form == part)
}

/// Why a value doesn't match its schema; `None` if it does.
pub fn objection(schema: &Value, value: &Value, place: &str) -> Option<String> {
    if let Some(name) = schema["$ref"].as_str() {
        let target = description().pointer(name.trim_start_matches('#'));
        return objection(target.expect("a schema of the description"), value, place);
    }
    let types = match &schema["type"] {
        Value::Array(types) => types.clone(),
        Value::Null => Vec::new(),
        one => vec![one.clone()],
    };
    if !types.is_empty() && !types.iter().any(|one| is(one.as_str().unwrap_or_default(), value)) {
        return Some(format!("{place} is {value}"));
    }
    if let Some(words) = schema["enum"].as_array()
        && !words.contains(value)
    {
        return Some(format!("{place} is {value}"));
    }
    if schema.get("const").is_some_and(|only| only != value) {
        return Some(format!("{place} is {value}"));
    }
    if let (Some(least), Some(value)) = (schema["minimum"].as_f64(), value.as_f64())
        && value < least
    {
        return Some(format!("{place} is {value}"));
    }
    let each = |list: &Value| list.as_array().cloned().unwrap_or_default();
    if let Value::Object(members) = value {
        for name in each(&schema["required"]) {
            if !members.contains_key(name.as_str().expect("a name")) {
                return Some(format!("{place} has no {name}"));
            }
        }
    }
    let members = schema["properties"].as_object().into_iter().flatten();
    let known = members.filter_map(|(name, schema)| Some((schema, value.get(name)?, name)));
    let mut below =
        known.map(|(schema, value, name)| objection(schema, value, &format!("{place}.{name}")));
    let items = value.as_array().into_iter().flatten();
    let mut items = items.map(|item| objection(&schema["items"], item, &format!("{place}[]")));
    each(&schema["allOf"])
        .iter()
        .find_map(|schema| objection(schema, value, place))
        .or_else(|| below.find_map(|it| it))
        .or_else(|| items.find_map(|it| it))
}

fn is(name: &str, value: &Value) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("nothing is described as {other}"),
    }
}
