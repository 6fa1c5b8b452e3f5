//! The things that are sent and answered.

use serde_json::{Map, Value, json};

use crate::error_code::ErrorCode;

/// The codes of the activation, which is a function of its own.
const OF_ACTIVATION: [&str; 2] = ["malformed_id", "suspended"];

/// A schema by its name.
pub(super) fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// All of them.
pub(super) fn all() -> Value {
    let mut schemas = subscription();
    let own = json!({
        "Record": record(),
        "PendingOperation": pending_operation(),
        "Event": event(),
        "CloudEvent": cloud_event(),
        "Plan": plan(),
        "Operation": operation(),
        "Change": change(),
        "Accepted": accepted(),
        "Redelivery": redelivery(),
        "Redelivered": redelivered(),
        "Problem": problem(),
    });
    if let Value::Object(own) = own {
        schemas.extend(own);
    }
    Value::Object(schemas)
}

/// The published schema of a subscription, with its parts beside it.
fn subscription() -> Map<String, Value> {
    let text = include_str!("../../../../shared/schemas/subscription.v1.json");
    let mut whole: Value = serde_json::from_str(
        &text
            .replace("#/$defs/term", "#/components/schemas/Term")
            .replace("#/$defs/party", "#/components/schemas/Party"),
    )
    .expect("a published schema is JSON");
    let object = whole.as_object_mut().expect("a schema is an object");
    let mut parts = object.remove("$defs").expect("it has parts");
    for own in ["$schema", "$id"] {
        object.remove(own);
    }
    let (term, party) = (parts["term"].take(), parts["party"].take());
    Map::from_iter([
        ("Subscription".to_owned(), whole),
        ("Term".to_owned(), term),
        ("Party".to_owned(), party),
    ])
}

fn time(description: &str) -> Value {
    json!({ "type": "string", "format": "date-time", "description": description })
}

fn text(description: &str) -> Value {
    json!({ "type": "string", "description": description })
}

fn record() -> Value {
    json!({
        "type": "object",
        "description": "What is held of one subscription",
        "properties": {
            "subscription": reference("Subscription"),
            "version": {
                "type": "integer", "minimum": 1,
                "description": "Grows by one with every change of the record",
            },
            "updatedAt": time("When it was last changed"),
            "activation": {
                "type": "object",
                "description": "An activation that was asked for and is not confirmed yet",
                "properties": {
                    "state": { "type": "string", "examples": ["awaitsPublisher", "awaitsMicrosoft"] },
                    "since": time("Since when"),
                },
                "required": ["state", "since"],
            },
            "pendingOperation": reference("PendingOperation"),
            "deadlineAnnounced": {
                "type": "boolean",
                "description": "That the purchase is about to lapse was announced",
            },
            "bound": { "type": "object", "description": "Who opened the purchase last, and how they were recognised" },
            "signUp": { "type": "object", "description": "What the buyer told the publisher when confirming" },
        },
        "required": ["subscription", "version", "updatedAt", "deadlineAnnounced"],
    })
}

fn pending_operation() -> Value {
    json!({
        "type": "object",
        "description": "An operation whose end the record waits for",
        "properties": {
            "id": { "type": "string", "format": "uuid" },
            "action": text("What it does"),
            "since": time("When the wait began"),
            "decision": {
                "type": "object",
                "description": "What it was answered with, where Microsoft may not have heard the answer",
                "properties": {
                    "verdict": { "type": "string", "examples": ["accept", "reject"] },
                    "by": { "type": "string", "examples": ["rules", "product", "policy"] },
                    "reason": text("Why, where anybody said so"),
                },
                "required": ["verdict", "by"],
            },
        },
        "required": ["id", "action", "since"],
    })
}

fn event() -> Value {
    json!({
        "type": "object",
        "description": "Something that happened, as it was recorded; which other members there are depends on `type`",
        "properties": {
            "subscriptionId": { "type": "string", "format": "uuid" },
            "version": { "type": "integer", "minimum": 1, "description": "The record's version that it is part of" },
            "index": { "type": "integer", "minimum": 0, "maximum": 255, "description": "Its place among the events of that version" },
            "type": { "type": "string", "examples": ["Purchased", "Activated", "PlanChanged"] },
            "cause": {
                "type": "object",
                "description": "How it became known",
                "properties": { "by": { "type": "string", "examples": ["webhook", "reconciliation"] } },
                "required": ["by"],
            },
            "recordedAt": time("When it was recorded"),
            "before": reference("Subscription"),
            "subscription": reference("Subscription"),
            "correlationId": { "type": "string", "format": "uuid" },
        },
        "required": ["subscriptionId", "version", "index", "type", "cause", "recordedAt", "subscription"],
    })
}

fn cloud_event() -> Value {
    json!({
        "type": "object",
        "description": "The same as the publisher's product is told: CloudEvents 1.0",
        "properties": {
            "specversion": { "const": "1.0" },
            "id": text("The same however often the event is told"),
            "source": { "type": "string", "format": "uri" },
            "type": { "type": "string", "pattern": "^saas-fulfillment\\.subscription\\.[a-z-]+\\.v[0-9]+$" },
            "subject": { "type": "string", "format": "uuid", "description": "The subscription" },
            "time": time("When it was recorded"),
            "datacontenttype": { "const": "application/json" },
            "dataschema": text("Names the schema of `data`"),
            "sequence": text("Orders the events of a subscription as text"),
            "data": { "type": "object" },
        },
        "required": ["specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema", "sequence", "data"],
    })
}

fn plan() -> Value {
    json!({
        "type": "object",
        "description": "A plan, as Microsoft describes it; prices and meters are passed on to the letter",
        "properties": {
            "planId": { "type": ["string", "null"] },
            "displayName": { "type": "string" },
            "isPrivate": { "type": "boolean" },
            "isPricePerSeat": { "type": "boolean" },
            "minQuantity": { "type": "integer", "minimum": 0 },
            "maxQuantity": { "type": "integer", "minimum": 0 },
            "planComponents": { "type": "object" },
        },
        "required": ["planId"],
    })
}

fn operation() -> Value {
    let guid = json!({ "type": ["string", "null"], "format": "uuid" });
    let word = |examples: &[&str]| json!({ "type": ["string", "null"], "examples": examples });
    json!({
        "type": "object",
        "description": "A requested change, as Microsoft describes it; what Microsoft leaves out is null",
        "properties": {
            "id": guid,
            "subscriptionId": guid,
            "action": word(&["ChangePlan", "ChangeQuantity", "Unsubscribe"]),
            "status": word(&["NotStarted", "InProgress", "Succeeded", "Failed", "Conflict"]),
            "planId": { "type": ["string", "null"] },
            "quantity": { "type": ["integer", "null"], "minimum": 0 },
            "operationRequestSource": word(&["Azure", "Partner"]),
            "timeStamp": { "type": ["string", "null"], "format": "date-time" },
        },
        "required": ["id", "action", "status"],
    })
}

fn change() -> Value {
    json!({
        "description": "A plan or a number of seats; to change both, one after the other",
        "oneOf": [
            {
                "type": "object",
                "properties": {
                    "planId": { "type": "string", "minLength": 1, "maxLength": 100, "pattern": "^[A-Za-z0-9._-]+$" },
                },
                "required": ["planId"],
                "additionalProperties": false,
            },
            {
                "type": "object",
                "properties": { "quantity": { "type": "integer", "minimum": 1, "maximum": 1_000_000 } },
                "required": ["quantity"],
                "additionalProperties": false,
            },
        ],
    })
}

fn accepted() -> Value {
    json!({
        "type": "object",
        "properties": {
            "operationId": {
                "type": ["string", "null"], "format": "uuid",
                "description": "The operation to follow; null where Microsoft named none",
            },
        },
        "required": ["operationId"],
    })
}

fn redelivery() -> Value {
    json!({
        "type": "object",
        "properties": {
            "fromVersion": {
                "type": ["integer", "null"], "minimum": 1, "maximum": i64::MAX,
                "description": "The version whose events are told first; left out, from where the delivery stopped",
            },
        },
        "additionalProperties": false,
    })
}

fn redelivered() -> Value {
    json!({
        "type": "object",
        "properties": {
            "targets": {
                "type": "array",
                "items": { "type": "string", "examples": ["endpoint", "event-bus"] },
                "description": "Who is told",
            },
            "fromVersion": { "type": ["integer", "null"] },
        },
        "required": ["targets", "fromVersion"],
    })
}

fn problem() -> Value {
    // Where there is no call, nothing is described.
    let own =
        ErrorCode::ALL.iter().filter(|code| **code != ErrorCode::NoRoute).map(|code| code.as_str());
    let codes: Vec<_> = own.chain(OF_ACTIVATION).collect();
    json!({
        "type": "object",
        "description": "Why a call was refused (RFC 9457)",
        "properties": {
            "title": text("The status in words"),
            "status": { "type": "integer", "minimum": 400, "maximum": 599 },
            "code": { "enum": codes, "description": "For programs; never changes its meaning" },
            "detail": text("For people"),
        },
        "required": ["title", "status", "code", "detail"],
    })
}
