//! Every way in which a call is refused.

use http::StatusCode;
use shared::http::Problem;

macro_rules! codes {
    ($($(#[$meaning:meta])* $code:ident = $status:ident $text:literal,)+) => {
        /// The stable codes of problems. A code never changes its meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Code {
            $($(#[$meaning])* $code,)+
        }

        impl Code {
            /// All of them, with what they mean, for the description of the API.
            #[cfg(test)]
            pub const ALL: &[Self] = &[$(Self::$code,)+];

            /// The code as it is sent.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$code => $text,)+
                }
            }

            /// The status it is sent with.
            pub const fn status(self) -> StatusCode {
                match self {
                    $(Self::$code => StatusCode::$status,)+
                }
            }
        }
    };
}

codes! {
    /// No such call.
    NoRoute = NOT_FOUND "no_route",
    /// An id that is no GUID, a place that isn't one in this list, a header or a body that can't be read.
    MalformedRequest = BAD_REQUEST "malformed_request",
    /// Not a plan or a number of seats, one of them (F-CHP-4).
    InvalidChange = BAD_REQUEST "invalid_change",
    /// The table has no such subscription.
    UnknownSubscription = NOT_FOUND "unknown_subscription",
    /// Microsoft has no such subscription or operation.
    UnknownToMicrosoft = NOT_FOUND "unknown_to_microsoft",
    /// Only a Subscribed one can be changed (F-CHP-2).
    NotSubscribed = CONFLICT "not_subscribed",
    /// It is over already (F-LC-8).
    Unsubscribed = CONFLICT "unsubscribed",
    /// The customer may not do this, so we may not either (F-OBJ-11).
    NotAllowed = CONFLICT "not_allowed",
    /// The wanted value is the present one.
    AlreadyInForce = CONFLICT "already_in_force",
    /// The plan is not sold by the seat.
    FlatRate = CONFLICT "flat_rate",
    /// Microsoft doesn't offer that plan to this customer (F-PLN-3).
    PlanNotAvailable = CONFLICT "plan_not_available",
    /// The plan has fewer or more seats (F-CHQ-6).
    QuantityOutOfLimits = CONFLICT "quantity_out_of_limits",
    /// Another operation is under way.
    OperationPending = CONFLICT "operation_pending",
    /// Microsoft refused, for its own reason.
    Refused = CONFLICT "refused",
    /// The record has another version than `If-Match` names.
    VersionMismatch = PRECONDITION_FAILED "version_mismatch",
    /// The same `Idempotency-Key` came with another request.
    KeyReused = UNPROCESSABLE_ENTITY "idempotency_key_reused",
    /// The first request with this `Idempotency-Key` is not answered yet.
    RequestInProgress = CONFLICT "request_in_progress",
    /// The subscription has no such version.
    UnknownVersion = CONFLICT "unknown_version",
    /// The delivery is set up for nobody.
    NobodyToTell = CONFLICT "nobody_to_tell",
    /// Whether Microsoft took the request isn't known; it must not be repeated blindly (F-ERR-2).
    OutcomeUnknown = GATEWAY_TIMEOUT "outcome_unknown",
    /// Microsoft or the table can't be asked at the moment.
    Unavailable = SERVICE_UNAVAILABLE "unavailable",
}

impl Code {
    /// The problem, in words for people.
    pub fn with(self, detail: impl Into<String>) -> Problem {
        Problem::new(self.status(), self.as_str(), detail)
    }
}
