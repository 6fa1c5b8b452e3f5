//! How far receivers have come.

use serde_json::{Value, json};

use super::parts::{described, text, time};

fn next(description: &str) -> Value {
    json!({ "type": ["string", "null"], "description": description })
}

fn maybe(mut schema: Value) -> Value {
    schema["type"] = json!([schema["type"], "null"]);
    schema
}

pub(super) fn delivery() -> Value {
    json!({
        "type": "object",
        "properties": {
            "subscriptionId": { "type": "string", "format": "uuid" },
            "receiver": { "type": "string", "examples": ["endpoint", "event-bus"] },
            "state": {
                "enum": ["upToDate", "waiting", "parked"],
                "description": "`waiting`: events are sent by themselves; `parked`: the receiver has failed for too \
                    long, and events are sent only on request",
            },
            "deliveredVersion": {
                "type": "integer", "minimum": 0,
                "description": "The version of the last event that it accepted; 0 before the first one",
            },
            "waitingSince": maybe(time("When the first event was recorded that it has not accepted")),
            "attempts": { "type": "integer", "minimum": 0, "description": "The failures in a row" },
            "lastError": maybe(text("How the last attempt failed")),
            "nextAttemptAt": maybe(time("When it is tried again; null if it is parked, or if nothing failed yet")),
        },
        "required": [
            "subscriptionId", "receiver", "state", "deliveredVersion", "waitingSince", "attempts",
            "lastError", "nextAttemptAt",
        ],
    })
}

/// What is known of one exchange with a receiver.
pub(super) fn exchange() -> Value {
    json!({
        "at": time("When it began"),
        "status": maybe(json!({
            "type": "integer", "minimum": 100, "maximum": 999,
            "description": "The HTTP status; null without an answer, and at an event bus",
        })),
        "latencyMs": {
            "type": "integer", "minimum": 0,
            "description": "Milliseconds until the answer's status was here, or until it was clear that there is none",
        },
        "answer": text("The first 500 characters of the answer, on one line; missing if it has none, is no text, or may not be kept"),
        "request": described("SentRequest", "What was sent, of a test event alone"),
    })
}

pub(super) fn attempt() -> Value {
    let mut properties = exchange();
    properties["receiver"] = json!({ "type": "string", "examples": ["endpoint", "event-bus"] });
    properties["eventId"] = text("The event's id, as your product receives it");
    properties["eventType"] = json!({
        "type": "string", "examples": ["saas-fulfillment.subscription.plan-changed.v1"],
        "description": "The event's `type`",
    });
    properties["reason"] = maybe(text("Why the event was not accepted; null if it was"));
    properties["class"] = maybe(text("The class of that failure, as in the log"));
    json!({
        "type": "object",
        "properties": properties,
        "required": [
            "at", "receiver", "eventId", "eventType", "status", "latencyMs", "reason", "class",
        ],
    })
}

pub(super) fn sent_request() -> Value {
    json!({
        "type": "object",
        "properties": {
            "headers": {
                "type": "object", "additionalProperties": { "type": "string" },
                "description": "Those of the event and its signature; none at an event bus",
            },
            "body": text("The body, as it was signed"),
        },
        "required": ["headers", "body"],
    })
}

pub(super) fn recovery() -> Value {
    let next = next("`next` of the answer before");
    let receiver = json!({
        "type": ["string", "null"],
        "description": "The name of the one receiver whose events are sent again",
    });
    json!({
        "oneOf": [
            {
                "type": "object",
                "properties": { "state": { "const": "parked" }, "receiver": receiver, "next": next },
                "required": ["state"],
                "additionalProperties": false,
            },
            {
                "type": "object",
                "properties": {
                    "since": time("Events that were recorded at this time or later"),
                    "receiver": receiver,
                    "next": next,
                },
                "required": ["since"],
                "additionalProperties": false,
            },
        ],
    })
}

pub(super) fn recovered() -> Value {
    json!({
        "type": "object",
        "properties": {
            "recovered": {
                "type": "integer", "minimum": 0,
                "description": "How many pairs of a subscription and a receiver are due again",
            },
            "next": next("The cursor for the next call; null when all is done"),
        },
        "required": ["recovered", "next"],
    })
}
