//! Verifies Entra's id tokens: who signed in (F-LP-6, F-LP-8).

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use jsonwebtoken::dangerous::insecure_decode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::jwt::{check_times, key_id, signed_claims};
use super::keys::SigningKeys;
use super::refused::{InvalidToken, Refused, UnverifiedToken};
use super::ring_jwt;
use crate::domain::Account;
use crate::host::clock::Clock;
use crate::host::http_client::Transport;
use crate::host::retry::RetryPolicy;
use crate::lenient::lenient;

/// The tenants whose keys are cached. With fewer, a busy page fetches keys that it had before. With
/// more, sign-ins from many tenants fill a small function's memory.
const MOST_TENANTS: usize = 64;

/// A person whom Entra signed in. Only [`IdTokenVerifier`] makes one; the landing page keeps it in
/// a sealed cookie, without the roles.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Person {
    pub account: Account,
    /// For the page; never an identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The sign-in name. For the page; never an identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The values of the application's roles that the person has in the application's one tenant. Empty
    /// where the application is open to every tenant, because each tenant's own administrators assign
    /// roles.
    #[serde(skip)]
    pub roles: BTreeSet<String>,
}

/// Names and addresses stay out of every log.
impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Person").field("account", &self.account).finish_non_exhaustive()
    }
}

/// Verifies the id tokens of one application, from every tenant or from one.
pub struct IdTokenVerifier {
    transport: Arc<dyn Transport>,
    authority: String,
    client_id: Uuid,
    /// The one tenant whose tokens are accepted; `None`: every tenant's.
    only: Option<Uuid>,
    retry: RetryPolicy,
    clock: Arc<dyn Clock>,
    keys: Mutex<HashMap<Uuid, Arc<SigningKeys>>>,
}

/// A token with one of these claims twice is refused.
#[derive(Clone, Deserialize)]
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
    #[serde(default)]
    roles: Value,
}

impl IdTokenVerifier {
    /// Accepts the tokens of every tenant.
    pub fn new(
        transport: Arc<dyn Transport>,
        authority: String,
        client_id: Uuid,
        retry: RetryPolicy,
        clock: Arc<dyn Clock>,
    ) -> Self {
        ring_jwt::install();
        let (only, keys) = (None, Mutex::default());
        Self { transport, authority, client_id, only, retry, clock, keys }
    }

    /// Accepts this tenant's tokens alone. Each must name the person's object id, and may name roles.
    #[must_use]
    pub fn of_tenant(self, tenant: Uuid) -> Self {
        Self { only: Some(tenant), ..self }
    }

    /// Checks signature, issuer, audience, nonce and times.
    ///
    /// `is_nonce` compares the token's nonce with the one of the round trip, in constant time.
    pub async fn verify(
        &self,
        token: UnverifiedToken<'_>,
        is_nonce: impl Fn(&str) -> bool + Send,
    ) -> Result<Person, Refused> {
        let key_id = key_id(token)?;
        let tenant = claimed_tenant(token)?;
        self.check_tenant(tenant)?;
        let key = self.keys_of(tenant).get(&key_id).await?;
        Ok(self.check(signed_claims(token, &key)?, is_nonce)?)
    }

    fn check(
        &self,
        claims: Claims,
        is_nonce: impl Fn(&str) -> bool,
    ) -> Result<Person, InvalidToken> {
        if claims.aud != self.client_id {
            return Err(InvalidToken::OtherAudience);
        }
        self.check_tenant(claims.tid)?;
        // Exactly, and per tenant: a multitenant application may be handed any tenant's token, and
        // only the issuer ties the tenant to its keys.
        if claims.iss != format!("{}/{}/v2.0", self.authority, claims.tid) {
            return Err(InvalidToken::OtherIssuer);
        }
        if claims.ver.is_some_and(|ver| ver != "2.0") {
            return Err(InvalidToken::OtherVersion);
        }
        if !is_nonce(&claims.nonce) {
            return Err(InvalidToken::OtherNonce);
        }
        let begins = [Some(claims.iat), claims.nbf].into_iter().flatten();
        check_times(claims.exp, begins, self.clock.now())?;
        let roles = match self.only {
            None => BTreeSet::new(),
            Some(_) if claims.oid.is_none() => return Err(InvalidToken::NoObject),
            Some(_) => app_roles(claims.roles)?,
        };
        Ok(Person {
            account: Account { tenant_id: claims.tid, object_id: claims.oid },
            name: claims.name,
            username: claims.preferred_username,
            roles,
        })
    }

    fn check_tenant(&self, tenant: Uuid) -> Result<(), InvalidToken> {
        match self.only {
            Some(only) if only != tenant => Err(InvalidToken::OtherTenant),
            Some(_) | None => Ok(()),
        }
    }

    fn keys_of(&self, tenant: Uuid) -> Arc<SigningKeys> {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if keys.len() >= MOST_TENANTS && !keys.contains_key(&tenant) {
            keys.clear();
        }
        let of_tenant = keys.entry(tenant).or_insert_with(|| {
            let (transport, clock) = (self.transport.clone(), self.clock.clone());
            let Self { authority, client_id, retry, .. } = self;
            Arc::new(SigningKeys::new(transport, authority, tenant, *client_id, *retry, clock))
        });
        Arc::clone(of_tenant)
    }
}

/// Entra leaves the claim out for a person without a role, and otherwise lists the roles' values (F-ROLE-2).
fn app_roles(claim: Value) -> Result<BTreeSet<String>, InvalidToken> {
    match claim {
        Value::Null => Ok(BTreeSet::new()),
        claim => serde_json::from_value(claim).map_err(|_| InvalidToken::RolesNotText),
    }
}

/// The tenant whose keys to fetch. It is not trusted: once the signature is verified, the issuer
/// must name the same tenant.
fn claimed_tenant(token: UnverifiedToken<'_>) -> Result<Uuid, InvalidToken> {
    #[derive(Deserialize)]
    struct Claimed {
        tid: Uuid,
    }
    let claimed = insecure_decode::<Claimed>(token.0).map_err(|_| InvalidToken::NoTenant)?;
    Ok(claimed.claims.tid)
}

#[cfg(test)]
mod tests;
