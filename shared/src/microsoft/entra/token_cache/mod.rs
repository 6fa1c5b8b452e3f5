//! One access token for all calls.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use tracing::{debug, warn};

use super::token::{AccessToken, TokenError, TokenProvider};
use crate::host::clock::Clock;

/// Tokens are replaced this long before they expire, so that none expires on its way to Microsoft
/// (F-AUTH-5). A token that lives less than twice as long is replaced after half of its life.
const REFRESH_AHEAD: SignedDuration = SignedDuration::from_mins(5);

/// After a failed refresh, a token that is still valid is used for this long before the next one.
/// If it were shorter, an outage of Entra would slow down more calls.
const PAUSE_AFTER_FAILURE: SignedDuration = SignedDuration::from_secs(30);

struct Cached {
    token: AccessToken,
    refresh_at: Timestamp,
}

impl Cached {
    fn new(token: AccessToken, now: Timestamp) -> Self {
        let ahead = REFRESH_AHEAD.min(token.expires_at().duration_since(now) / 2);
        Self { refresh_at: token.expires_at() - ahead, token }
    }
}

/// One token for all calls. It is refreshed on use, never in the background: a frozen function runs
/// no tasks.
pub struct TokenCache {
    provider: Arc<dyn TokenProvider>,
    clock: Arc<dyn Clock>,
    cached: Mutex<Option<Cached>>,
    /// Locked while a token is being fetched. A call without a valid token waits for that one; a
    /// call with a valid token doesn't.
    fetching: tokio::sync::Mutex<()>,
}

impl TokenCache {
    pub fn new(provider: Arc<dyn TokenProvider>, clock: Arc<dyn Clock>) -> Self {
        Self { provider, clock, cached: Mutex::default(), fetching: Default::default() }
    }

    /// A token that stays valid for the next calls.
    pub async fn get(&self) -> Result<AccessToken, TokenError> {
        if let Some(token) = self.fresh() {
            return Ok(token);
        }
        let _turn = match (self.fetching.try_lock(), self.valid()) {
            (Ok(turn), _) => turn,
            (Err(_), Some(token)) => return Ok(token),
            (Err(_), None) => self.fetching.lock().await,
        };
        // Another call may have fetched one while this one waited.
        if let Some(token) = self.fresh() {
            return Ok(token);
        }
        // Even a refusal may pass: Entra's servers don't all learn of a new certificate at once.
        self.fetch().await.or_else(|error| self.keep(error))
    }

    /// A token other than `refused`: the cached one if it was renewed meanwhile, or else a fresh
    /// one.
    pub async fn renew(&self, refused: &AccessToken) -> Result<AccessToken, TokenError> {
        let _turn = self.fetching.lock().await;
        {
            let mut cached = self.lock();
            let other = |cached: &&Cached| cached.token.expose() != refused.expose();
            if let Some(cached) = cached.as_ref().filter(other) {
                return Ok(cached.token.clone());
            }
            *cached = None;
        }
        self.fetch().await
    }

    async fn fetch(&self) -> Result<AccessToken, TokenError> {
        let asked_at = self.clock.now();
        let token = self.provider.token().await?;
        debug!(expires_at = %token.expires_at(), "got an access token");
        *self.lock() = Some(Cached::new(token.clone(), asked_at));
        Ok(token)
    }

    /// The current token after a failed refresh, if it is still valid.
    fn keep(&self, error: TokenError) -> Result<AccessToken, TokenError> {
        let now = self.clock.now();
        let mut cached = self.lock();
        let Some(cached) = cached.as_mut().filter(|cached| cached.token.expires_at() > now) else {
            return Err(error);
        };
        let class = error.class();
        warn!(
            %error, class = class.name(), metric = class.metric(),
            "could not refresh the access token; the current one still works"
        );
        cached.refresh_at = now + PAUSE_AFTER_FAILURE;
        Ok(cached.token.clone())
    }

    /// The cached token, unless it is due to be replaced.
    fn fresh(&self) -> Option<AccessToken> {
        let now = self.clock.now();
        let cached = self.lock();
        let cached =
            cached.as_ref().filter(|cached| now < cached.refresh_at.min(cached.token.expires_at()));
        cached.map(|cached| cached.token.clone())
    }

    /// The cached token, if it can still be used.
    fn valid(&self) -> Option<AccessToken> {
        let now = self.clock.now();
        let cached = self.lock();
        let cached = cached.as_ref().filter(|cached| now < cached.token.expires_at());
        cached.map(|cached| cached.token.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Option<Cached>> {
        self.cached.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
