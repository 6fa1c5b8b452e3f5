//! Fetching and reading a tenant's published signing keys.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use jsonwebtoken::DecodingKey;
use serde::Deserialize;
use serde_json::value::RawValue;
use thiserror::Error;

use crate::host::error_class::ErrorClass;
use crate::host::http_client::{SendError, Transport};
use crate::host::retry::{RetryPolicy, Transient};
use crate::lenient::{object, objects};

pub(super) type Keys = HashMap<String, Arc<DecodingKey>>;

/// Why there are no keys. A repeated request does no harm.
#[derive(Debug, Error)]
pub enum FetchKeysError {
    #[error(transparent)]
    Unreachable(#[from] SendError),
    #[error("Entra answered {0}")]
    Status(u16),
    #[error("the answer holds no keys")]
    Unreadable,
    #[error("the answer holds no usable keys")]
    Empty,
    /// We fetched the list several times within the last minute.
    #[error("no fetch is left this minute")]
    TooMany,
}

impl FetchKeysError {
    pub fn class(&self) -> ErrorClass {
        match self {
            // Entra's answers about a tenant that it does not know.
            Self::Status(400 | 404) => ErrorClass::Configuration,
            Self::Unreachable(_)
            | Self::Status(_)
            | Self::Unreadable
            | Self::Empty
            | Self::TooMany => ErrorClass::MicrosoftUnavailable,
        }
    }
}

impl Transient for FetchKeysError {
    fn is_transient(&self) -> bool {
        true
    }
}

pub(super) async fn fetch(
    transport: &dyn Transport,
    url: &str,
    retry: &RetryPolicy,
    may_be_empty: bool,
) -> Result<Keys, FetchKeysError> {
    let request = http::Request::get(url).body(Bytes::new()).map_err(SendError::from)?;
    let answer = transport.send(request, retry.attempt_timeout).await?;
    if !answer.status().is_success() {
        return Err(FetchKeysError::Status(answer.status().as_u16()));
    }
    let keys = parse(answer.body())?;
    // With an empty set we would refuse Microsoft's own calls.
    if keys.is_empty() && !may_be_empty { Err(FetchKeysError::Empty) } else { Ok(keys) }
}

/// Reads a key set. Keys of other kinds and for other uses are left out.
fn parse(body: &[u8]) -> Result<Keys, FetchKeysError> {
    #[derive(Deserialize)]
    struct Body {
        keys: Vec<Box<RawValue>>,
    }
    #[derive(Deserialize)]
    struct Key {
        kid: String,
        kty: String,
        n: String,
        e: String,
        #[serde(rename = "use")]
        usage: Option<String>,
    }
    let body: Body = object(body).ok_or(FetchKeysError::Unreadable)?;
    Ok(objects::<Key>(&body.keys)
        .into_iter()
        .filter(|key| key.kty == "RSA" && key.usage.as_deref().is_none_or(|usage| usage == "sig"))
        .filter_map(|key| {
            let decoding = DecodingKey::from_rsa_components(&key.n, &key.e).ok()?;
            Some((key.kid, Arc::new(decoding)))
        })
        .collect())
}
