//! What can go wrong between us and Microsoft, by what the caller has to do about it.

use std::fmt;
use std::time::Duration;

use http::StatusCode;
use serde_json::Value;
use thiserror::Error;

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

    /// Whether the publisher's settings don't fit Microsoft's side. Every such call fails until the
    /// publisher changes them.
    pub fn is_configuration(&self) -> bool {
        match self {
            Self::Unauthorized(_) | Self::Misaddressed(_) => true,
            Self::Token(error) => error.is_configuration(),
            Self::Refused(_)
            | Self::NotFound(_)
            | Self::Conflict(_)
            | Self::Unavailable { .. }
            | Self::Unreachable { .. }
            | Self::Malformed(_) => false,
        }
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
            return Self { status, code: None, message: Some(message) };
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
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(body: &str) -> (Option<String>, Option<String>) {
        let refusal = Refusal::parse(400, body.as_bytes());
        (refusal.code, refusal.message)
    }

    fn some(code: &str, message: &str) -> (Option<String>, Option<String>) {
        (Some(code.to_owned()), Some(message.to_owned()))
    }

    #[test]
    fn every_error_form_of_f_gen_9_is_read() {
        assert_eq!(
            parsed(
                r#"{"message":"No such thing","target":"id","code":"EntityNotFound","details":[]}"#
            ),
            some("EntityNotFound", "No such thing")
        );
        assert_eq!(
            parsed(r#"{"error":{"code":"UnexpectedError","message":"Oops"}}"#),
            some("UnexpectedError", "Oops")
        );
        assert_eq!(
            parsed(r#"{"Error":{"Code":"ApiVersionUnspecified","Message":"Say which"}}"#),
            some("ApiVersionUnspecified", "Say which")
        );
        assert_eq!(
            parsed(r#""Bad token or other app""#),
            (None, Some("Bad token or other app".into()))
        );
        assert_eq!(parsed(""), (None, None));
        assert_eq!(
            parsed("\u{feff}{\"code\":\"A\",\"message\":\"cut \\ud83d\",\"code\":\"B\"}"),
            some("B", "cut \u{fffd}"),
            "F-GEN-14"
        );
    }

    #[test]
    fn an_error_body_in_an_unknown_form_leaves_only_the_status() {
        for body in
            ["<html>504</html>", "[]", "{\"error\":7}", "null", "{\"code\":{}}", "\u{feff}{}"]
        {
            assert_eq!(parsed(body), (None, None), "{body}");
        }
    }

    #[test]
    fn only_a_timeout_or_server_error_leaves_the_outcome_unknown() {
        let error = |status: u16, repeatable| {
            let status = StatusCode::from_u16(status).expect("a status");
            FulfillmentError::of_status(status, Refusal::default(), None, repeatable)
        };
        for status in [408, 500, 502, 503, 504] {
            assert!(error(status, false).leaves_outcome_unknown(), "{status}");
            assert!(!error(status, true).leaves_outcome_unknown(), "{status}, safe to repeat");
        }
        for status in [400, 401, 403, 404, 409, 422, 429] {
            assert!(!error(status, false).leaves_outcome_unknown(), "{status}");
        }
        for (status, transient) in [(429, true), (503, true), (400, false), (409, false)] {
            assert_eq!(error(status, true).is_transient(), transient, "{status}");
        }
    }

    #[test]
    fn what_every_call_would_meet_is_a_configuration_fault_as_f_err_5_says() {
        let of = |status: u16, code: Option<&str>| {
            let refusal = Refusal { status, code: code.map(str::to_owned), message: None };
            let status = StatusCode::from_u16(status).expect("a status");
            FulfillmentError::of_status(status, refusal, None, true)
        };
        for (status, code, by_id, fixed_path) in [
            (401, None, true, true),
            (403, None, true, true),
            (405, None, true, true),
            (415, None, true, true),
            (400, Some("UnsupportedApiVersion"), true, true),
            (400, Some("ApiVersionUnspecified"), true, true),
            (400, Some("HeaderNotPresent"), true, true),
            (404, None, false, true),
            (404, Some("EntityNotFound"), false, false),
            (400, None, false, false),
            (400, Some("InvalidValue"), false, false),
            (409, None, false, false),
            (500, None, false, false),
        ] {
            assert_eq!(of(status, code).is_configuration(), by_id, "{status} {code:?}");
            let error = of(status, code).of_fixed_path();
            assert_eq!(error.is_configuration(), fixed_path, "{status} {code:?}");
            assert!(!by_id || !error.is_transient(), "{status} {code:?}");
        }
    }

    #[test]
    fn the_text_of_an_error_never_quotes_microsofts_message() {
        let refusal = Refusal::parse(400, br#"{"code":"InvalidValue","message":"token abc123"}"#);
        assert_eq!(
            FulfillmentError::Refused(refusal).to_string(),
            "Microsoft refused: 400 InvalidValue"
        );
        let odd = Refusal::parse(400, br#"{"code":"a code with a@b.example in it"}"#);
        assert_eq!(odd.to_string(), "400");
    }
}
