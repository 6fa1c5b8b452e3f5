//! What the description of a call is made of.

use serde_json::{Value, json};

use super::response::Success;
use super::schemas::reference;
use crate::error_code::ErrorCode;

pub(super) struct Described {
    pub id: &'static str,
    pub summary: &'static str,
    pub description: &'static str,
    pub body: Option<Body>,
    /// The headers that a caller may send, by the names of their parameters.
    pub headers: &'static [&'static str],
    pub successes: Vec<Success>,
    pub problems: Vec<ErrorCode>,
}

pub(super) struct Body {
    pub schema: Value,
    pub required: bool,
}

pub(super) const JSON: &str = "application/json";

/// The problems of every call that reads the table.
pub(super) const TABLE: [ErrorCode; 3] =
    [ErrorCode::MalformedRequest, ErrorCode::Table, ErrorCode::Unavailable];

pub(super) fn ok(description: &'static str, schema: Value) -> Success {
    Success { status: 200, description, headers: &[], content: vec![(JSON, schema)] }
}

/// The headers of a change or a cancellation.
pub(super) const OF_CHANGE: [&str; 2] = ["idempotencyKey", "ifMatch"];

pub(super) fn record(description: &'static str) -> Success {
    Success { headers: &["ETag"], ..ok(description, reference("Record")) }
}

pub(super) fn list(member: &str, of: &str) -> Value {
    json!({
        "type": "object",
        "properties": { member: { "type": "array", "items": reference(of) } },
        "required": [member],
    })
}

/// A list with the cursor of the next page.
pub(super) fn page(member: &str, of: &str) -> Value {
    let mut page = list(member, of);
    page["properties"]["next"] = json!({
        "type": ["string", "null"],
        "description": "The cursor for the next page; null on the last page. A page can be empty without being the last.",
    });
    page["required"] = json!([member, "next"]);
    page
}

pub(super) fn read(
    id: &'static str,
    summary: &'static str,
    success: Success,
    problems: &[&[ErrorCode]],
) -> Described {
    Described {
        id,
        summary,
        description: "",
        body: None,
        headers: &[],
        successes: vec![success],
        problems: problems.concat(),
    }
}
