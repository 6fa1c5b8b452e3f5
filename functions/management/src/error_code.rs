//! The reasons to refuse a request.

use http::StatusCode;
use shared::host::http::Problem;

macro_rules! codes {
    ($($(#[$meaning:meta])* $code:ident = $status:ident $text:literal,)+) => {
        /// The stable codes of problems. A code never changes its meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum ErrorCode {
            $($(#[$meaning])* $code,)+
        }

        impl ErrorCode {
            #[cfg(test)]
            pub(crate) const ALL: &[Self] = &[$(Self::$code,)+];

            pub(crate) const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$code => $text,)+
                }
            }

            pub(crate) const fn status(self) -> StatusCode {
                match self {
                    $(Self::$code => StatusCode::$status,)+
                }
            }
        }
    };
}

codes! {
    /// There is no such call.
    NoRoute = NOT_FOUND "no_route",
    /// An id that is not a GUID, a cursor of another list, or a malformed header or body.
    MalformedRequest = BAD_REQUEST "malformed_request",
    /// The body is neither a plan nor a number of seats nor annotations, or more than one of them (F-CHP-4), or
    /// a text in it is too long.
    InvalidChange = BAD_REQUEST "invalid_change",
    /// Settings of offers that the landing page can't use, or that are too long for the table.
    InvalidOffers = BAD_REQUEST "invalid_offers",
    /// The table has no such subscription.
    UnknownSubscription = NOT_FOUND "unknown_subscription",
    /// Microsoft has no such subscription or operation.
    UnknownToMicrosoft = NOT_FOUND "unknown_to_microsoft",
    /// Only a Subscribed subscription can be changed (F-CHP-2).
    NotSubscribed = CONFLICT "not_subscribed",
    /// Only a purchase that waits for its activation can be declined.
    NotPending = CONFLICT "not_pending",
    /// The subscription has ended (F-LC-8).
    Unsubscribed = CONFLICT "unsubscribed",
    /// Microsoft does not allow the customer to do this, so we may not either (F-OBJ-11).
    NotAllowed = CONFLICT "not_allowed",
    /// The requested plan or number of seats is in force already.
    AlreadyInForce = CONFLICT "already_in_force",
    /// The plan is not sold by the seat.
    FlatRate = CONFLICT "flat_rate",
    /// Microsoft doesn't offer that plan to this customer (F-PLN-3).
    PlanNotAvailable = CONFLICT "plan_not_available",
    /// The plan doesn't allow that number of seats (F-CHQ-6).
    QuantityOutOfLimits = CONFLICT "quantity_out_of_limits",
    /// Another operation is under way.
    OperationPending = CONFLICT "operation_pending",
    /// Microsoft refused, for a reason of its own.
    Refused = CONFLICT "refused",
    /// The record has another version than `If-Match` names.
    VersionMismatch = PRECONDITION_FAILED "version_mismatch",
    /// The same `Idempotency-Key` came with another request.
    KeyReused = UNPROCESSABLE_ENTITY "idempotency_key_reused",
    /// The first request with this `Idempotency-Key` is still under way.
    RequestInProgress = CONFLICT "request_in_progress",
    /// Only the personal data of an ended subscription can be erased.
    NotEnded = CONFLICT "not_ended",
    /// The data stays for seven days after the subscription's end (F-LC-8).
    TooEarly = CONFLICT "too_early",
    /// A receiver has not accepted all events of the subscription yet.
    UndeliveredEvents = CONFLICT "undelivered_events",
    /// The personal data was erased, and nothing may be noted about the subscription any more.
    PersonalDataErased = CONFLICT "personal_data_erased",
    /// A note is empty, too long or not one line.
    InvalidNote = BAD_REQUEST "invalid_note",
    /// The subscription has as many notes as it may have.
    TooManyNotes = CONFLICT "too_many_notes",
    /// The record has not reached that version.
    UnknownVersion = CONFLICT "unknown_version",
    /// No receiver of events is configured.
    NoReceiver = CONFLICT "nobody_to_tell",
    /// The settings name no such receiver of events.
    UnknownReceiver = NOT_FOUND "unknown_receiver",
    /// The reconciliation is paused.
    ReconciliationPaused = CONFLICT "reconciliation_paused",
    /// Only the schedule starts the reconciliation here.
    NotStartable = CONFLICT "not_startable",
    /// No examination of the deployment has ended yet.
    NotExamined = NOT_FOUND "not_examined",
    /// The table has no such test event, or no longer.
    UnknownTestEvent = NOT_FOUND "unknown_test_event",
    /// Microsoft may have accepted the request. It must not be repeated blindly (F-ERR-2).
    OutcomeUnknown = GATEWAY_TIMEOUT "outcome_unknown",
    /// The publisher's settings don't fit Microsoft's side (F-ERR-5).
    Configuration = INTERNAL_SERVER_ERROR "configuration",
    /// Entra or Microsoft refuses the credential: the secret has expired or is wrong, or the app is
    /// not the one in Partner Center.
    Credential = INTERNAL_SERVER_ERROR "credential",
    /// Microsoft is unavailable at the moment.
    MicrosoftUnavailable = SERVICE_UNAVAILABLE "microsoft_unavailable",
    /// The table is unavailable at the moment.
    Table = SERVICE_UNAVAILABLE "table",
    /// The functions are unavailable at the moment.
    Unavailable = SERVICE_UNAVAILABLE "unavailable",
}

impl ErrorCode {
    /// `detail` is for people.
    pub(crate) fn with(self, detail: impl Into<String>) -> Problem {
        Problem::new(self.status(), self.as_str(), detail)
    }
}

/// A request that can't be read.
pub(crate) fn malformed(detail: &str) -> Problem {
    ErrorCode::MalformedRequest.with(detail)
}
