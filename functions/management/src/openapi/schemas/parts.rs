//! What schemas are made of.

use serde_json::{Value, json};

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
