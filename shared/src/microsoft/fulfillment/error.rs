//! What can go wrong between us and Microsoft, by what the caller has to do about it.

use std::fmt;
use std::time::Duration;

use http::StatusCode;
use serde_json::Value;
use thiserror::Error;

use crate::host::error_class::{CredentialFault, ErrorClass};
use crate::host::http_client::SendError;
use crate::host::retry::Transient;
use crate::lenient::value;
use crate::microsoft::entra::TokenError;

/// Why a call of the fulfillment API did not succeed.
#[derive(Debug, Error)]
pub enum FulfillmentError {
    /// Microsoft understood and refused. Repeating won't help.
    #[error("Microsoft refused: {0}")]
    Refused(Refusal),
    /// No such subscription or operation. For Activate also: it has ended (F-ACT-5).
    #[error("Microsoft doesn't know it: {0}")]
    NotFound(Refusal),
    /// A pending operation blocks the request (F-CAN-4), or the operation is settled (F-OPU-4).
    #[error("in conflict with an operation: {0}")]
    Conflict(Refusal),
    /// Microsoft refused two tokens, the second one fresh. Its app, tenant or resource differs from
    /// Partner Center's, or there is no service principal (F-AUTH-8, F-AUTH-10, F-AUTH-12).
    #[error(
        "Microsoft refused a fresh token with {0}: compare ENTRA_TENANT_ID, ENTRA_CLIENT_ID and \
         MARKETPLACE_APP_ID with the offer's technical configuration"
    )]
    Unauthorized(u16),
    /// There is no such call at the address that is configured, or not in this version
    /// (F-ERR-5).
    #[error("there is no such call: {0}; compare MARKETPLACE_URL with Microsoft's address")]
    Misaddressed(Refusal),
    #[error("no access token: {0}")]
    Token(#[from] TokenError),
    /// Throttled or broken.
    #[error("Microsoft is unavailable: {refusal}")]
    Unavailable {
        refusal: Refusal,
        /// How long Microsoft asked us to wait.
        retry_after: Option<Duration>,
        /// Whether the request may be sent again without harm. If not, its outcome is unknown.
        repeatable: bool,
    },
    /// No answer.
    #[error("Microsoft is unavailable: {source}")]
    Unreachable {
        source: SendError,
        /// Whether the request may be sent again without harm. If not, its outcome is unknown.
        repeatable: bool,
    },
    /// The status was a success, and the body is unusable.
    #[error("Microsoft's answer is malformed: {0}")]
    Malformed(#[from] Malformed),
}

/// What is wrong with a successful answer.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum Malformed {
    /// The body of this call's answer can't be read.
    #[error("the body of {0}")]
    Body(&'static str),
    #[error("the link to the next page of the list can't be followed")]
    NextLink,
    #[error("Get Subscription returned another subscription")]
    OtherSubscription,
    #[error("Get Subscription returned no status")]
    NoStatus,
    #[error("Get Operation returned another operation")]
    OtherOperation,
    #[error("Get Operation returned no action")]
    NoAction,
}

impl FulfillmentError {
    /// What an unsuccessful status means. `repeatable` says whether the request does no harm if it
    /// is sent twice.
    pub(super) fn of_status(
        status: StatusCode,
        refusal: Refusal,
        retry_after: Option<Duration>,
        repeatable: bool,
    ) -> Self {
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Self::Unauthorized(status.as_u16()),
            StatusCode::METHOD_NOT_ALLOWED | StatusCode::UNSUPPORTED_MEDIA_TYPE => {
                Self::Misaddressed(refusal)
            }
            StatusCode::BAD_REQUEST if refusal.is_about_every_call() => Self::Misaddressed(refusal),
            StatusCode::NOT_FOUND => Self::NotFound(refusal),
            StatusCode::CONFLICT => Self::Conflict(refusal),
            // A throttled request was not carried out.
            StatusCode::TOO_MANY_REQUESTS => {
                Self::Unavailable { refusal, retry_after, repeatable: true }
            }
            StatusCode::REQUEST_TIMEOUT => Self::Unavailable { refusal, retry_after, repeatable },
            status if status.is_client_error() => Self::Refused(refusal),
            _ => Self::Unavailable { refusal, retry_after, repeatable },
        }
    }

    /// The same error of a call whose path names nothing that could be unknown. Microsoft's own 404
    /// has a code; without one, the address is wrong (F-ERR-5).
    pub(super) fn of_fixed_path(self) -> Self {
        match self {
            Self::NotFound(refusal) if refusal.code.is_none() => Self::Misaddressed(refusal),
            error => error,
        }
    }

    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Unauthorized(_) => ErrorClass::Credential(CredentialFault::NotGranted),
            Self::Misaddressed(_) => ErrorClass::Configuration,
            Self::Token(error) => error.class(),
            Self::Refused(_) | Self::NotFound(_) | Self::Conflict(_) => ErrorClass::Refused,
            Self::Unavailable { .. } | Self::Unreachable { .. } | Self::Malformed(_) => {
                ErrorClass::MicrosoftUnavailable
            }
        }
    }

    /// Whether Microsoft may have carried this attempt out.
    pub(super) fn may_have_happened(&self) -> bool {
        match self {
            Self::Unavailable { refusal, .. } => {
                refusal.status != StatusCode::TOO_MANY_REQUESTS.as_u16()
            }
            Self::Unreachable { source, .. } => source.may_have_arrived(),
            Self::Refused(_)
            | Self::NotFound(_)
            | Self::Conflict(_)
            | Self::Unauthorized(_)
            | Self::Misaddressed(_)
            | Self::Token(_)
            | Self::Malformed(_) => false,
        }
    }

    /// The same error, after an attempt that Microsoft may have carried out.
    pub(super) fn after_unanswered(mut self) -> Self {
        if let Self::Refused(refusal) | Self::NotFound(refusal) | Self::Conflict(refusal) =
            &mut self
        {
            refusal.follows_unanswered = true;
        }
        self
    }

    /// Whether Microsoft may have carried the request out, so that it must not be sent again
    /// (F-ERR-2).
    pub fn leaves_outcome_unknown(&self) -> bool {
        matches!(
            self,
            Self::Unavailable { repeatable: false, .. }
                | Self::Unreachable { repeatable: false, .. }
        )
    }
}

impl Transient for FulfillmentError {
    fn is_transient(&self) -> bool {
        match self {
            Self::Unavailable { repeatable, .. } | Self::Unreachable { repeatable, .. } => {
                *repeatable
            }
            Self::Token(error) => error.is_transient(),
            Self::Refused(_)
            | Self::NotFound(_)
            | Self::Conflict(_)
            | Self::Unauthorized(_)
            | Self::Misaddressed(_)
            | Self::Malformed(_) => false,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Unavailable { retry_after, .. } => *retry_after,
            Self::Token(error) => error.retry_after(),
            Self::Refused(_)
            | Self::NotFound(_)
            | Self::Conflict(_)
            | Self::Unauthorized(_)
            | Self::Misaddressed(_)
            | Self::Unreachable { .. }
            | Self::Malformed(_) => None,
        }
    }
}

/// The contents of an error body (F-GEN-9).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusal {
    pub status: u16,
    /// Microsoft's code, such as `InvalidValue`.
    pub code: Option<String>,
    /// Microsoft's sentence, for callers who may see it. It may quote the request, so the text of
    /// the error, which ends up in logs, leaves it out.
    pub message: Option<String>,
    /// An attempt of the same call before had no answer, and Microsoft may have carried it out: then
    /// it refuses what it has done already.
    pub follows_unanswered: bool,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.code {
            Some(code) => write!(f, "{} {code}", self.status),
            None => write!(f, "{}", self.status),
        }
    }
}

/// The longest error code, in characters. Longer text stays out of logs.
const LONGEST_CODE: usize = 64;

impl Refusal {
    /// Whether Microsoft misses what every call of ours has: a version that it accepts (F-GEN-2),
    /// or a header. Then the address leads to something else, or through something that strips them.
    fn is_about_every_call(&self) -> bool {
        const CODES: [&str; 3] =
            ["UnsupportedApiVersion", "ApiVersionUnspecified", "HeaderNotPresent"];
        self.code.as_deref().is_some_and(|code| CODES.contains(&code))
    }

    /// Reads any of the five forms of F-GEN-9. Any other body gives a refusal with the status
    /// alone.
    pub fn parse(status: u16, body: &[u8]) -> Self {
        let Some(body) = value(body) else {
            return Self { status, ..Self::default() };
        };
        if let Value::String(message) = body {
            return Self { status, message: Some(message), ..Self::default() };
        }
        let error = body.get("error").or_else(|| body.get("Error")).unwrap_or(&body);
        let text = |names: [&str; 2]| {
            names.iter().find_map(|name| Some(error.get(name)?.as_str()?.trim().to_owned()))
        };
        let is_word = |code: &String| {
            code.len() <= LONGEST_CODE
                && code.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        Self {
            status,
            code: text(["code", "Code"]).filter(is_word),
            message: text(["message", "Message"]),
            follows_unanswered: false,
        }
    }
}

#[cfg(test)]
mod tests;
