//! The receivers of events.

use serde_json::{Value, json};
use shared::store::LONGEST_NOTE;

use super::parts::{VISIBLE, reference, time};
use super::reconciliations::or_null;

fn words(description: &str) -> Value {
    json!({ "type": ["array", "null"], "items": { "type": "string" }, "description": description })
}

pub(super) fn receiver() -> Value {
    json!({
        "type": "object",
        "properties": {
            "name": { "type": "string", "examples": ["endpoint", "event-bus", "crm"] },
            "kind": { "enum": ["endpoint", "eventBus"] },
            "eventTypes": words("The types of events that it receives; null: all"),
            "offers": words("The offers of whose subscriptions it receives events; null: all"),
            "addedAt": or_null(
                &time("When a delivery added it"),
                "Null for a receiver without a name of its own, and for one that no delivery has come to yet",
            ),
            "startsAt": or_null(
                &time("From when on it receives events"),
                "Null: from the first one on, or as `addedAt`",
            ),
            "catchingUp": {
                "type": "boolean",
                "description": "Whether events that it has missed are still looked for, as after it was added",
            },
            "paused": or_null(&reference("Pause"), "Null unless it is paused"),
            "waiting": {
                "type": "integer", "minimum": 0,
                "description": "Subscriptions with events that wait for it. At least: the count ends at some thousands",
            },
        },
        "required": [
            "name", "kind", "eventTypes", "offers", "addedAt", "startsAt", "catchingUp", "paused", "waiting",
        ],
    })
}

pub(super) fn pause_request() -> Value {
    json!({
        "type": "object",
        "properties": {
            "note": {
                "type": "string", "minLength": 1, "maxLength": LONGEST_NOTE, "pattern": VISIBLE,
                "description": "Why, on one line",
            },
        },
        "additionalProperties": false,
    })
}
