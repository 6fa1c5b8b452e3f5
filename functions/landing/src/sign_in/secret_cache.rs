//! The application's secret and what the cookies' key is derived from, cached for a while.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use shared::config::{LandingApp, Origin};
use shared::host::clock::Clock;
use shared::host::secret::{ClientSecret, SecretError, UnusableSecret};
use tokio::sync::Mutex;
use uuid::Uuid;

use super::error::Unavailable;
use super::seal::CookieKey;

/// How long the secret is used before it is read again. Longer, and a rotated secret is picked up
/// that much later.
const SECRET_CACHE_TIME: SignedDuration = SignedDuration::from_mins(5);

#[derive(Clone)]
struct Cached {
    secret: SecretString,
    cookie_key: SecretString,
    read_at: Timestamp,
}

pub(super) struct SecretCache {
    secret: ClientSecret,
    cookie_key: Option<ClientSecret>,
    client_id: Uuid,
    cached: Mutex<Option<Cached>>,
    clock: Arc<dyn Clock>,
}

impl SecretCache {
    pub(super) fn new(app: &LandingApp, clock: Arc<dyn Clock>) -> Self {
        Self {
            secret: app.secret.clone(),
            cookie_key: app.cookie_key.clone(),
            client_id: app.client_id,
            cached: Mutex::default(),
            clock,
        }
    }

    /// The application's secret, and the key of the cookies at an origin.
    pub(super) async fn read(
        &self,
        origin: &Origin,
    ) -> Result<(SecretString, CookieKey), Unavailable> {
        let Cached { secret, cookie_key, .. } = self.cached().await?;
        let key = CookieKey::derive(cookie_key.expose_secret(), self.client_id, origin.as_str());
        Ok((secret, key))
    }

    async fn cached(&self) -> Result<Cached, Unavailable> {
        let mut cached = self.cached.lock().await;
        let now = self.clock.now();
        let is_fresh = |cached: &&Cached| now.duration_since(cached.read_at) < SECRET_CACHE_TIME;
        if let Some(cached) = cached.as_ref().filter(is_fresh) {
            return Ok(cached.clone());
        }
        let (secret, cookie_key) = tokio::join!(self.secret.read(), self.read_cookie_key());
        let secret = secret?;
        let cookie_key = cookie_key?.unwrap_or_else(|| secret.clone());
        Ok(cached.insert(Cached { secret, cookie_key, read_at: now }).clone())
    }

    /// `None` where the cookies have no key of their own.
    async fn read_cookie_key(&self) -> Result<Option<SecretString>, SecretError> {
        let Some(key) = &self.cookie_key else { return Ok(None) };
        match key.read().await {
            Ok(key) => Ok(Some(key)),
            // JSON that a person wrote need not hold one.
            Err(SecretError::Unusable(UnusableSecret::NoMember(_))) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
