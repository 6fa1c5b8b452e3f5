//! One published list of keys, cached.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::DecodingKey;
use thiserror::Error;
use tracing::{info, warn};

use super::jwks::{FetchKeysError, Keys, fetch};
use crate::host::clock::Clock;
use crate::host::error_class::ErrorClass;
use crate::host::http_client::Transport;
use crate::host::retry::{RetryPolicy, retry};

/// Older keys are fetched again: a withdrawn key must not verify forever.
const MAX_AGE: SignedDuration = SignedDuration::from_hours(24);

/// How often a list is fetched within [`WINDOW`], for all key ids together. If it were more, a
/// flood of invented ids would become a flood at Entra. If it were one, a single invented id would
/// keep calls that are signed with a new key waiting.
const MOST_FETCHES: usize = 5;
const WINDOW: SignedDuration = SignedDuration::from_secs(60);

/// The least time after a failed fetch: until the next one, no call can be verified.
const COOLDOWN_AFTER_FAILURE: SignedDuration = SignedDuration::from_secs(2);

/// Why there is no key for an id.
#[derive(Clone, Debug, Error)]
pub enum SigningKeyError {
    /// Entra does not publish such a key.
    #[error("unknown signing key")]
    Unknown,
    /// We hold Entra's current keys, this one is not among them, and we can't fetch them again at
    /// the moment. An invented id leads here as well as a new key.
    #[error("unknown signing key; could not fetch Entra's keys again: {0}")]
    Unconfirmed(#[source] Arc<FetchKeysError>),
    /// We hold no keys, so we can verify no token.
    #[error("could not fetch Entra's signing keys: {0}")]
    Unavailable(#[source] Arc<FetchKeysError>),
}

impl SigningKeyError {
    pub fn class(&self) -> ErrorClass {
        match self {
            // The caller's fault, and no error of ours.
            Self::Unknown => ErrorClass::Refused,
            Self::Unconfirmed(error) | Self::Unavailable(error) => error.class(),
        }
    }
}

pub(super) struct KeySet {
    pub(super) transport: Arc<dyn Transport>,
    pub(super) url: String,
    pub(super) retry: RetryPolicy,
    pub(super) clock: Arc<dyn Clock>,
    /// Whether Entra may publish no key here.
    pub(super) may_be_empty: bool,
    pub(super) cached: Mutex<Cached>,
    /// Locked during a fetch, so that concurrent calls use its result. A call whose key is cached
    /// doesn't wait for it.
    pub(super) fetching: tokio::sync::Mutex<()>,
}

#[derive(Default)]
pub(super) struct Cached {
    keys: Keys,
    fetched_at: Option<Timestamp>,
    /// When the last fetches succeeded, the newest last.
    recent: VecDeque<Timestamp>,
    failure: Option<(Timestamp, Arc<FetchKeysError>)>,
    /// The number of fetches that have ended.
    fetches: u64,
}

impl Cached {
    fn is_current(&self, now: Timestamp) -> bool {
        self.fetched_at.is_some_and(|at| now.duration_since(at) < MAX_AGE)
    }

    fn key(&self, kid: &str, now: Timestamp) -> Option<Arc<DecodingKey>> {
        self.keys.get(kid).filter(|_| self.is_current(now)).cloned()
    }

    /// Why the list must not be fetched now.
    fn refusal(&self, now: Timestamp) -> Option<Arc<FetchKeysError>> {
        if let Some((at, error)) = &self.failure
            && now.duration_since(*at) < COOLDOWN_AFTER_FAILURE
        {
            return Some(Arc::clone(error));
        }
        let recent = self.recent.iter().filter(|at| now.duration_since(**at) < WINDOW);
        (recent.count() >= MOST_FETCHES).then(|| Arc::new(FetchKeysError::TooMany))
    }

    fn succeeded(&mut self, keys: Keys, now: Timestamp) {
        if self.recent.len() >= MOST_FETCHES {
            self.recent.pop_front();
        }
        self.recent.push_back(now);
        (self.keys, self.fetched_at, self.failure) = (keys, Some(now), None);
    }
}

impl KeySet {
    /// The key of this id, if it is cached.
    pub(super) fn cached(&self, kid: &str) -> Option<Arc<DecodingKey>> {
        self.lock().key(kid, self.clock.now())
    }

    pub(super) fn is_current(&self) -> bool {
        self.lock().is_current(self.clock.now())
    }

    /// How many fetches have ended.
    pub(super) fn fetches(&self) -> u64 {
        self.lock().fetches
    }

    /// The key of this id, after the list has been fetched again by this or another call.
    /// `ended_before` is the number of fetches that had ended when this call began.
    pub(super) async fn look_up(
        &self,
        kid: &str,
        ended_before: u64,
    ) -> Result<Arc<DecodingKey>, SigningKeyError> {
        let _turn = self.fetching.lock().await;
        let now = self.clock.now();
        {
            let cached = self.lock();
            if let Some(key) = cached.key(kid, now) {
                return Ok(key);
            }
            // Another call has fetched the list meanwhile.
            let is_fresh = cached.fetches != ended_before && cached.failure.is_none();
            if is_fresh {
                return Err(SigningKeyError::Unknown);
            }
            if let Some(refusal) = cached.refusal(now) {
                return Err(SigningKeyError::Unavailable(refusal));
            }
        }
        self.fetch(kid).await
    }

    async fn fetch(&self, kid: &str) -> Result<Arc<DecodingKey>, SigningKeyError> {
        let asked_at = self.clock.now();
        let attempt = || fetch(&*self.transport, &self.url, &self.retry, self.may_be_empty);
        let fetched = retry(&*self.clock, &self.retry, attempt).await;
        let mut cached = self.lock();
        cached.fetches += 1;
        match fetched {
            Ok(keys) => {
                info!(keys = keys.len(), "fetched Entra's signing keys");
                cached.succeeded(keys, asked_at);
                cached.keys.get(kid).cloned().ok_or(SigningKeyError::Unknown)
            }
            Err(error) => {
                warn!(
                    %error, class = error.class().name(),
                    "could not fetch Entra's signing keys"
                );
                let error = Arc::new(error);
                cached.failure = Some((self.clock.now(), Arc::clone(&error)));
                Err(SigningKeyError::Unavailable(error))
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Cached> {
        self.cached.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
