//! What each call is for, takes and answers.

use serde_json::{Value, json};

use super::{refusal, schemas::reference};
use crate::code::Code;
use crate::history::BATCH;
use crate::route::Call;

/// A call, described.
pub struct Described {
    pub id: &'static str,
    pub summary: &'static str,
    pub description: &'static str,
    pub body: Option<Body>,
    /// Whether Microsoft is asked for something: such a request may carry a key and a condition.
    pub is_asked: bool,
    pub successes: Vec<Success>,
    pub problems: Vec<Code>,
}

/// What is sent.
pub struct Body {
    pub schema: Value,
    pub required: bool,
}

/// An answer that is no refusal.
pub struct Success {
    pub status: u16,
    pub description: &'static str,
    pub headers: &'static [&'static str],
    pub content: Vec<(&'static str, Value)>,
}

const JSON: &str = "application/json";

/// What may go wrong wherever the table is read.
const TABLE: [Code; 1] = [Code::Unavailable];

/// What may go wrong with a call about one subscription, whoever is asked.
const ONE: [Code; 2] = [Code::MalformedRequest, Code::Unavailable];

fn ok(description: &'static str, schema: Value) -> Success {
    Success { status: 200, description, headers: &[], content: vec![(JSON, schema)] }
}

fn record(description: &'static str) -> Success {
    Success { headers: &["ETag"], ..ok(description, reference("Record")) }
}

fn accepted() -> Success {
    Success {
        status: 202,
        headers: &["Location", "Retry-After", "Idempotency-Replayed"],
        ..ok(
            "Microsoft took the request; it is in force once its webhook says so",
            reference("Accepted"),
        )
    }
}

fn list(member: &str, of: &str) -> Value {
    json!({
        "type": "object",
        "properties": { member: { "type": "array", "items": reference(of) } },
        "required": [member],
    })
}

/// The same with a place to go on from.
fn page(member: &str, of: &str) -> Value {
    let mut page = list(member, of);
    page["properties"]["next"] = json!({
        "type": ["string", "null"],
        "description": "What to ask for the next page with; null on the last one. A page may be empty and not the last.",
    });
    page["required"] = json!([member, "next"]);
    page
}

fn read(
    id: &'static str,
    summary: &'static str,
    success: Success,
    problems: &[&[Code]],
) -> Described {
    Described {
        id,
        summary,
        description: "",
        body: None,
        is_asked: false,
        successes: vec![success],
        problems: problems.concat(),
    }
}

/// Refusals of what is asked of Microsoft, a change or the end alike.
const ASKED: [Code; 10] = [
    Code::MalformedRequest,
    Code::UnknownToMicrosoft,
    Code::NotAllowed,
    Code::OperationPending,
    Code::Refused,
    Code::VersionMismatch,
    Code::KeyReused,
    Code::RequestInProgress,
    Code::OutcomeUnknown,
    Code::Unavailable,
];

/// What a call is. Every one is described, or this doesn't compile.
pub fn describe(call: Call) -> Described {
    match call {
        Call::List => read(
            "listSubscriptions",
            "Records, a page at a time",
            ok("A page of records", page("subscriptions", "Record")),
            &[&ONE],
        ),
        Call::Document => read(
            "getDescription",
            "This description",
            ok("This description", json!({ "type": "object" })),
            &[],
        ),
        Call::Read => read(
            "getSubscription",
            "A record: Microsoft's copy as last known, its version, and what it waits for",
            record("The record"),
            &[&ONE, &[Code::UnknownSubscription]],
        ),
        Call::Change => Described {
            description: "Checked beforehand against what Microsoft would refuse, and against the plan's limits. \
                Watch the operation, or wait for the event: the change is in force when Microsoft's webhook says so.",
            body: Some(Body { schema: reference("Change"), required: true }),
            is_asked: true,
            ..read(
                "changeSubscription",
                "Asks Microsoft for another plan, or for another number of seats",
                accepted(),
                &[
                    &ASKED,
                    &[
                        Code::InvalidChange,
                        Code::NotSubscribed,
                        Code::AlreadyInForce,
                        Code::FlatRate,
                        Code::PlanNotAvailable,
                        Code::QuantityOutOfLimits,
                    ],
                ],
            )
        },
        Call::Cancel => Described {
            description: "Irreversible. Access ends when Microsoft's webhook says so, not before.",
            is_asked: true,
            ..read(
                "cancelSubscription",
                "Asks Microsoft for the end of the subscription",
                accepted(),
                &[&ASKED, &[Code::Unsubscribed]],
            )
        },
        Call::Events => {
            let recorded = page("events", "Event");
            let batch = json!({ "type": "array", "items": reference("CloudEvent") });
            Described {
                description: "As recorded; or, for a product that was away, in the form in which it is told: ask for it by `Accept`.",
                ..read(
                    "listEvents",
                    "What happened to the subscription, in order",
                    Success {
                        headers: &["Link"],
                        content: vec![(JSON, recorded), (BATCH, batch)],
                        ..ok("The events after a version", Value::Null)
                    },
                    &[&ONE, &[Code::UnknownSubscription]],
                )
            }
        }
        Call::Plans => read(
            "listPlans",
            "The plans that the customer may change to, from Microsoft",
            ok("The plans, the present one among them", list("plans", "Plan")),
            &[
                &ONE,
                &[
                    Code::UnknownToMicrosoft,
                    Code::Unsubscribed,
                    Code::Refused,
                    Code::OperationPending,
                ],
            ],
        ),
        Call::Operations => read(
            "listOperations",
            "The operations that wait for somebody, from Microsoft",
            ok("The operations", list("operations", "Operation")),
            &[&ONE, &[Code::UnknownToMicrosoft, Code::Refused, Code::OperationPending]],
        ),
        Call::Operation => read(
            "getOperation",
            "How far an operation is, from Microsoft",
            Success { headers: &["Retry-After"], ..ok("The operation", reference("Operation")) },
            &[&ONE, &[Code::UnknownToMicrosoft, Code::OperationPending]],
        ),
        Call::Observe => read(
            "observeSubscription",
            "Looks at Microsoft's copy now, and adopts it",
            record(
                "The record as Microsoft's copy has it; where that may be a late read, as it was",
            ),
            &[&ONE, &[Code::UnknownToMicrosoft, Code::Refused, Code::OperationPending]],
        ),
        Call::Redeliver => Described {
            body: Some(Body { schema: reference("Redelivery"), required: false }),
            ..read(
                "redeliverEvents",
                "Has the publisher's product told events again, with the ids they had",
                Success {
                    status: 202,
                    ..ok("They are told by the delivery's next sweep", reference("Redelivered"))
                },
                &[
                    &TABLE,
                    &[
                        Code::MalformedRequest,
                        Code::UnknownSubscription,
                        Code::UnknownVersion,
                        Code::NobodyToTell,
                    ],
                ],
            )
        },
    }
}

/// The one call below `/subscriptions` that is a function of its own.
pub const ACTIVATE: &str = "/subscriptions/{id}/activate";

/// What it is, from the outside.
pub fn activate() -> Value {
    let answer = |description: &str| {
        json!({
            "description": description,
            "content": { JSON: { "schema": reference("Record") } },
        })
    };
    json!({
        "operationId": "activateSubscription",
        "summary": "Tells Microsoft that the account is configured; billing begins",
        "description": "Twice is the same as once. Served by the function `activation`.",
        "responses": {
            "200": answer("Active: Microsoft's copy says so"),
            "202": answer("Under way; the reconciliation finishes it"),
            "400": refusal(&["malformed_id"]),
            "404": refusal(&["unknown_subscription"]),
            "409": refusal(&["suspended", "unsubscribed", "refused"]),
            "503": refusal(&["unavailable"]),
        },
    })
}
