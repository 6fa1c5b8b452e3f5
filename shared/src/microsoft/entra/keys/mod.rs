//! Entra's signing keys, cached.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::DecodingKey;
use serde::Deserialize;
use thiserror::Error;
use tokio::sync::Mutex;
use tracing::{info, warn};

use crate::outbound::{SendError, Transport};
use crate::retry::{RetryPolicy, Transient, retry};
use crate::system::System;

/// Keys older than this are fetched again: a withdrawn key must not verify for ever.
const MAX_AGE: SignedDuration = SignedDuration::from_hours(24);

/// No more than one fetch per this, whatever key ids callers name. Shorter, and a flood of forged
/// ids becomes a flood at Entra; longer, and a new key is unknown, and its calls refused, that much
/// longer. Microsoft publishes a key long before it signs with it, so that this is no loss.
const COOLDOWN: SignedDuration = SignedDuration::from_secs(60);

/// The same after a fetch that failed: nobody can be verified meanwhile.
const COOLDOWN_AFTER_FAILURE: SignedDuration = SignedDuration::from_secs(2);

/// Why a key can't be given.
#[derive(Debug, Error)]
pub enum KeyError {
    /// Entra was asked lately, and publishes no such key.
    #[error("unknown signing key")]
    Unknown,
    /// Whether there is such a key can't be known now.
    #[error("the signing keys can't be had: {0}")]
    Unavailable(String),
}

/// There were no keys in the answer, or no answer. Asking again harms nobody.
struct Unfetched(String);

impl From<SendError> for Unfetched {
    fn from(error: SendError) -> Self {
        Self(error.to_string())
    }
}

impl Transient for Unfetched {
    fn is_transient(&self) -> bool {
        true
    }
}

/// The published keys of one tenant (F-WHJ-4).
pub struct SigningKeys {
    transport: Arc<dyn Transport>,
    url: String,
    retry: RetryPolicy,
    system: Arc<dyn System>,
    /// Held during a fetch: one at a time, and whoever waits uses its result.
    cached: Mutex<Cached>,
}

#[derive(Default)]
struct Cached {
    keys: HashMap<String, Arc<DecodingKey>>,
    fetched_at: Option<Timestamp>,
    failed: Option<(Timestamp, String)>,
}

impl SigningKeys {
    /// The keys `authority` publishes for `tenant_id`.
    ///
    /// The address is the `jwks_uri` of the tenant's discovery documents, which has not moved in
    /// ten years; asking for the document first would cost a cold function one more round trip of
    /// its ten seconds.
    pub fn new(
        transport: Arc<dyn Transport>,
        authority: &str,
        tenant_id: &str,
        retry: RetryPolicy,
        system: Arc<dyn System>,
    ) -> Self {
        let url = format!("{authority}/{tenant_id}/discovery/v2.0/keys");
        Self { transport, url, retry, system, cached: Mutex::default() }
    }

    /// The key with this id.
    pub async fn get(&self, kid: &str) -> Result<Arc<DecodingKey>, KeyError> {
        let mut cached = self.cached.lock().await;
        let now = self.system.now();
        let age = cached.fetched_at.map(|at| now.duration_since(at));
        if let Some(key) = cached.keys.get(kid).filter(|_| age.is_some_and(|age| age < MAX_AGE)) {
            return Ok(Arc::clone(key));
        }
        if let Some((at, reason)) = &cached.failed
            && now.duration_since(*at) < COOLDOWN_AFTER_FAILURE
        {
            return Err(KeyError::Unavailable(reason.clone()));
        }
        if age.is_some_and(|age| age < COOLDOWN) {
            return Err(KeyError::Unknown);
        }
        match retry(&*self.system, &self.retry, || self.fetch()).await {
            Ok(keys) => {
                info!(keys = keys.len(), "fetched Entra's signing keys");
                *cached = Cached { keys, fetched_at: Some(now), failed: None };
                cached.keys.get(kid).cloned().ok_or(KeyError::Unknown)
            }
            Err(Unfetched(reason)) => {
                warn!(%reason, "Entra's signing keys can't be had");
                cached.failed = Some((self.system.now(), reason.clone()));
                Err(KeyError::Unavailable(reason))
            }
        }
    }

    async fn fetch(&self) -> Result<HashMap<String, Arc<DecodingKey>>, Unfetched> {
        #[derive(Deserialize)]
        struct Keys {
            keys: Vec<serde_json::Value>,
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
        let unfetched = |reason: &str| Unfetched(reason.to_owned());
        let request = http::Request::get(&self.url).body(Bytes::new()).map_err(SendError::from)?;
        let answer = self.transport.send(request, self.retry.attempt_timeout).await?;
        let status = answer.status();
        if !status.is_success() {
            return Err(Unfetched(format!("Entra answered {}", status.as_u16())));
        }
        let published: Keys = serde_json::from_slice(answer.body())
            .map_err(|_| unfetched("the answer holds no keys"))?;
        let keys: HashMap<_, _> = published
            .keys
            .into_iter()
            .filter_map(|key| serde_json::from_value::<Key>(key).ok())
            .filter(|key| {
                key.kty == "RSA" && key.usage.as_deref().is_none_or(|usage| usage == "sig")
            })
            .filter_map(|key| {
                let decoding = DecodingKey::from_rsa_components(&key.n, &key.e).ok()?;
                Some((key.kid, Arc::new(decoding)))
            })
            .collect();
        // An empty set would refuse Microsoft's own calls with a 401 for a whole cooldown.
        if keys.is_empty() { Err(unfetched("the answer holds no usable keys")) } else { Ok(keys) }
    }
}

#[cfg(test)]
mod tests;
