//! The description's schemas, closed: an object has no member that its schema doesn't name.
//!
//! The published schemas are open, since members are added. An object whose schema says so itself,
//! with `additionalProperties`, stays open here.

use serde_json::{Value, json};

const CLOSED: &str = "#/components/schemas/";
const OPEN: &str = "#/components/open/";

/// The components that closed schemas refer to.
///
/// A part of an `allOf` can't know the members of the other parts, so that it refers to a component
/// which is open itself, and closed inside.
pub(super) fn components(document: &Value) -> Value {
    let schemas = &document["components"]["schemas"];
    let (mut closed, mut open) = (schemas.clone(), schemas.clone());
    for schema in closed.as_object_mut().into_iter().flatten().map(|(_, schema)| schema) {
        close(schema);
    }
    for schema in open.as_object_mut().into_iter().flatten().map(|(_, schema)| schema) {
        close_inside(schema);
    }
    json!({ "schemas": closed, "open": open })
}

/// Closes a schema.
pub(super) fn close(schema: &mut Value) {
    close_inside(schema);
    let is_object =
        schema["type"] == "object" || ["properties", "allOf"].iter().any(|word| has(schema, word));
    if is_object && !has(schema, "additionalProperties") {
        schema["unevaluatedProperties"] = json!(false);
    }
}

/// Closes the schemas inside a schema.
fn close_inside(schema: &mut Value) {
    let says = ["type", "$ref", "const", "enum", "oneOf", "allOf", "additionalProperties"];
    assert!(says.iter().any(|word| has(schema, word)), "it allows every value: {schema}");
    assert!(schema["type"] != "array" || has(schema, "items"), "it allows every item: {schema}");
    for (word, inside) in schema.as_object_mut().into_iter().flatten() {
        match word.as_str() {
            "properties" => {
                inside.as_object_mut().into_iter().flatten().for_each(|(_, one)| close(one))
            }
            "oneOf" => inside.as_array_mut().into_iter().flatten().for_each(close),
            "allOf" => inside.as_array_mut().into_iter().flatten().for_each(leave_open),
            "items" => close(inside),
            "additionalProperties" if inside.is_object() => close(inside),
            _ => {}
        }
    }
}

fn leave_open(part: &mut Value) {
    close_inside(part);
    if let Some(name) = part["$ref"].as_str().and_then(|target| target.strip_prefix(CLOSED)) {
        part["$ref"] = json!(format!("{OPEN}{name}"));
    }
}

fn has(schema: &Value, word: &str) -> bool {
    schema.get(word).is_some()
}
