//! Whether a caller of the webhook is Microsoft (F-WHJ).

use http::HeaderMap;
use http::header::AUTHORIZATION;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use serde::Deserialize;
use thiserror::Error;
use uuid::Uuid;

use super::keys::{KeyError, SigningKeys};
use super::ring_jwt;

/// How far Entra's clock and ours may differ. Entra's own libraries allow five minutes; every
/// second here is a second in which an expired token still opens the door (F-WHJ-5).
pub(super) const LEEWAY: SignedDuration = SignedDuration::from_secs(60);

/// Entra's tokens are around two kilobytes; beyond this nothing is decoded.
pub(super) const LONGEST_TOKEN: usize = 16 * 1024;

/// What the token must say, from the offer's technical configuration (F-WHJ-2).
#[derive(Clone, Debug)]
pub struct Expected {
    /// The publisher's tenant.
    pub tenant_id: Uuid,
    /// The publisher's app: the audience.
    pub client_id: Uuid,
    /// Microsoft's marketplace: the caller. A public constant that proves nothing by itself
    /// (F-WHJ-9).
    pub caller: Uuid,
    /// `https://login.microsoftonline.com`, or an emulator; no trailing slash.
    pub authority: String,
}

/// A caller that proved to be Microsoft's marketplace. Made by [`WebhookTokenVerifier`] alone.
#[derive(Debug)]
#[non_exhaustive]
pub struct Caller {
    /// The application that called.
    pub app_id: Uuid,
}

/// Why a caller isn't let in.
#[derive(Debug, Error)]
pub enum Refused {
    /// The token is absent or wrong: 401.
    #[error("not a valid token of Microsoft's marketplace: {0}")]
    Invalid(&'static str),
    /// Whether it's right can't be known now: our own fault, 5xx (F-WHA-13).
    #[error("the token can't be checked: {0}")]
    Unknown(String),
}

/// Takes the token from the one `Authorization` header. The scheme's case doesn't matter.
pub fn bearer_token(headers: &HeaderMap) -> Result<&str, Refused> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(Refused::Invalid("not exactly one Authorization header"));
    };
    let value =
        value.to_str().map_err(|_| Refused::Invalid("the Authorization header is not text"))?;
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim()),
        _ => Err(Refused::Invalid("not a bearer token")),
    }
}

/// Checks the tokens of webhook calls.
pub struct WebhookTokenVerifier {
    keys: SigningKeys,
    expected: Expected,
}

/// The claims that are looked at. A claim that stands twice fails the token.
#[derive(Deserialize)]
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
    /// A verifier with Entra's keys.
    pub fn new(keys: SigningKeys, expected: Expected) -> Self {
        ring_jwt::install();
        Self { keys, expected }
    }

    /// Checks signature, issuer, audience, tenant, caller and times; version 1 and 2 (F-WHJ-2,
    /// F-WHJ-3).
    pub async fn verify(&self, token: &str, now: Timestamp) -> Result<Caller, Refused> {
        if token.len() > LONGEST_TOKEN {
            return Err(Refused::Invalid("too long"));
        }
        let header = decode_header(token).map_err(|_| Refused::Invalid("not a JWT"))?;
        if header.alg != Algorithm::RS256 {
            return Err(Refused::Invalid("not signed with RS256"));
        }
        // Keys that the token itself brings or points to (`jwk`, `jku`, `x5u`, `x5c`) are never
        // looked at: only the published key of this name verifies.
        let kid = header.kid.ok_or(Refused::Invalid("names no key"))?;
        let key = self.keys.get(&kid).await.map_err(|error| match error {
            KeyError::Unknown => Refused::Invalid("signed with an unknown key"),
            KeyError::Unavailable(reason) => Refused::Unknown(reason),
        })?;
        let token = decode::<Claims>(token, &key, &signature_alone())
            .map_err(|_| Refused::Invalid("a bad signature or unreadable claims"))?;
        self.check(&token.claims, now)
    }

    fn check(&self, claims: &Claims, now: Timestamp) -> Result<Caller, Refused> {
        let Expected { tenant_id, client_id, caller, authority } = &self.expected;
        if claims.aud != *client_id {
            return Err(Refused::Invalid("another audience"));
        }
        if claims.tid != *tenant_id {
            return Err(Refused::Invalid("another tenant"));
        }
        let v1 = format!("https://sts.windows.net/{tenant_id}/");
        let v2 = format!("{authority}/{tenant_id}/v2.0");
        // The issuer tells the version, and the version tells where the caller is named.
        let (version, named, other) = if claims.iss.eq_ignore_ascii_case(&v1) {
            ("1.0", claims.appid, claims.azp)
        } else if claims.iss.eq_ignore_ascii_case(&v2) {
            ("2.0", claims.azp, claims.appid)
        } else {
            return Err(Refused::Invalid("another issuer"));
        };
        if claims.ver.as_deref().is_some_and(|ver| ver != version) {
            return Err(Refused::Invalid("the version contradicts the issuer"));
        }
        if named != Some(*caller) || other.is_some_and(|other| other != *caller) {
            return Err(Refused::Invalid("another caller"));
        }
        let time =
            |seconds| Timestamp::from_second(seconds).map_err(|_| Refused::Invalid("absurd times"));
        if now.duration_since(time(claims.exp)?) >= LEEWAY {
            return Err(Refused::Invalid("expired"));
        }
        if let Some(nbf) = claims.nbf
            && time(nbf)?.duration_since(now) > LEEWAY
        {
            return Err(Refused::Invalid("not valid yet"));
        }
        Ok(Caller { app_id: *caller })
    }
}

/// The library checks the signature; the claims are checked here, since it knows neither our clock
/// nor two forms of one token.
pub(super) fn signature_alone() -> Validation {
    let mut validation = Validation::new(Algorithm::RS256);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation
}

#[cfg(test)]
mod tests;
