//! The tokens that Entra signs for Microsoft and the publisher, and the check at the marketplace.

use super::directory::Entra;
use super::jwt::{self, Draft};
use super::keys;
use crate::settings::TokenVersion;
use serde_json::{Value, json};

impl Entra {
    /// A valid token for a webhook.
    pub fn webhook_token(&mut self, version: TokenVersion) -> String {
        self.webhook_draft(version).signed(self.key())
    }

    /// A token with any claims, signed with the current key.
    pub fn sign(&self, claims: &Value) -> String {
        Draft { header: self.header(), claims: claims.clone() }.signed(self.key())
    }

    /// A token of any two texts, signed with the current key. It can hold what a JSON value cannot,
    /// such as the same claim twice.
    pub fn sign_text(&self, header: &str, claims: &str) -> String {
        jwt::signed_text(header, claims, self.key())
    }

    /// The claims of a valid webhook token, for a test to change and pass to [`Entra::sign`].
    pub fn webhook_claims(&mut self, version: TokenVersion) -> Value {
        self.webhook_draft(version).claims
    }

    /// An access token for the marketplace (F-AUTH-11), without a call of the token endpoint.
    pub fn access_token(&mut self) -> String {
        let claims = self.access_claims();
        self.sign(&claims)
    }

    fn header(&self) -> Value {
        json!({ "typ": "JWT", "alg": "RS256", "x5t": self.key().kid(), "kid": self.key().kid() })
    }

    pub(super) fn webhook_draft(&mut self, version: TokenVersion) -> Draft {
        let issued = self.issued_at();
        let expires = self.expires_at();
        let mut claims = json!({
            "aud": self.client_id,
            "iss": self.issuer(version),
            "iat": issued,
            "exp": expires,
            "aio": format!("{issued:032x}"),
            "oid": self.service_principal,
            "rh": "0.AAAA.",
            "sub": self.service_principal,
            "tid": self.tenant_id,
            "uti": format!("{issued:032x}"),
        });
        match version {
            TokenVersion::V1 => {
                claims["ver"] = json!("1.0");
                claims["nbf"] = json!(issued);
                claims["appid"] = json!(self.marketplace_app_id);
                claims["appidacr"] = json!("2");
                claims["idp"] = claims["iss"].clone();
            }
            // The observed list of claims has no `nbf` (F-WHJ-3).
            TokenVersion::V2 => {
                claims["ver"] = json!("2.0");
                claims["azp"] = json!(self.marketplace_app_id);
                claims["azpacr"] = json!("2");
            }
        }
        Draft { header: self.header(), claims }
    }

    fn access_claims(&mut self) -> Value {
        let issued = self.issued_at();
        json!({
            "aud": self.marketplace_app_id,
            "iss": self.issuer(TokenVersion::V1),
            "iat": issued,
            "nbf": issued,
            "exp": self.expires_at(),
            "appid": self.client_id,
            "appidacr": "1",
            "idp": self.issuer(TokenVersion::V1),
            "oid": self.service_principal,
            "sub": self.service_principal,
            "tid": self.tenant_id,
            "uti": format!("{issued:032x}"),
            "ver": "1.0",
        })
    }

    /// The beginning of the current interval, so that all of its tokens are alike.
    pub(super) fn issued_at(&self) -> i64 {
        let now = self.now.as_second();
        now - now.rem_euclid(self.issuing_interval)
    }

    /// Late enough that a token issued at the interval's end is still valid for its whole lifetime.
    fn expires_at(&self) -> i64 {
        self.issued_at() + self.issuing_interval + self.lifetime_seconds()
    }

    pub(super) fn lifetime_seconds(&self) -> i64 {
        i64::try_from(self.token_lifetime.as_secs()).unwrap_or(i64::MAX / 2)
    }

    /// Whether the marketplace accepts this access token (F-AUTH-11).
    pub(crate) fn accepts_at_marketplace(&self, token: &str) -> bool {
        let Some(parsed) = jwt::parse(token) else {
            return false;
        };
        let text = |name: &str| parsed.claims.get(name).and_then(Value::as_str).unwrap_or_default();
        let number = |name: &str| parsed.claims.get(name).and_then(Value::as_i64);
        let now = self.now.as_second();
        let kid = parsed.header.get("kid").and_then(Value::as_str);
        let key = self
            .published
            .iter()
            .chain(&self.for_applications)
            .map(|turn| keys::rotated(*turn))
            .find(|key| Some(key.kid()) == kid);
        parsed.header.get("alg").and_then(Value::as_str) == Some("RS256")
            && key.is_some_and(|key| key.verifies(parsed.signed.as_bytes(), &parsed.signature))
            && text("aud") == self.marketplace_app_id
            && text("iss") == self.issuer(TokenVersion::V1)
            && text("tid") == self.tenant_id
            && text("appid") == self.client_id
            && number("exp").is_some_and(|expires| now < expires)
            && number("nbf").is_some_and(|begins| begins <= now)
    }
}
