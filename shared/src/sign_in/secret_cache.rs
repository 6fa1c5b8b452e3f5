//! The application's credential and what the cookies' key is derived from, cached for a while.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;
use uuid::Uuid;

use super::error::Unavailable;
use super::seal::CookieKeys;
use super::site::Site;
use crate::host::clock::Clock;
use crate::host::origin::Origin;
use crate::host::secret::{ClientSecret, SecretError, UnusableSecret};
use crate::microsoft::entra::{Credential, WebApp, are_cookie_keys};

/// How long they are used before they are read again. Longer, and a rotated secret is picked up
/// that much later.
const CACHE_TIME: SignedDuration = SignedDuration::from_mins(5);

#[derive(Clone)]
struct Cached {
    credential: Credential,
    cookie_key: SecretString,
    read_at: Timestamp,
}

pub(super) struct SecretCache {
    credential: Credential,
    cookie_key: Option<ClientSecret>,
    client_id: Uuid,
    site: &'static Site,
    cached: Mutex<Option<Cached>>,
    clock: Arc<dyn Clock>,
}

impl SecretCache {
    pub(super) fn new(app: &WebApp, site: &'static Site, clock: Arc<dyn Clock>) -> Self {
        Self {
            credential: app.credential.clone(),
            cookie_key: app.cookie_key.clone(),
            client_id: app.client_id,
            site,
            cached: Mutex::default(),
            clock,
        }
    }

    /// The application's credential, and the key of the cookies at an origin.
    pub(super) async fn read(
        &self,
        origin: &Origin,
    ) -> Result<(Credential, CookieKeys), Unavailable> {
        let Cached { credential, cookie_key, .. } = self.cached().await?;
        let (secret, purpose) = (cookie_key.expose_secret(), self.site.cookie_key_purpose);
        let key = CookieKeys::derive(secret, purpose, self.client_id, origin.as_str());
        Ok((credential, key))
    }

    async fn cached(&self) -> Result<Cached, Unavailable> {
        let mut cached = self.cached.lock().await;
        let now = self.clock.now();
        let is_fresh = |cached: &&Cached| now.duration_since(cached.read_at) < CACHE_TIME;
        if let Some(cached) = cached.as_ref().filter(is_fresh) {
            return Ok(cached.clone());
        }
        let (credential, cookie_key) =
            tokio::join!(self.credential.fetched(), self.read_cookie_key());
        let credential = credential?;
        let cookie_key = match (cookie_key?, &credential) {
            (Some(keys), _) if are_cookie_keys(keys.expose_secret()) => keys,
            (Some(_), _) => return Err(Unavailable::ShortCookieKey(self.site)),
            (None, Credential::Secret(ClientSecret::Given(secret))) => secret.clone(),
            (None, _) => return Err(Unavailable::NoCookieKey(self.site)),
        };
        Ok(cached.insert(Cached { credential, cookie_key, read_at: now }).clone())
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
