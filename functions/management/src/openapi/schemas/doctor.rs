//! What an examination of the deployment finds.

use serde_json::{Value, json};

use super::deliveries::exchange;
use super::parts::{text, time};
use crate::test_event_request::types;

pub(super) fn examination() -> Value {
    json!({
        "type": "object",
        "properties": {
            "checks": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "check": {
                            "type": "string", "examples": ["token", "list", "webhook"],
                            "description": "The name of the check, for programs",
                        },
                        "outcome": {
                            "enum": ["ok", "warning", "failed", "unknown"],
                            "description": "`warning`: it works, and will not for long, or not for everybody; \
                                `unknown`: it can't be checked from here",
                        },
                        "says": text("What is and, if it is wrong, what to do"),
                        "where": text("If it is wrong: the field of Partner Center or Entra, \
                            or the parameter of the deployment, that it stands in"),
                    },
                    "required": ["check", "outcome", "says"],
                },
            },
            "version": text("The version of the functions"),
            "examinedAt": time("When the examination ended"),
            "host": text("The API's host, as its gateway says it; missing on a host without a gateway"),
        },
        "required": ["checks", "version", "examinedAt"],
    })
}

fn id() -> Value {
    text("The event's id, as your product receives it")
}

pub(super) fn test_event_id() -> Value {
    json!({ "type": "object", "properties": { "id": id() }, "required": ["id"] })
}

pub(super) fn test_event_request() -> Value {
    let types: Vec<_> = types().collect();
    json!({
        "type": "object",
        "properties": {
            "type": {
                "enum": types, "default": types.first(),
                "description": "The type of the event",
            },
            "receiver": {
                "type": "string", "examples": ["crm"],
                "description": "The name of the one receiver that it is sent to; without it, to all",
            },
        },
        "additionalProperties": false,
    })
}

pub(super) fn test_event() -> Value {
    let state = |description: &str| json!({ "enum": ["waiting", "delivered", "failed"], "description": description });
    let mut receiver = exchange();
    receiver["receiver"] = json!({ "type": "string", "examples": ["endpoint", "event-bus"] });
    receiver["state"] = state("The same for this receiver");
    receiver["lastError"] = text("How the last attempt failed, or why there was none");
    receiver["attempts"] = json!({
        "type": "integer", "minimum": 1, "description": "Attempts in a row that failed",
    });
    receiver["nextAttempt"] = time(
        "When the next attempt is due; missing if the events are parked, or if a later test event took its place",
    );
    json!({
        "type": "object",
        "properties": {
            "id": id(),
            "type": text("The event's type"),
            "state": state("`delivered` when every receiver has accepted it; `failed` if a receiver has not, at the last attempt"),
            "receivers": {
                "type": "array",
                "description": "Those that it is for; after an attempt, with what was sent and answered",
                "items": {
                    "type": "object", "properties": receiver, "required": ["receiver", "state"],
                },
            },
        },
        "required": ["id", "type", "state", "receivers"],
    })
}
