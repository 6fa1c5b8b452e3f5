//! Purchase tokens and sign-in codes that Microsoft refused for good. The landing page remembers them, so
//! that each costs Microsoft's quota once, however often it comes.

use std::fmt;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use ring::digest::{Context, SHA256};

use super::StoreError;
use crate::domain::Account;

/// How long a refusal is remembered. What Microsoft refuses as invalid or expired stays so (F-RES-8). If
/// Microsoft was wrong, this is how long a buyer waits at most; a new link from Microsoft (F-RES-9) is another
/// token, and works at once.
pub const REFUSAL_LIFETIME: SignedDuration = SignedDuration::from_hours(1);

/// What Microsoft refused, as a digest: neither the token nor the account can be read from it (F-RES-11).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Refused(String);

impl Refused {
    /// A purchase token that a signed-in account brought. Other accounts are not affected.
    pub fn purchase_token(account: &Account, token: &str) -> Self {
        let object = account.object_id.unwrap_or_default();
        let tenant = account.tenant_id;
        Self::digest(&["purchase token", &tenant.to_string(), &object.to_string(), token])
    }

    /// A code of Entra's that came back to the sign-in with this state. In another sign-in, the code may be
    /// valid.
    pub fn sign_in_code(state: &str, code: &str) -> Self {
        Self::digest(&["sign-in code", state, code])
    }

    fn digest(parts: &[&str]) -> Self {
        let mut context = Context::new(&SHA256);
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part.as_bytes());
        }
        Self(URL_SAFE_NO_PAD.encode(context.finish()))
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The table, as the landing page sees it beside [`Store`](super::Store).
///
/// A refusal that is as old as [`REFUSAL_LIFETIME`] MUST count as absent, even if it is still in the table.
#[async_trait]
pub trait Refusals: Send + Sync {
    async fn is_refused(&self, refused: &Refused, now: Timestamp) -> Result<bool, StoreError>;

    /// Remembers a refusal from now on.
    async fn remember(&self, refused: &Refused, now: Timestamp) -> Result<(), StoreError>;
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_digest_differs_by_account_token_and_purpose_and_shows_none_of_them() {
        let account = |tenant: u128, object: Option<u128>| Account {
            tenant_id: Uuid::from_u128(tenant),
            object_id: object.map(Uuid::from_u128),
        };
        let digests = [
            Refused::purchase_token(&account(1, Some(2)), "token"),
            Refused::purchase_token(&account(1, Some(3)), "token"),
            Refused::purchase_token(&account(2, Some(2)), "token"),
            Refused::purchase_token(&account(1, None), "token"),
            Refused::purchase_token(&account(1, Some(2)), "token2"),
            Refused::sign_in_code("state", "code"),
            Refused::sign_in_code("statec", "ode"),
        ];
        for (number, one) in digests.iter().enumerate() {
            assert_eq!(one.to_string().len(), 43, "{one}");
            assert!(!digests[..number].contains(one), "{one}");
        }
        assert_eq!(digests[0], Refused::purchase_token(&account(1, Some(2)), "token"));
    }
}
