//! Why a command did not do what it was asked for.

use std::process::ExitCode;

use serde_json::{Value, json};
use thiserror::Error;
use uuid::Uuid;

/// Why it was not done.
#[derive(Debug, Error)]
pub enum Failure {
    /// The API said no.
    #[error("{detail}")]
    Refused {
        /// The stable code, or the status where there was none.
        code: String,
        /// In words.
        detail: String,
    },
    /// The API, or what stands behind it, can't be asked now.
    #[error("{0}")]
    Unavailable(String),
    /// The API was asked, and its answer did not arrive.
    #[error("{0}")]
    NoAnswer(String),
    /// A request may or may not have been carried out.
    #[error("{0}")]
    OutcomeUnknown(String),
    /// Microsoft did not do it.
    #[error("operation {operation} ended as {status}; nothing has changed")]
    Ended {
        /// Which.
        operation: Uuid,
        /// How.
        status: String,
    },
    /// It takes longer than there was time.
    #[error("{0} when the time was up; it goes on without this command")]
    StillUnderWay(String),
    /// The person didn't want it after all.
    #[error("nothing was cancelled")]
    Declined,
    /// There are no credentials to sign with, or no region.
    #[error("the request can't be signed: {0}")]
    Unsigned(String),
    /// The address can't be one.
    #[error("--url is not an http(s) address")]
    BadAddress,
}

impl Failure {
    /// For programs.
    pub fn code(&self) -> &str {
        match self {
            Self::Refused { code, .. } => code,
            Self::Unavailable(_) => "unavailable",
            Self::NoAnswer(_) => "no_answer",
            Self::OutcomeUnknown(_) => "outcome_unknown",
            Self::Ended { .. } => "operation_ended",
            Self::StillUnderWay(_) => "still_under_way",
            Self::Declined => "declined",
            Self::Unsigned(_) => "unsigned",
            Self::BadAddress => "bad_address",
        }
    }

    /// What to do about it, where that isn't plain.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self.code() {
            "unknown_subscription" | "unknown_to_microsoft" => {
                "`saasctl list` shows what there is; `observe` fetches one that only Microsoft knows"
            }
            "plan_not_available" => "`saasctl plans ID` shows those that are",
            "quantity_out_of_limits" => "`saasctl plans ID` shows each plan's limits",
            "operation_pending" => "`saasctl operations ID` shows what is under way",
            "version_mismatch" => "`saasctl show ID` shows the version there is now",
            "not_allowed" => "what a reseller sold, the reseller changes",
            "not_subscribed" => "`saasctl observe ID` looks at Microsoft's copy now",
            "nobody_to_tell" => "deploy with DELIVERY_ENDPOINT or DELIVERY_EVENT_BUS",
            "idempotency_key_reused" => "a new request needs a new --key",
            "outcome_unknown" => {
                "look at `saasctl observe ID` and `operations ID` before asking again"
            }
            "still_under_way" => "`saasctl operations ID OPERATION` shows how far it is",
            "unavailable" | "no_answer" => {
                "try again in a moment; is --url (MANAGEMENT_URL) right?"
            }
            "unsigned" => {
                "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; and --region or AWS_REGION"
            }
            "http_401" | "http_403" => {
                "is the request signed (--aws), and may you `execute-api:Invoke` there?"
            }
            "http_404" => "--url (MANAGEMENT_URL) may be another address than the API's",
            _ => return None,
        })
    }

    /// Whether asking again, under the same key, may help.
    pub fn may_be_repeated(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::NoAnswer(_))
            || self.code() == "request_in_progress"
    }

    /// For whoever called this program.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Refused { .. } | Self::Ended { .. } | Self::Declined => 1,
            Self::BadAddress | Self::Unsigned(_) => 2,
            Self::Unavailable(_) | Self::NoAnswer(_) => 3,
            Self::OutcomeUnknown(_) => 4,
            Self::StillUnderWay(_) => 5,
        })
    }

    /// For programs, whole.
    pub fn to_json(&self) -> Value {
        json!({ "code": self.code(), "detail": self.to_string(), "hint": self.hint() })
    }
}
