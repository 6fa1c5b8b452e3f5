//! Entra's signing keys, cached.

mod jwks;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::DecodingKey;
use thiserror::Error;
use tokio::sync::Mutex;
use tracing::{info, warn};

pub use self::jwks::FetchKeysError;
use self::jwks::{Keys, fetch};
use crate::host::clock::Clock;
use crate::host::http_client::Transport;
use crate::host::retry::{RetryPolicy, retry};

/// Older keys are fetched again: a withdrawn key must not verify forever.
const MAX_AGE: SignedDuration = SignedDuration::from_hours(24);

/// The least time between two fetches, for all key ids together. If it were shorter, a flood of
/// forged ids would become a flood at Entra. If it were longer, calls signed with a new key would
/// be refused for longer. Microsoft publishes a key long before it signs with it, so one minute
/// does no harm.
const COOLDOWN: SignedDuration = SignedDuration::from_secs(60);

/// The least time after a failed fetch: until the next one, no call can be verified.
const COOLDOWN_AFTER_FAILURE: SignedDuration = SignedDuration::from_secs(2);

/// Why there is no key for an id.
#[derive(Clone, Debug, Error)]
pub enum SigningKeyError {
    /// Entra does not publish such a key.
    #[error("unknown signing key")]
    Unknown,
    /// We can't know at the moment whether it does.
    #[error("could not fetch Entra's signing keys: {0}")]
    Unavailable(#[source] Arc<FetchKeysError>),
}

/// The published keys of one tenant (F-WHJ-4).
pub struct SigningKeys {
    transport: Arc<dyn Transport>,
    url: String,
    retry: RetryPolicy,
    clock: Arc<dyn Clock>,
    /// Locked during a fetch, so that concurrent calls use its result.
    cached: Mutex<Cached>,
}

#[derive(Default)]
struct Cached {
    keys: Keys,
    fetched_at: Option<Timestamp>,
    failure: Option<(Timestamp, Arc<FetchKeysError>)>,
}

impl Cached {
    fn age(&self, now: Timestamp) -> Option<SignedDuration> {
        self.fetched_at.map(|at| now.duration_since(at))
    }

    fn is_current(&self, now: Timestamp) -> bool {
        self.age(now).is_some_and(|age| age < MAX_AGE)
    }

    fn was_fetched_just_now(&self, now: Timestamp) -> bool {
        self.age(now).is_some_and(|age| age < COOLDOWN)
    }

    fn failed_just_now(&self, now: Timestamp) -> Option<Arc<FetchKeysError>> {
        let (at, error) = self.failure.as_ref()?;
        (now.duration_since(*at) < COOLDOWN_AFTER_FAILURE).then(|| Arc::clone(error))
    }
}

impl SigningKeys {
    /// The keys that `authority` publishes for `tenant_id`.
    ///
    /// The address is the `jwks_uri` of the tenant's discovery documents, which has not moved in
    /// ten years. Fetching the document first would cost a cold function one more of its ten
    /// seconds' round trips.
    pub fn new(
        transport: Arc<dyn Transport>,
        authority: &str,
        tenant_id: &str,
        retry: RetryPolicy,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let url = format!("{authority}/{tenant_id}/discovery/v2.0/keys");
        Self { transport, url, retry, clock, cached: Mutex::default() }
    }

    pub async fn get(&self, kid: &str) -> Result<Arc<DecodingKey>, SigningKeyError> {
        let mut cached = self.cached.lock().await;
        let now = self.clock.now();
        if let Some(key) = cached.keys.get(kid)
            && cached.is_current(now)
        {
            return Ok(Arc::clone(key));
        }
        if let Some(error) = cached.failed_just_now(now) {
            return Err(SigningKeyError::Unavailable(error));
        }
        if cached.was_fetched_just_now(now) {
            return Err(SigningKeyError::Unknown);
        }
        let fetched =
            retry(&*self.clock, &self.retry, || fetch(&*self.transport, &self.url, &self.retry));
        match fetched.await {
            Ok(keys) => {
                info!(keys = keys.len(), "fetched Entra's signing keys");
                *cached = Cached { keys, fetched_at: Some(now), failure: None };
                cached.keys.get(kid).cloned().ok_or(SigningKeyError::Unknown)
            }
            Err(error) => {
                warn!(%error, "could not fetch Entra's signing keys");
                let error = Arc::new(error);
                cached.failure = Some((self.clock.now(), Arc::clone(&error)));
                Err(SigningKeyError::Unavailable(error))
            }
        }
    }
}

#[cfg(test)]
mod tests;
