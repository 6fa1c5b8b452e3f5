//! What each call is for, takes and answers.

use serde_json::{Value, json};

use super::{refusal, schemas::reference};
use crate::error_code::ErrorCode;
use crate::events::BATCH;
use crate::route::Call;

/// A call, described.
pub(super) struct Described {
    pub id: &'static str,
    pub summary: &'static str,
    pub description: &'static str,
    pub body: Option<Body>,
    /// Whether Microsoft is asked for something: such a request may carry a key and a condition.
    pub is_asked: bool,
    pub successes: Vec<Success>,
    pub problems: Vec<ErrorCode>,
}

/// What is sent.
pub(super) struct Body {
    pub schema: Value,
    pub required: bool,
}

/// An answer that is no refusal.
pub(super) struct Success {
    pub status: u16,
    pub description: &'static str,
    pub headers: &'static [&'static str],
    pub content: Vec<(&'static str, Value)>,
}

const JSON: &str = "application/json";

/// What may go wrong wherever the table is read.
const TABLE: [ErrorCode; 1] = [ErrorCode::Unavailable];

/// What may go wrong with a call about one subscription, whoever is asked.
const ONE: [ErrorCode; 2] = [ErrorCode::MalformedRequest, ErrorCode::Unavailable];

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
    problems: &[&[ErrorCode]],
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
const ASKED: [ErrorCode; 10] = [
    ErrorCode::MalformedRequest,
    ErrorCode::UnknownToMicrosoft,
    ErrorCode::NotAllowed,
    ErrorCode::OperationPending,
    ErrorCode::Refused,
    ErrorCode::VersionMismatch,
    ErrorCode::KeyReused,
    ErrorCode::RequestInProgress,
    ErrorCode::OutcomeUnknown,
    ErrorCode::Unavailable,
];

/// What a call is. Every one is described, or this doesn't compile.
pub(super) fn describe(call: Call) -> Described {
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
            &[&ONE, &[ErrorCode::UnknownSubscription]],
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
                        ErrorCode::InvalidChange,
                        ErrorCode::NotSubscribed,
                        ErrorCode::AlreadyInForce,
                        ErrorCode::FlatRate,
                        ErrorCode::PlanNotAvailable,
                        ErrorCode::QuantityOutOfLimits,
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
                &[&ASKED, &[ErrorCode::Unsubscribed]],
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
                    &[&ONE, &[ErrorCode::UnknownSubscription]],
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
                    ErrorCode::UnknownToMicrosoft,
                    ErrorCode::Unsubscribed,
                    ErrorCode::Refused,
                    ErrorCode::OperationPending,
                ],
            ],
        ),
        Call::Operations => read(
            "listOperations",
            "The operations that wait for somebody, from Microsoft",
            ok("The operations", list("operations", "Operation")),
            &[
                &ONE,
                &[ErrorCode::UnknownToMicrosoft, ErrorCode::Refused, ErrorCode::OperationPending],
            ],
        ),
        Call::Operation => read(
            "getOperation",
            "How far an operation is, from Microsoft",
            Success { headers: &["Retry-After"], ..ok("The operation", reference("Operation")) },
            &[&ONE, &[ErrorCode::UnknownToMicrosoft, ErrorCode::OperationPending]],
        ),
        Call::Observe => read(
            "observeSubscription",
            "Looks at Microsoft's copy now, and adopts it",
            record(
                "The record as Microsoft's copy has it; where that may be a late read, as it was",
            ),
            &[
                &ONE,
                &[ErrorCode::UnknownToMicrosoft, ErrorCode::Refused, ErrorCode::OperationPending],
            ],
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
                        ErrorCode::MalformedRequest,
                        ErrorCode::UnknownSubscription,
                        ErrorCode::UnknownVersion,
                        ErrorCode::NoReceiver,
                    ],
                ],
            )
        },
    }
}

/// The one call below `/subscriptions` that is a function of its own.
pub(super) const ACTIVATE: &str = "/subscriptions/{id}/activate";

/// What it is, from the outside.
pub(super) fn activate() -> Value {
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
