//! Values of a template.

use serde_json::Value;

/// A simple value as text.
pub fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

/// The elements of a list. A single value counts as a list of one.
pub fn elements(value: &Value) -> impl Iterator<Item = &Value> {
    let (list, single) = match value {
        Value::Array(list) => (list.as_slice(), None),
        Value::Null => (&[] as &[Value], None),
        single => (&[] as &[Value], Some(single)),
    };
    list.iter().chain(single)
}
