//! Access tokens for the marketplace API, and where they come from.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use thiserror::Error;
use url::form_urlencoded;

use super::client_refusal::{class_of_refusal, describe_refusal};
use super::credential::{Asserted, Credential, CredentialError, Identity, sent};
use crate::host::clock::Clock;
use crate::host::error_class::ErrorClass;
use crate::host::http_client::{SendError, Transport};
use crate::host::retry::{Transient, parse_retry_after};
use crate::lenient::{lenient, object};

/// A bearer token for Microsoft's marketplace API.
#[derive(Clone)]
pub struct AccessToken {
    value: SecretString,
    expires_at: Timestamp,
}

impl AccessToken {
    pub fn new(value: SecretString, expires_at: Timestamp) -> Self {
        Self { value, expires_at }
    }

    /// For the one header that carries it.
    pub fn expose(&self) -> &str {
        self.value.expose_secret()
    }

    pub(super) fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// Why there is no token.
#[derive(Debug, Error)]
pub enum TokenError {
    /// Entra refused the client: a wrong id, tenant or secret, or an expired secret (F-AUTH-15).
    #[error(
        "Entra refused the client: {status} {}{}",
        describe_refusal(error, codes),
        sent(asserted)
    )]
    Refused {
        status: u16,
        /// Entra's code, such as `invalid_client`.
        error: String,
        /// AADSTS numbers; 500011 means that the marketplace API has no service principal in the
        /// tenant (F-AUTH-10).
        codes: BTreeSet<u64>,
        /// What was sent in the place of a client secret, to compare with the app registration.
        asserted: Option<Asserted>,
    },
    /// Entra is down or throttling.
    #[error("Entra is unavailable: {status}")]
    Unavailable {
        status: u16,
        /// How long Entra asked us to wait.
        retry_after: Option<Duration>,
    },
    #[error("Entra is unavailable: {0}")]
    Unreachable(#[from] SendError),
    /// The status was a success, and the body is unusable.
    #[error("Entra is unavailable: the answer holds no token")]
    NoToken,
    #[error(transparent)]
    Credential(#[from] CredentialError),
}

impl TokenError {
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Refused { error, codes, .. } => class_of_refusal(error, codes),
            Self::Credential(error) => error.class(),
            Self::Unavailable { .. } | Self::Unreachable(_) | Self::NoToken => {
                ErrorClass::MicrosoftUnavailable
            }
        }
    }
}

impl Transient for TokenError {
    fn is_transient(&self) -> bool {
        !self.class().needs_operator()
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Unavailable { retry_after, .. } => *retry_after,
            Self::Refused { .. } | Self::Unreachable(_) | Self::NoToken | Self::Credential(_) => {
                None
            }
        }
    }
}

#[async_trait]
pub trait TokenProvider: Send + Sync {
    /// Requests a new token. MUST NOT cache: [`TokenCache`](super::TokenCache) does.
    async fn token(&self) -> Result<AccessToken, TokenError>;
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TokenEndpoint {
    /// `/oauth2/token`, with a resource (F-AUTH-3).
    V1,
    /// `/oauth2/v2.0/token`, with a scope (F-AUTH-4).
    #[default]
    V2,
}

impl FromStr for TokenEndpoint {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "v1" => Ok(Self::V1),
            "v2" => Ok(Self::V2),
            _ => Err("must be `v2` or `v1`"),
        }
    }
}

/// The client-credentials grant (F-AUTH-1).
pub struct ClientCredentials {
    pub transport: Arc<dyn Transport>,
    /// `https://login.microsoftonline.com`, or an emulator; no trailing slash.
    pub authority: String,
    pub endpoint: TokenEndpoint,
    /// The tenant of the app registration in Partner Center's technical configuration.
    pub tenant_id: String,
    pub client_id: String,
    pub credential: Credential,
    /// The marketplace API's resource id (F-AUTH-2).
    pub resource: String,
    pub timeout: Duration,
    pub clock: Arc<dyn Clock>,
}

#[async_trait]
impl TokenProvider for ClientCredentials {
    async fn token(&self) -> Result<AccessToken, TokenError> {
        let (path, target) = match self.endpoint {
            TokenEndpoint::V1 => ("oauth2/token", ("resource", self.resource.clone())),
            TokenEndpoint::V2 => {
                ("oauth2/v2.0/token", ("scope", format!("{}/.default", self.resource)))
            }
        };
        let url = format!("{}/{}/{path}", self.authority, self.tenant_id);
        let asked_at = self.clock.now();
        let proof = self.credential.proof(Identity {
            client_id: &self.client_id,
            token_endpoint: &url,
            clock: &*self.clock,
            timeout: self.timeout,
        });
        let proof = proof.await?;
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "client_credentials")
            .append_pair("client_id", &self.client_id)
            .extend_pairs(proof.fields())
            .append_pair(target.0, &target.1)
            .finish();
        let request = http::Request::post(url)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Bytes::from(form))
            .map_err(SendError::from)?;
        let answer = self.transport.send(request, self.timeout).await?;
        let (status, headers, body) = (answer.status(), answer.headers(), answer.body());
        if status.is_success() {
            return read_token(body, asked_at).ok_or(TokenError::NoToken);
        }
        let retry_after = headers
            .get("retry-after")
            .and_then(|value| parse_retry_after(value.to_str().ok()?, asked_at));
        Err(refusal(status, retry_after, body, proof.asserted()))
    }
}

/// Reads a token answer; all of its numbers may be strings (F-AUTH-3, F-AUTH-5).
fn read_token(body: &[u8], asked_at: Timestamp) -> Option<AccessToken> {
    #[derive(Deserialize)]
    struct Body {
        access_token: String,
        #[serde(default, deserialize_with = "lenient")]
        expires_in: Option<u64>,
    }
    /// Entra's tokens live an hour (F-AUTH-6). A token without a lifetime is used for far less.
    const DEFAULT_LIFETIME: u64 = 300;
    let body: Body = object(body).filter(|body: &Body| !body.access_token.is_empty())?;
    let lives = i64::try_from(body.expires_in.unwrap_or(DEFAULT_LIFETIME)).ok()?;
    let expires_at = asked_at.checked_add(SignedDuration::from_secs(lives)).ok()?;
    Some(AccessToken::new(SecretString::from(body.access_token), expires_at))
}

/// Entra's words for a passing failure (RFC 6749, section 4.1.2.1).
const PASSING_WORDS: [&str; 2] = ["temporarily_unavailable", "server_error"];

/// Entra's numbers for a passing failure: retryable errors, timeouts, and a directory that is
/// overloaded or unavailable. They come with any word and status (F-AUTH-15).
const PASSING_CODES: [u64; 6] = [50033, 90006, 90012, 90024, 90033, 90055];

/// What an unsuccessful answer means.
fn refusal(
    status: StatusCode,
    retry_after: Option<Duration>,
    body: &[u8],
    asserted: Option<Asserted>,
) -> TokenError {
    #[derive(Default, Deserialize)]
    struct Body {
        #[serde(default, deserialize_with = "lenient")]
        error: Option<String>,
        #[serde(default, deserialize_with = "lenient")]
        error_codes: Option<BTreeSet<u64>>,
    }
    let body: Body = object(body).unwrap_or_default();
    let codes = body.error_codes.unwrap_or_default();
    let passes = status.is_server_error()
        || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT)
        || body.error.as_deref().is_some_and(|word| PASSING_WORDS.contains(&word))
        || PASSING_CODES.iter().any(|code| codes.contains(code));
    if passes {
        return TokenError::Unavailable { status: status.as_u16(), retry_after };
    }
    let is_word = |word: &String| {
        word.len() <= 64 && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
    };
    TokenError::Refused {
        status: status.as_u16(),
        error: body.error.filter(is_word).unwrap_or_else(|| "without a reason".to_owned()),
        codes,
        asserted,
    }
}

#[cfg(test)]
mod tests;
