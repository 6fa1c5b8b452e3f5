//! The application's secret and the cookies' key, cached for a while.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use shared::host::clock::Clock;
use shared::host::secret::ClientSecret;
use tokio::sync::Mutex;

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
    cached: Mutex<Option<Cached>>,
    clock: Arc<dyn Clock>,
}

impl SecretCache {
    pub(super) fn new(secret: ClientSecret, clock: Arc<dyn Clock>) -> Self {
        Self { secret, cached: Mutex::default(), clock }
    }

    pub(super) async fn read(&self) -> Result<(SecretString, Arc<CookieKey>), Unavailable> {
        let mut cached = self.cached.lock().await;
        let now = self.clock.now();
        let is_fresh = |cached: &&Cached| now.duration_since(cached.read_at) < SECRET_CACHE_TIME;
        if let Some(cached) = cached.as_ref().filter(is_fresh) {
            return Ok((cached.secret.clone(), cached.key.clone()));
        }
        let secret = self.secret.read().await?;
        let key = Arc::new(CookieKey::derive(secret.expose_secret()));
        *cached = Some(Cached { secret: secret.clone(), key: key.clone(), read_at: now });
        Ok((secret, key))
    }
}
