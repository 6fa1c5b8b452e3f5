//! Who signed in on the landing page: the check of Entra's id tokens (F-LP-6, F-LP-8).

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use jsonwebtoken::dangerous::insecure_decode;
use jsonwebtoken::{Algorithm, decode, decode_header};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::keys::{KeyError, SigningKeys};
use super::ring_jwt;
use super::webhook_token::{LEEWAY, LONGEST_TOKEN, Refused, signature_alone};
use crate::domain::Account;
use crate::lenient::lenient;
use crate::outbound::Transport;
use crate::retry::RetryPolicy;
use crate::system::System;

/// Buyers come from any tenant, each with keys of its own. Fewer, and a busy page fetches keys it
/// had; more, and whoever signs in from many tenants fills a small function's memory.
const MOST_TENANTS: usize = 64;

/// Somebody whom Entra signed in. Made by [`IdTokenVerifier`] alone, or read back from where it was
/// sealed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Person {
    /// Who they are.
    pub account: Account,
    /// What they are called; for the page, never an identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What they sign in with; for the page, never an identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
}

/// Names and addresses stay out of every log.
impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Person").field("account", &self.account).finish_non_exhaustive()
    }
}

/// Checks the id tokens of one application, whatever tenant they come from.
pub struct IdTokenVerifier {
    transport: Arc<dyn Transport>,
    authority: String,
    client_id: Uuid,
    retry: RetryPolicy,
    system: Arc<dyn System>,
    keys: Mutex<HashMap<Uuid, Arc<SigningKeys>>>,
}

/// The claims that are looked at. A claim that stands twice fails the token.
#[derive(Deserialize)]
struct Claims {
    aud: Uuid,
    iss: String,
    tid: Uuid,
    nonce: String,
    exp: i64,
    iat: i64,
    #[serde(default)]
    nbf: Option<i64>,
    #[serde(default)]
    ver: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    oid: Option<Uuid>,
    #[serde(default, deserialize_with = "lenient")]
    name: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    preferred_username: Option<String>,
}

impl IdTokenVerifier {
    /// A verifier for tokens that `authority` makes out to `client_id`.
    pub fn new(
        transport: Arc<dyn Transport>,
        authority: String,
        client_id: Uuid,
        retry: RetryPolicy,
        system: Arc<dyn System>,
    ) -> Self {
        ring_jwt::install();
        Self { transport, authority, client_id, retry, system, keys: Mutex::default() }
    }

    /// Checks signature, issuer, audience, nonce and times.
    ///
    /// `is_nonce` compares the token's nonce with the one of the round trip, without telling by its
    /// duration how much of it was right.
    pub async fn verify(
        &self,
        token: &str,
        is_nonce: impl Fn(&str) -> bool + Send,
    ) -> Result<Person, Refused> {
        #[derive(Deserialize)]
        struct Claimed {
            tid: Uuid,
        }
        if token.len() > LONGEST_TOKEN {
            return Err(Refused::Invalid("too long"));
        }
        let header = decode_header(token).map_err(|_| Refused::Invalid("not a JWT"))?;
        if header.alg != Algorithm::RS256 {
            return Err(Refused::Invalid("not signed with RS256"));
        }
        let kid = header.kid.ok_or(Refused::Invalid("names no key"))?;
        // Not trusted yet: a GUID that says whose keys to ask Entra for, and held against the
        // issuer once the signature is known to be by one of those.
        let claimed = insecure_decode::<Claimed>(token)
            .map_err(|_| Refused::Invalid("names no tenant"))?
            .claims
            .tid;
        let key = self.keys_of(claimed).get(&kid).await.map_err(|error| match error {
            KeyError::Unknown => Refused::Invalid("signed with an unknown key"),
            KeyError::Unavailable(reason) => Refused::Unknown(reason),
        })?;
        let token = decode::<Claims>(token, &key, &signature_alone())
            .map_err(|_| Refused::Invalid("a bad signature or unreadable claims"))?;
        self.check(token.claims, is_nonce)
    }

    fn check(&self, claims: Claims, is_nonce: impl Fn(&str) -> bool) -> Result<Person, Refused> {
        if claims.aud != self.client_id {
            return Err(Refused::Invalid("another audience"));
        }
        // Per tenant, and exactly: a multitenant application may be handed any tenant's token, and
        // only the issuer ties the tenant to its keys.
        if claims.iss != format!("{}/{}/v2.0", self.authority, claims.tid) {
            return Err(Refused::Invalid("another issuer"));
        }
        if claims.ver.is_some_and(|ver| ver != "2.0") {
            return Err(Refused::Invalid("the version contradicts the issuer"));
        }
        if !is_nonce(&claims.nonce) {
            return Err(Refused::Invalid("another nonce"));
        }
        let now = self.system.now();
        let time =
            |seconds| Timestamp::from_second(seconds).map_err(|_| Refused::Invalid("absurd times"));
        if now.duration_since(time(claims.exp)?) >= LEEWAY {
            return Err(Refused::Invalid("expired"));
        }
        for begins in [Some(claims.iat), claims.nbf].into_iter().flatten() {
            if time(begins)?.duration_since(now) > LEEWAY {
                return Err(Refused::Invalid("not valid yet"));
            }
        }
        Ok(Person {
            account: Account { tenant_id: claims.tid, object_id: claims.oid },
            name: claims.name,
            username: claims.preferred_username,
        })
    }

    fn keys_of(&self, tenant: Uuid) -> Arc<SigningKeys> {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if keys.len() >= MOST_TENANTS && !keys.contains_key(&tenant) {
            keys.clear();
        }
        let of_tenant = keys.entry(tenant).or_insert_with(|| {
            let (transport, system) = (self.transport.clone(), self.system.clone());
            let tenant = tenant.to_string();
            Arc::new(SigningKeys::new(transport, &self.authority, &tenant, self.retry, system))
        });
        Arc::clone(of_tenant)
    }
}

#[cfg(test)]
mod tests;
