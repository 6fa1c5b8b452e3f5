//! Why a command failed, and its exit code.

use std::process::ExitCode;

use serde_json::{Value, json};
use shared::domain::{OperationId, SearchTerm};
use thiserror::Error;

use crate::connection::ConnectionError;
use crate::sign::SigningError;

/// The exit code of a command that was not called as it must be.
pub(crate) const WRONG_USAGE: u8 = 2;

#[derive(Debug, Error)]
pub(crate) enum CommandError {
    #[error("{detail}")]
    Refused {
        /// The API's stable code, or the HTTP status if there was none.
        code: String,
        detail: String,
    },
    /// The API did not carry out the request, and may do so later.
    #[error("{0}")]
    Unavailable(String),
    /// The API received the request, and its answer did not arrive.
    #[error("{0}")]
    NoAnswer(String),
    /// The API or Microsoft may or may not have carried out the request.
    #[error("{0}")]
    OutcomeUnknown(String),
    /// Microsoft did not carry out the operation.
    #[error("operation {operation} ended with status {status}; nothing changed", operation = .operation.escaped())]
    Ended { operation: OperationId, status: String },
    /// The time to wait was over before the change was in effect.
    #[error("timed out (last seen: {0}); the change continues without this command")]
    StillUnderWay(String),
    /// Fewer characters than a search takes.
    #[error(
        "a subscription is found by its id, or by at least {} characters",
        SearchTerm::SHORTEST
    )]
    TooShort,
    /// No subscription is the one that the user named.
    #[error("{0}")]
    NotFound(String),
    /// Several subscriptions may be the one that the user named.
    #[error("{0}")]
    Ambiguous(String),
    /// Without a question, only a whole id is accepted.
    #[error("with --yes, a subscription is named by its whole id")]
    IdNeeded,
    /// The time to wait was over before the run of the reconciliation had ended.
    #[error("timed out (last seen: {0}); the run goes on without this command")]
    RunUnderWay(String),
    /// The user did not confirm.
    #[error("nothing was changed")]
    Declined,
    #[error("could not sign the request: {0}")]
    Unsigned(#[from] SigningError),
    /// The doctor has found something.
    #[error("{0} of the checks failed")]
    Unhealthy(usize),
    /// A receiver refused a test event.
    #[error("a receiver did not accept the test event {0}")]
    NotAccepted(String),
    /// The time to wait was over before a receiver was sent a test event.
    #[error("timed out; the test event {0} is not sent yet")]
    NotSent(String),
    /// The parameters of a deployment are wrong.
    #[error("{}", .0.join("\n  "))]
    NotDeployable(Vec<String>),
    #[error(transparent)]
    Unconnected(#[from] ConnectionError),
    #[error("--url is not an http or https address")]
    BadAddress,
    #[error("--url must be https, except on this machine")]
    Unencrypted,
}

impl CommandError {
    /// A stable code for programs.
    pub(crate) fn code(&self) -> &str {
        match self {
            Self::Refused { code, .. } => code,
            Self::Unavailable(_) => "unavailable",
            Self::NoAnswer(_) => "no_answer",
            Self::OutcomeUnknown(_) => "outcome_unknown",
            Self::Ended { .. } => "operation_ended",
            Self::StillUnderWay(_) => "still_under_way",
            Self::TooShort => "too_short",
            Self::NotFound(_) => "not_found",
            Self::Ambiguous(_) => "ambiguous",
            Self::IdNeeded => "id_needed",
            Self::RunUnderWay(_) => "run_under_way",
            Self::Declined => "declined",
            Self::Unsigned(_) => "unsigned",
            Self::Unhealthy(_) => "unhealthy",
            Self::NotAccepted(_) => "not_accepted",
            Self::NotSent(_) => "not_sent",
            Self::NotDeployable(_) => "not_deployable",
            Self::Unconnected(ConnectionError::BadProfile(_)) => "bad_profile",
            Self::Unconnected(ConnectionError::BadAddress)
            | Self::BadAddress
            | Self::Unencrypted => "bad_address",
        }
    }

    /// What the user can do about it.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        Some(match self.code() {
            "unknown_subscription" | "unknown_to_microsoft" => {
                "`saasctl list` shows the recorded subscriptions; \
                 `saasctl observe ID` fetches one that only Microsoft knows"
            }
            "not_found" => "`saasctl search TEXT` finds subscriptions by the beginning of a value",
            "too_short" => "give more of the name, address, domain, id or reference",
            "ambiguous" => "give more of it, or the id",
            "id_needed" => "`saasctl search TEXT` shows the ids",
            "unsubscribed" => "it has ended for good; the customer has to buy again",
            "flat_rate" => "`saasctl plans ID` shows which plans are sold by the seat",
            "refused" => "`saasctl observe ID` shows what Microsoft holds",
            "request_in_progress" => "wait a moment, and repeat the command with the same --key",
            "operation_ended" => {
                "`saasctl history ID` shows whether the change was rejected, and why"
            }
            "not_ended" => "`saasctl cancel ID` ends it; its data can be erased seven days later",
            "too_early" => {
                "repeat the command then; a deployment with RETENTION_DAYS erases by itself"
            }
            "undelivered_events" => {
                "`saasctl deliveries ID` shows which receiver lacks them, and why"
            }
            "personal_data_erased" => "`saasctl history ID` shows when, and by whom",
            "unknown_receiver" => "`saasctl receivers` lists the receivers",
            "not_startable" => "`saasctl drift` shows the runs that the schedule starts",
            "no_route" => "`saasctl whoami` shows whether the deployment is older than saasctl",
            "bad_address" => "such as https://a1b2c3d4e5.execute-api.eu-north-1.amazonaws.com",
            "plan_not_available" => "`saasctl plans ID` shows the available plans",
            "quantity_out_of_limits" => "`saasctl plans ID` shows each plan's limits",
            "operation_pending" => "`saasctl operations ID` shows the pending operation",
            "version_mismatch" => "`saasctl show ID` shows the current version",
            "not_allowed" => "only the reseller can change a subscription that it sold",
            "not_subscribed" => "`saasctl observe ID` reads Microsoft's copy",
            "nobody_to_tell" => {
                "deploy with DELIVERY_ENDPOINT, DELIVERY_ENDPOINTS or DELIVERY_EVENT_BUS"
            }
            "idempotency_key_reused" => "use a new --key for a new request",
            "outcome_unknown" => {
                "check `saasctl observe ID` and `saasctl operations ID` before you try again"
            }
            "still_under_way" => "`saasctl operations ID OPERATION` shows the operation's status",
            "not_sent" => {
                "`saasctl doctor` examines the way of events: the table's stream and the sweep"
            }
            "not_accepted" => {
                "the answer above says more; once your product is repaired, `saasctl deliveries` shows \
                 what waits for it, and `saasctl attempts ID` what it answered"
            }
            "already_in_force" => "`saasctl show ID` shows what is in force",
            "unknown_version" => "`saasctl history ID` shows the versions with events",
            "run_under_way" => "`saasctl drift` shows how far it has come",
            "reconciliation_paused" => {
                "`saasctl drift` shows why; `saasctl resume-runs` resumes it"
            }
            "unavailable" | "no_answer" => {
                "try again in a moment, and check --url (MANAGEMENT_URL)"
            }
            "configuration" => {
                "look for `metric: configuration` in the functions' log; compare ENTRA_TENANT_ID, \
                 ENTRA_CLIENT_ID and MARKETPLACE_URL with Partner Center"
            }
            "credential" => {
                "look for `metric: credential` in the functions' log; renew the client secret, or \
                 compare ENTRA_TENANT_ID and ENTRA_CLIENT_ID with Partner Center"
            }
            "table_refused" => {
                "check the table's name, --region and the permissions: Scan on by-status, GetItem, \
                 BatchGetItem, PutItem, and Query on by-due"
            }
            "unwritable_file" => "check the folder, its permissions and the free space",
            "unreadable_records" => "repair or delete these items, and run the command again",
            "invalid_file" => "nothing was written; repair these lines, and run the command again",
            "unknown_subscriptions" => {
                "`saasctl observe ID` fetches one that Microsoft knows; \
                 then run the command again with the same file"
            }
            "unsigned" => {
                "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; \
                 and set --region or AWS_REGION"
            }
            "http_401" | "http_403" => {
                "sign requests (--aws) as a principal that may `execute-api:Invoke`"
            }
            "http_404" => "check --url (MANAGEMENT_URL): it may not be the API's address",
            _ => return None,
        })
    }

    /// Whether a retry with the same idempotency key may succeed.
    pub(crate) fn may_be_retried(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::NoAnswer(_))
            || self.code() == "request_in_progress"
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Refused { .. }
            | Self::Ended { .. }
            | Self::NotFound(_)
            | Self::Ambiguous(_)
            | Self::Declined
            | Self::Unhealthy(_)
            | Self::NotAccepted(_)
            | Self::NotDeployable(_) => 1,
            Self::Unconnected(_)
            | Self::BadAddress
            | Self::Unencrypted
            | Self::Unsigned(_)
            | Self::TooShort
            | Self::IdNeeded => WRONG_USAGE,
            Self::Unavailable(_) | Self::NoAnswer(_) => 3,
            Self::OutcomeUnknown(_) => 4,
            Self::StillUnderWay(_) | Self::RunUnderWay(_) | Self::NotSent(_) => 5,
        })
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({ "code": self.code(), "detail": self.to_string(), "hint": self.hint() })
    }
}
