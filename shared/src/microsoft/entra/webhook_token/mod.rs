//! Whether a caller of the webhook is Microsoft (F-WHJ).

use jiff::Timestamp;
use serde::Deserialize;
use uuid::Uuid;

use super::jwt::{check_times, key_id, signed_claims};
use super::keys::SigningKeys;
use super::refused::{InvalidToken, Refused, UnverifiedToken};
use super::ring_jwt;

/// What the token must say, from the offer's technical configuration (F-WHJ-2).
#[derive(Clone, Debug)]
pub struct Expected {
    /// The publisher's tenant.
    pub tenant_id: Uuid,
    /// The publisher's app: the audience.
    pub client_id: Uuid,
    /// Microsoft's marketplace: the caller. A public constant, which proves nothing on its own
    /// (F-WHJ-9).
    pub caller: Uuid,
    /// `https://login.microsoftonline.com`, or an emulator; no trailing slash.
    pub authority: String,
}

/// A caller that proved to be Microsoft's marketplace. Only [`WebhookTokenVerifier`] makes one.
#[derive(Debug)]
#[non_exhaustive]
pub struct Caller {
    /// The application that called.
    pub app_id: Uuid,
}

/// Verifies the tokens of webhook calls.
pub struct WebhookTokenVerifier {
    keys: SigningKeys,
    expected: Expected,
}

/// A token with one of these claims twice is refused.
#[derive(Clone, Deserialize)]
struct Claims {
    aud: Uuid,
    iss: String,
    tid: Uuid,
    exp: i64,
    #[serde(default)]
    nbf: Option<i64>,
    #[serde(default)]
    ver: Option<String>,
    #[serde(default)]
    appid: Option<Uuid>,
    #[serde(default)]
    azp: Option<Uuid>,
}

impl WebhookTokenVerifier {
    pub fn new(keys: SigningKeys, expected: Expected) -> Self {
        ring_jwt::install();
        Self { keys, expected }
    }

    /// Checks signature, issuer, audience, tenant, caller and times; version 1 and 2 (F-WHJ-2,
    /// F-WHJ-3).
    pub async fn verify(
        &self,
        token: UnverifiedToken<'_>,
        now: Timestamp,
    ) -> Result<Caller, Refused> {
        let key = self.keys.get(&key_id(token)?).await?;
        Ok(self.check(&signed_claims(token, &key)?, now)?)
    }

    fn check(&self, claims: &Claims, now: Timestamp) -> Result<Caller, InvalidToken> {
        let Expected { tenant_id, client_id, caller, authority } = &self.expected;
        if claims.aud != *client_id {
            return Err(InvalidToken::OtherAudience);
        }
        if claims.tid != *tenant_id {
            return Err(InvalidToken::OtherTenant);
        }
        let v1 = format!("https://sts.windows.net/{tenant_id}/");
        let v2 = format!("{authority}/{tenant_id}/v2.0");
        // The issuer tells the version, and the version tells which claim names the caller.
        let (version, named, other) = if claims.iss.eq_ignore_ascii_case(&v1) {
            ("1.0", claims.appid, claims.azp)
        } else if claims.iss.eq_ignore_ascii_case(&v2) {
            ("2.0", claims.azp, claims.appid)
        } else {
            return Err(InvalidToken::OtherIssuer);
        };
        if claims.ver.as_deref().is_some_and(|ver| ver != version) {
            return Err(InvalidToken::OtherVersion);
        }
        if named != Some(*caller) || other.is_some_and(|other| other != *caller) {
            return Err(InvalidToken::OtherCaller);
        }
        check_times(claims.exp, claims.nbf, now)?;
        Ok(Caller { app_id: *caller })
    }
}

#[cfg(test)]
mod tests;
