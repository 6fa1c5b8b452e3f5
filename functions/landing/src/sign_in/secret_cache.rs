//! The application's secret and the cookies' key, cached for a while.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use shared::config::{LandingApp, Origin};
use shared::host::clock::Clock;
use shared::host::secret::ClientSecret;
use tokio::sync::Mutex;
use uuid::Uuid;

use super::error::Unavailable;
use super::seal::CookieKey;

/// How long the secret is used before it is read again. Longer, and a rotated secret is picked up
/// that much later.
const SECRET_CACHE_TIME: SignedDuration = SignedDuration::from_mins(5);

struct Cached {
    secret: SecretString,
    key: Arc<CookieKey>,
    read_at: Timestamp,
}

pub(super) struct SecretCache {
    secret: ClientSecret,
    client_id: Uuid,
    origin: Origin,
    cached: Mutex<Option<Cached>>,
    clock: Arc<dyn Clock>,
}

impl SecretCache {
    pub(super) fn new(app: &LandingApp, clock: Arc<dyn Clock>) -> Self {
        Self {
            secret: app.secret.clone(),
            client_id: app.client_id,
            origin: app.origin.clone(),
            cached: Mutex::default(),
            clock,
        }
    }

    pub(super) async fn read(&self) -> Result<(SecretString, Arc<CookieKey>), Unavailable> {
        let mut cached = self.cached.lock().await;
        let now = self.clock.now();
        let is_fresh = |cached: &&Cached| now.duration_since(cached.read_at) < SECRET_CACHE_TIME;
        if let Some(cached) = cached.as_ref().filter(is_fresh) {
            return Ok((cached.secret.clone(), cached.key.clone()));
        }
        let secret = self.secret.read().await?;
        let key =
            CookieKey::derive(secret.expose_secret(), self.client_id, self.origin.as_str()).into();
        let cached = cached.insert(Cached { secret, key, read_at: now });
        Ok((cached.secret.clone(), cached.key.clone()))
    }
}
