//! The answers of a call, by status.

use serde_json::{Map, Value, json};

use crate::error_code::ErrorCode;

/// An answer with a 2xx.
pub(super) struct Success {
    pub status: u16,
    pub description: &'static str,
    pub headers: &'static [&'static str],
    pub content: Vec<(&'static str, Value)>,
}

pub(super) fn responses(successes: &[Success], problems: &[ErrorCode]) -> Value {
    let mut responses = Map::new();
    for success in successes {
        let headers: Map<String, Value> = success
            .headers
            .iter()
            .map(|name| {
                ((*name).to_owned(), json!({ "$ref": format!("#/components/headers/{name}") }))
            })
            .collect();
        let content: Map<String, Value> = success
            .content
            .iter()
            .map(|(media_type, schema)| ((*media_type).to_owned(), json!({ "schema": schema })))
            .collect();
        responses.insert(
            success.status.to_string(),
            json!({ "description": success.description, "headers": headers, "content": content }),
        );
    }
    let mut refused: Vec<_> = problems.iter().map(|code| (code.status().as_u16(), code)).collect();
    refused.sort_by_key(|(status, _)| *status);
    for group in refused.chunk_by(|(one, _), (other, _)| one == other) {
        let codes: Vec<_> = group.iter().map(|(_, code)| code.as_str()).collect();
        responses.insert(group[0].0.to_string(), refusal(&codes));
    }
    Value::Object(responses)
}

/// A problem with one of these codes.
pub(super) fn refusal(codes: &[&str]) -> Value {
    json!({
        "description": codes.iter().map(|code| format!("`{code}`")).collect::<Vec<_>>().join(", "),
        "content": {
            "application/problem+json": {
                "schema": {
                    "allOf": [{ "$ref": "#/components/schemas/Problem" }],
                    "properties": { "code": { "enum": codes } },
                },
            },
        },
    })
}
