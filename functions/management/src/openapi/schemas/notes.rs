//! Notes about a subscription.

use serde_json::{Value, json};
use shared::domain::LONGEST_NOTE_TEXT;

use super::parts::{VISIBLE, text, time};

pub(super) fn note() -> Value {
    json!({
        "type": "object",
        "description": "What your staff, or a program of yours, has written down about a subscription",
        "properties": {
            "id": { "type": "string", "format": "uuid" },
            "at": time("When it was added"),
            "by": text("Who added it: a member of your staff at the console, or the caller of this API, as AWS \
                names it; missing where the host doesn't say"),
            "text": text("One line"),
        },
        "required": ["id", "at", "text"],
    })
}

pub(super) fn new_note() -> Value {
    json!({
        "type": "object",
        "properties": {
            "text": {
                "type": "string", "minLength": 1, "maxLength": LONGEST_NOTE_TEXT, "pattern": VISIBLE,
                "description": "One line",
            },
        },
        "required": ["text"],
        "additionalProperties": false,
    })
}
