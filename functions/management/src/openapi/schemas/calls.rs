//! What callers send, and what we and Microsoft answer.

use serde_json::{Value, json};
use shared::domain::{LONGEST_KEY, LONGEST_REASON, LONGEST_REFERENCE, LONGEST_VALUE, MOST_PAIRS};

use super::parts::{PLAIN, VISIBLE, text};
use crate::error_code::ErrorCode;

/// The codes that only the activation answers with; it is a function of its own.
const OF_ACTIVATION: [&str; 3] = ["malformed_id", "suspended", "declined"];

pub(super) fn plan() -> Value {
    json!({
        "type": "object",
        "description": "A plan, as Microsoft describes it",
        "properties": {
            "planId": { "type": ["string", "null"] },
            "displayName": { "type": "string" },
            "description": { "type": "string" },
            "isPrivate": { "type": "boolean", "description": "Offered to some customers only" },
            "isStopSell": { "type": "boolean", "description": "No longer sold" },
            "hasFreeTrials": { "type": "boolean" },
            "isPricePerSeat": { "type": "boolean", "description": "Sold by the seat" },
            "minQuantity": { "type": "integer", "minimum": 0 },
            "maxQuantity": { "type": "integer", "minimum": 0 },
            "market": { "type": "string" },
            "planComponents": {
                "type": "object",
                "properties": {
                    "recurrentBillingTerms": passed_on("The prices by term, exactly as Microsoft wrote them"),
                    "meteringDimensions": { "type": "array", "items": metering_dimension() },
                },
            },
            "sourceOffers": passed_on("The private offers behind the purchase, as Microsoft wrote them"),
        },
        "required": ["planId"],
    })
}

fn metering_dimension() -> Value {
    json!({
        "type": "object",
        "properties": {
            "id": { "type": ["string", "null"] },
            "currency": { "type": "string" },
            "pricePerUnit": passed_on("The price of one unit, exactly as Microsoft wrote it"),
            "unitOfMeasure": { "type": "string" },
            "displayName": { "type": "string" },
        },
        "required": ["id"],
    })
}

/// A value that we pass on without reading it. It is open: Microsoft may add members.
fn passed_on(description: &str) -> Value {
    json!({ "description": description, "additionalProperties": true })
}

pub(super) fn operation() -> Value {
    let guid = json!({ "type": ["string", "null"], "format": "uuid" });
    let word = |examples: &[&str]| json!({ "type": ["string", "null"], "examples": examples });
    json!({
        "type": "object",
        "description": "A requested change, as Microsoft describes it. A member that Microsoft leaves out is null.",
        "properties": {
            "id": { "type": ["string", "null"], "description": "A GUID as a rule" },
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

pub(super) fn change() -> Value {
    json!({
        "description": "A plan, a number of seats, or your own reference and metadata. \
            To change several of them, make one request after the other.",
        "oneOf": [
            {
                "type": "object",
                "properties": {
                    "planId": { "type": "string", "minLength": 1, "maxLength": 100, "pattern": "^[A-Za-z0-9._-]+$" },
                    "reason": reason(),
                },
                "required": ["planId"],
                "additionalProperties": false,
            },
            {
                "type": "object",
                "properties": {
                    "quantity": { "type": "integer", "minimum": 1, "maximum": 1_000_000 },
                    "reason": reason(),
                },
                "required": ["quantity"],
                "additionalProperties": false,
            },
            {
                "type": "object",
                "properties": {
                    "reference": {
                        "type": ["string", "null"], "minLength": 1, "maxLength": LONGEST_REFERENCE,
                        "pattern": VISIBLE,
                        "description": "The customer's or the contract's id in your own systems; null removes it",
                    },
                    "metadata": {
                        "type": ["object", "null"],
                        "maxProperties": MOST_PAIRS,
                        "propertyNames": { "minLength": 1, "maxLength": LONGEST_KEY, "pattern": PLAIN },
                        "additionalProperties": {
                            "type": ["string", "null"], "maxLength": LONGEST_VALUE, "pattern": PLAIN,
                        },
                        "description": "Pairs to set; a null removes its key, and null instead of an object removes all. \
                            Together with those that stay, there are 20 at the most.",
                    },
                },
                "minProperties": 1,
                "additionalProperties": false,
            },
        ],
    })
}

fn reason() -> Value {
    json!({
        "type": "string", "maxLength": LONGEST_REASON,
        "description": "For the history, such as when and how the customer approved the change. E-mail \
            addresses in it are left out.",
    })
}

/// Why a purchase was approved or declined.
fn purchase_reason(description: &str) -> Value {
    json!({
        "type": "string", "minLength": 1, "maxLength": LONGEST_REASON, "pattern": VISIBLE,
        "description": description,
    })
}

pub(super) fn decline() -> Value {
    let reason = purchase_reason("For the buyer, who reads it as it is: plain text on one line");
    json!({
        "type": "object",
        "properties": { "reason": reason },
        "required": ["reason"],
        "additionalProperties": false,
    })
}

pub(super) fn approval() -> Value {
    let mut reason = purchase_reason("For the history");
    reason["type"] = json!(["string", "null"]);
    json!({
        "type": "object",
        "properties": { "reason": reason },
        "additionalProperties": false,
    })
}

pub(super) fn accepted() -> Value {
    json!({
        "type": "object",
        "properties": {
            "operationId": {
                "type": ["string", "null"],
                "description": "The operation to follow, a GUID as a rule; null if Microsoft named none",
            },
        },
        "required": ["operationId"],
    })
}

pub(super) fn redelivery() -> Value {
    json!({
        "type": "object",
        "properties": {
            "fromVersion": {
                "type": ["integer", "null"], "minimum": 1, "maximum": i64::MAX,
                "description": "The version whose events are sent first; without it, redelivery starts where delivery stopped",
            },
        },
        "additionalProperties": false,
    })
}

pub(super) fn redelivered() -> Value {
    json!({
        "type": "object",
        "properties": {
            "targets": {
                "type": "array",
                "items": { "type": "string", "examples": ["endpoint", "event-bus"] },
                "description": "The receivers that get the events",
            },
            "fromVersion": {
                "type": ["integer", "null"],
                "description": "The version in the request; null if it named none",
            },
        },
        "required": ["targets", "fromVersion"],
    })
}

pub(super) fn problem() -> Value {
    // `no_route` belongs to no call.
    let own =
        ErrorCode::ALL.iter().filter(|code| **code != ErrorCode::NoRoute).map(|code| code.as_str());
    let codes: Vec<_> = own.chain(OF_ACTIVATION).collect();
    json!({
        "type": "object",
        "description": "Why a request was refused (RFC 9457)",
        "properties": {
            "title": text("The name of the HTTP status"),
            "status": { "type": "integer", "minimum": 400, "maximum": 599 },
            "code": { "enum": codes, "description": "For programs. A code never changes its meaning." },
            "detail": text("For people"),
        },
        "required": ["title", "status", "code", "detail"],
    })
}
