//! The calls: what each one does, what it takes and what it answers.

use serde_json::{Value, json};

use super::described::{Body, Described, JSON, OF_CHANGE, TABLE, list, ok, page, read, record};
use super::erase::erase;
use super::response::{Success, refusal};
use super::schemas::reference;
use super::{notes, offers, receivers, reconciliations};
use crate::error_code::ErrorCode;
use crate::events::BATCH;
use crate::route::Call;

fn accepted() -> Success {
    Success {
        status: 202,
        headers: &["Location", "Retry-After", "Idempotency-Replayed"],
        ..ok(
            "Microsoft accepted the request. It takes effect when Microsoft's webhook reports it.",
            reference("Accepted"),
        )
    }
}

/// The problems of changes and cancellations.
const CHANGE: [ErrorCode; 14] = [
    ErrorCode::MalformedRequest,
    ErrorCode::UnknownToMicrosoft,
    ErrorCode::NotAllowed,
    ErrorCode::OperationPending,
    ErrorCode::Refused,
    ErrorCode::VersionMismatch,
    ErrorCode::KeyReused,
    ErrorCode::RequestInProgress,
    ErrorCode::OutcomeUnknown,
    ErrorCode::Configuration,
    ErrorCode::Credential,
    ErrorCode::MicrosoftUnavailable,
    ErrorCode::Table,
    ErrorCode::Unavailable,
];

/// Describes a call. A call without a description doesn't compile.
pub(super) fn describe(call: Call) -> Described {
    match call {
        Call::List => read(
            "listSubscriptions",
            "List or search subscriptions, a page at a time",
            ok("A page of records", page("subscriptions", "Record")),
            &[&TABLE],
        ),
        Call::Document => read(
            "getDescription",
            "Get this description",
            ok(
                "This description",
                json!({ "type": "object", "description": "OpenAPI 3.1", "additionalProperties": true }),
            ),
            &[&[ErrorCode::MalformedRequest]],
        ),
        Call::Read => read(
            "getSubscription",
            "Get a subscription: Microsoft's copy as last known, its version, and what it waits for",
            record("The record"),
            &[&TABLE, &[ErrorCode::UnknownSubscription]],
        ),
        Call::Change => Described {
            description: "The API refuses what Microsoft would refuse, such as seats outside the plan's limits. \
                The change is in force when Microsoft's webhook reports it: read the operation until then, or wait for the event. \
                `reference` and `metadata` are your own. They are stored at once as a JSON Merge Patch (RFC 7396) and Microsoft is not asked: \
                `null` removes the reference or a key, and what the body doesn't name stays. \
                They don't change the record's version. `Idempotency-Key` is ignored with them, since a repetition does no harm.",
            body: Some(Body { schema: reference("Change"), required: true }),
            headers: &OF_CHANGE,
            successes: vec![record("The record with its new reference and metadata"), accepted()],
            ..read(
                "changeSubscription",
                "Request another plan or another number of seats from Microsoft, or set your own reference and metadata",
                accepted(),
                &[
                    &CHANGE,
                    &[
                        ErrorCode::InvalidChange,
                        ErrorCode::UnknownSubscription,
                        ErrorCode::PersonalDataErased,
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
            description: "Irreversible. Access ends when Microsoft's webhook reports the cancellation, not before.",
            headers: &OF_CHANGE,
            ..read(
                "cancelSubscription",
                "Request the cancellation of the subscription from Microsoft",
                accepted(),
                &[&CHANGE, &[ErrorCode::Unsubscribed]],
            )
        },
        Call::Events => {
            let recorded = page("events", "Event");
            let batch = json!({ "type": "array", "items": reference("CloudEvent") });
            Described {
                description: "The events are shown as recorded. A product that was away can catch up in the form in which events are delivered: \
                    send the media type of CloudEvents as `Accept`.",
                ..read(
                    "listEvents",
                    "List the subscription's events, in order",
                    Success {
                        headers: &["Link"],
                        content: vec![(JSON, recorded), (BATCH, batch)],
                        ..ok("The events after a version", Value::Null)
                    },
                    &[&TABLE, &[ErrorCode::UnknownSubscription]],
                )
            }
        }
        Call::Plans => read(
            "listPlans",
            "List the plans that the customer may change to, from Microsoft",
            ok("The plans, usually with the current one among them", list("plans", "Plan")),
            &[
                &TABLE,
                &[
                    ErrorCode::UnknownToMicrosoft,
                    ErrorCode::Unsubscribed,
                    ErrorCode::Refused,
                    ErrorCode::OperationPending,
                    ErrorCode::Configuration,
                    ErrorCode::Credential,
                    ErrorCode::MicrosoftUnavailable,
                ],
            ],
        ),
        Call::Operations => read(
            "listOperations",
            "List the pending operations, from Microsoft",
            ok(
                "The operations that wait for the publisher's acknowledgement",
                list("operations", "Operation"),
            ),
            &[
                &TABLE,
                &[
                    ErrorCode::UnknownToMicrosoft,
                    ErrorCode::Refused,
                    ErrorCode::OperationPending,
                    ErrorCode::Configuration,
                    ErrorCode::Credential,
                    ErrorCode::MicrosoftUnavailable,
                ],
            ],
        ),
        Call::Operation => read(
            "getOperation",
            "Get an operation and its status, from Microsoft",
            Success { headers: &["Retry-After"], ..ok("The operation", reference("Operation")) },
            &[
                &TABLE,
                &[
                    ErrorCode::UnknownToMicrosoft,
                    ErrorCode::OperationPending,
                    ErrorCode::Configuration,
                    ErrorCode::Credential,
                    ErrorCode::MicrosoftUnavailable,
                ],
            ],
        ),
        Call::Observe => read(
            "observeSubscription",
            "Read Microsoft's copy now, and record it",
            record(
                "The record, as Microsoft's copy shows it. If that may be a late read, the record stays as it was.",
            ),
            &[
                &TABLE,
                &[
                    ErrorCode::UnknownToMicrosoft,
                    ErrorCode::Refused,
                    ErrorCode::OperationPending,
                    ErrorCode::Configuration,
                    ErrorCode::Credential,
                    ErrorCode::MicrosoftUnavailable,
                ],
            ],
        ),
        Call::Redeliver => Described {
            body: Some(Body { schema: reference("Redelivery"), required: false }),
            ..read(
                "redeliverEvents",
                "Send events to your product again, with the same ids",
                Success {
                    status: 202,
                    ..ok("The next sweep of the delivery sends them", reference("Redelivered"))
                },
                &[
                    &TABLE,
                    &[
                        ErrorCode::UnknownSubscription,
                        ErrorCode::UnknownVersion,
                        ErrorCode::NoReceiver,
                    ],
                ],
            )
        },
        Call::DeliveriesOf => read(
            "getDeliveries",
            "Get how far each receiver has come with a subscription's events",
            ok("One for each receiver that is configured", list("deliveries", "Delivery")),
            &[&TABLE, &[ErrorCode::UnknownSubscription]],
        ),
        Call::Attempts => Described {
            description: "An attempt is kept for 30 days, with the first 500 characters of the answer. \
                An erasure of personal data removes that text, and `DELIVERY_ATTEMPT_TEXT=off` keeps none.",
            ..read(
                "listAttempts",
                "List the attempts to deliver the subscription's events that failed, the latest first",
                ok("A page of attempts", page("attempts", "Attempt")),
                &[&TABLE, &[ErrorCode::UnknownSubscription]],
            )
        },
        Call::Notes => notes::list(),
        Call::AddNote => notes::add(),
        Call::Deliveries => read(
            "listDeliveries",
            "List the deliveries that wait or are parked, the oldest first",
            ok("A page", page("deliveries", "Delivery")),
            &[&TABLE],
        ),
        Call::Recover => Described {
            description: "Recovers a page of subscriptions. Repeat the call with `next` of the answer until that is null. \
                Events keep their ids, and no event is sent before an earlier one of its subscription.",
            body: Some(Body { schema: reference("Recovery"), required: true }),
            ..read(
                "recoverDeliveries",
                "Send to your product what is parked, or everything since a time, again",
                Success {
                    status: 202,
                    ..ok("The next sweep of the delivery sends them", reference("Recovered"))
                },
                &[&TABLE, &[ErrorCode::UnknownReceiver, ErrorCode::NoReceiver]],
            )
        },
        Call::Decline => Described {
            description: "For a purchase that waits for its activation, before and after the buyer has confirmed it. \
                Microsoft cancels it, and bills nothing. The buyer reads the reason on the landing page. \
                The event `Unsubscribed` has the decision, once Microsoft's webhook reports the end. Irreversible.",
            body: Some(Body { schema: reference("Decline"), required: true }),
            headers: &OF_CHANGE,
            ..read(
                "declinePurchase",
                "Decline a purchase, with a reason for the buyer",
                accepted(),
                &[
                    &CHANGE,
                    &[ErrorCode::InvalidChange, ErrorCode::NotPending, ErrorCode::Unsubscribed],
                ],
            )
        },
        Call::Erase => erase(),
        Call::Examine => Described {
            description: "Checks the token, Microsoft's list, the table, the schedules and more, in at most 20 seconds. \
                A fault is no error of this call: it is in the answer.",
            ..read(
                "examine",
                "Examine the deployment: why doesn't it work?",
                ok("What was found", reference("Examination")),
                &[],
            )
        },
        Call::LastExamination => Described {
            description: "A schedule examines once an hour, so this is about an hour old at most, unless schedules are disabled or the table took no newer one. \
                It asks neither Entra nor Microsoft.",
            ..read(
                "getLastExamination",
                "Get what the last examination of the deployment found",
                ok("What was found", reference("Examination")),
                &[&TABLE, &[ErrorCode::NotExamined]],
            )
        },
        Call::SendTestEvent => Described {
            description: "It takes the way of every event, holds an example of what its type holds, \
                and belongs to no subscription at Microsoft: `isTest` is true, and the offer is `test`.",
            body: Some(Body { schema: reference("TestEventRequest"), required: false }),
            ..read(
                "sendTestEvent",
                "Send a test event to your product",
                Success {
                    status: 202,
                    ..ok(
                        "The event is recorded, and the delivery sends it",
                        reference("TestEventId"),
                    )
                },
                &[&TABLE, &[ErrorCode::UnknownReceiver, ErrorCode::NoReceiver]],
            )
        },
        Call::TestEvent => read(
            "getTestEvent",
            "Get how far a test event has come, what was sent and what was answered",
            ok("The event and its receivers", reference("TestEvent")),
            &[&TABLE, &[ErrorCode::UnknownTestEvent]],
        ),
        Call::Reconciliations => reconciliations::list(),
        Call::Reconcile => reconciliations::start(),
        Call::Receivers => receivers::list(),
        Call::PauseReceiver => receivers::pause(),
        Call::ResumeReceiver => receivers::resume(),
        Call::Offers => offers::get(),
        Call::SetOffers => offers::set(),
        Call::ClearOffers => offers::clear(),
        Call::Pause => reconciliations::pause(),
        Call::Resume => reconciliations::resume(),
    }
}

/// The one call that another function serves.
pub(super) const ACTIVATE: &str = "/subscriptions/{id}/activate";

pub(super) fn activate() -> Value {
    let answer = |description: &str| {
        json!({
            "description": description,
            "content": { JSON: { "schema": reference("Record") } },
        })
    };
    json!({
        "operationId": "activateSubscription",
        "summary": "Activate the subscription at Microsoft, which starts billing",
        "description": "Call it when the account is set up. A second activation changes nothing. \
            `reason` is for the history: the event `Activated` has it. The function `activation` serves this call.",
        "requestBody": {
            "required": false,
            "content": { JSON: { "schema": reference("Approval") } },
        },
        "responses": {
            "200": answer("The subscription is active, as Microsoft's copy shows"),
            "202": answer("The activation is under way. The reconciliation finishes it."),
            "400": refusal(&["malformed_id", "malformed_request"]),
            "404": refusal(&["unknown_subscription"]),
            "409": refusal(&["suspended", "unsubscribed", "declined", "refused"]),
            "500": refusal(&["configuration", "credential"]),
            "503": refusal(&["microsoft_unavailable", "table", "unavailable"]),
        },
    })
}
