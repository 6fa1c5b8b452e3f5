//! What can go wrong between us and Microsoft, by what the caller has to do about it.

use std::fmt;
use std::time::Duration;

use serde_json::Value;
use thiserror::Error;

use crate::auth::TokenError;
use crate::retry::Transient;

/// Why a call of the fulfillment API didn't succeed.
#[derive(Debug, Error)]
pub enum FulfillmentError {
    /// Microsoft understood and said no. Repeating won't help.
    #[error("Microsoft refused: {0}")]
    Refused(Refusal),
    /// No such subscription or operation; for Activate also: it is over (F-ACT-5).
    #[error("Microsoft doesn't know it: {0}")]
    NotFound(Refusal),
    /// A pending operation stands in the way (F-CAN-4), or the operation is settled (F-OPU-4).
    #[error("in conflict with an operation: {0}")]
    Conflict(Refusal),
    /// The token was refused twice, the second one fresh: another app, tenant or resource than in
    /// Partner Center, or no service principal (F-AUTH-8, F-AUTH-10, F-AUTH-12).
    #[error(
        "Microsoft refused a fresh token with {0}: compare ENTRA_TENANT_ID, ENTRA_CLIENT_ID and MARKETPLACE_APP_ID \
         with the offer's technical configuration"
    )]
    Unauthorized(u16),
    /// No token could be had.
    #[error("no access token: {0}")]
    Token(#[from] TokenError),
    /// Throttled, broken or silent; whether the request was carried out isn't known.
    #[error("Microsoft is unavailable: {reason}")]
    Unavailable {
        /// What was seen.
        reason: String,
        /// How long Microsoft asked to be left alone.
        retry_after: Option<Duration>,
        /// Whether the request may be sent again without harm.
        repeatable: bool,
    },
    /// The answer's status was fine and its body unusable.
    #[error("Microsoft's answer can't be read: {0}")]
    Malformed(&'static str),
}

impl Transient for FulfillmentError {
    fn is_transient(&self) -> bool {
        match self {
            Self::Unavailable { repeatable, .. } => *repeatable,
            Self::Token(error) => error.is_transient(),
            Self::Refused(_)
            | Self::NotFound(_)
            | Self::Conflict(_)
            | Self::Unauthorized(_)
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
            | Self::Malformed(_) => None,
        }
    }
}

/// What an error body said (F-GEN-9).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// Microsoft's word for it, such as `InvalidValue`.
    pub code: Option<String>,
    /// Microsoft's sentence. For callers who may see it; it may quote what was sent, so it isn't
    /// part of the text of the error, which ends up in logs.
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

/// An error code is a word; what isn't one stays out of logs.
const LONGEST_CODE: usize = 64;

impl Refusal {
    /// Reads any of the five forms of F-GEN-9, and shrugs at the rest.
    pub fn parse(status: u16, body: &[u8]) -> Self {
        let Ok(body) = serde_json::from_slice::<Value>(body) else {
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
    }

    #[test]
    fn a_body_in_no_known_form_is_no_failure() {
        for body in
            ["<html>504</html>", "[]", "{\"error\":7}", "null", "{\"code\":{}}", "\u{feff}{}"]
        {
            assert_eq!(parsed(body), (None, None), "{body}");
        }
    }

    #[test]
    fn the_text_of_an_error_never_quotes_microsofts_sentence() {
        let refusal = Refusal::parse(400, br#"{"code":"InvalidValue","message":"token abc123"}"#);
        assert_eq!(
            FulfillmentError::Refused(refusal).to_string(),
            "Microsoft refused: 400 InvalidValue"
        );
        let odd = Refusal::parse(400, br#"{"code":"a code with a@b.example in it"}"#);
        assert_eq!(odd.to_string(), "400");
    }
}
