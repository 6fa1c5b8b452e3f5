//! Entra's signing keys, cached.

mod jwks;
mod key_set;

use std::sync::Arc;

use jsonwebtoken::DecodingKey;
use uuid::Uuid;

pub use self::jwks::FetchKeysError;
use self::key_set::KeySet;
pub use self::key_set::SigningKeyError;
use crate::host::clock::Clock;
use crate::host::http_client::Transport;
use crate::host::retry::RetryPolicy;

/// The keys that Entra publishes for one tenant, and those that it publishes for one of the
/// tenant's applications only (F-WHJ-4, F-WHJ-10).
pub struct SigningKeys {
    tenant: KeySet,
    application: KeySet,
}

impl SigningKeys {
    /// The keys of tokens that `authority` issues in `tenant_id` for the application `client_id`.
    ///
    /// The address is the `jwks_uri` of the tenant's discovery documents, which has not moved in
    /// ten years. Fetching the document first would cost a cold function one more of its ten
    /// seconds' round trips.
    pub fn new(
        transport: Arc<dyn Transport>,
        authority: &str,
        tenant_id: Uuid,
        client_id: Uuid,
        retry: RetryPolicy,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let key_set = |query: &str, may_be_empty| KeySet {
            transport: transport.clone(),
            url: format!("{authority}/{tenant_id}/discovery/v2.0/keys{query}"),
            retry,
            clock: clock.clone(),
            may_be_empty,
            cached: Default::default(),
            fetching: Default::default(),
        };
        Self {
            tenant: key_set("", false),
            application: key_set(&format!("?appid={client_id}"), true),
        }
    }

    /// The key of this id. A cached key is returned at once, even while another call fetches.
    pub async fn get(&self, kid: &str) -> Result<Arc<DecodingKey>, SigningKeyError> {
        if let Some(key) = self.tenant.cached(kid).or_else(|| self.application.cached(kid)) {
            return Ok(key);
        }
        let ended_before = [self.tenant.fetches(), self.application.fetches()];
        let found = match self.tenant.look_up(kid, ended_before[0]).await {
            Err(SigningKeyError::Unknown) => self.application.look_up(kid, ended_before[1]).await,
            found => found,
        };
        match found {
            Err(SigningKeyError::Unavailable(error)) if self.tenant.is_current() => {
                Err(SigningKeyError::Unconfirmed(error))
            }
            found => found,
        }
    }
}

#[cfg(test)]
mod tests;
