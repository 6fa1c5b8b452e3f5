//! What schemas are made of.

use serde_json::{Value, json};

/// Without control characters.
pub(super) const PLAIN: &str = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$";

/// The same, and not blank.
pub(super) const VISIBLE: &str = "^[^\\u0000-\\u001f\\u007f-\\u009f]*[^\\s\\u0000-\\u001f\\u007f-\\u009f]\
    [^\\u0000-\\u001f\\u007f-\\u009f]*$";

pub(in crate::openapi) fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

pub(super) fn time(description: &str) -> Value {
    json!({ "type": "string", "format": "date-time", "description": description })
}

/// A reference with a description of its own.
pub(super) fn described(name: &str, description: &str) -> Value {
    let mut reference = reference(name);
    reference["description"] = json!(description);
    reference
}

pub(super) fn text(description: &str) -> Value {
    json!({ "type": "string", "description": description })
}
