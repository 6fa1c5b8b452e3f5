//! Microsoft Entra ID, as far as publishers meet it: access tokens for the marketplace (section 2), signed
//! webhooks (6.4), and the sign-in of buyers at the landing page (section 8).

mod discovery;
mod endpoint;
mod forgery;
mod jwt;
mod keys;
mod sign_in;

pub use forgery::Forgery;

use crate::settings::{Settings, TokenVersion};
use crate::world::{Call, Seeded};
use jiff::Timestamp;
use jwt::Draft;
use keys::TestKey;
use serde_json::{Value, json};
use sign_in::Grant;
use std::collections::HashMap;
use std::time::Duration;
use uuid::Uuid;

/// Entra with the tenant of one publisher.
#[derive(Debug)]
pub struct Entra {
    authority: String,
    tenant_id: String,
    client_id: String,
    client_secret: String,
    marketplace_app_id: String,
    landing_client_id: String,
    landing_client_secret: String,
    landing_redirect_uris: Vec<String>,
    token_lifetime: Duration,
    // Seconds.
    issuing_interval: i64,
    // The id of the application's service principal (F-AUTH-10).
    service_principal: Uuid,
    now: Timestamp,
    ids: Seeded,
    turn: usize,
    // The newest is the one that signs.
    published: Vec<usize>,
    grants: HashMap<String, Grant>,
    key_fetches: u64,
    discovery_fetches: u64,
    token_requests: u64,
}

impl Entra {
    pub(crate) fn new(settings: &Settings) -> Self {
        // Its own sequence, so that tokens do not shift the ids of subscriptions.
        let mut ids = Seeded::new(settings.seed ^ 0x00e4_742a);
        Self {
            authority: "https://login.microsoftonline.example".to_owned(),
            tenant_id: settings.tenant_id.clone(),
            client_id: settings.client_id.clone(),
            client_secret: settings.client_secret.clone(),
            marketplace_app_id: settings.marketplace_app_id.clone(),
            landing_client_id: settings.landing_client_id.clone(),
            landing_client_secret: settings.landing_client_secret.clone(),
            landing_redirect_uris: settings.landing_redirect_uris.clone(),
            token_lifetime: settings.behaviour.token_lifetime,
            issuing_interval: 60,
            service_principal: ids.uuid(),
            now: settings.start,
            ids,
            turn: 0,
            published: vec![0],
            grants: HashMap::new(),
            key_fetches: 0,
            discovery_fetches: 0,
            token_requests: 0,
        }
    }

    /// The address in front of `/{tenant}/…`, without a slash at the end.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Sets the address under which Entra is reached; it is part of issuers and documents.
    pub fn set_authority(&mut self, authority: &str) {
        authority.trim_end_matches('/').clone_into(&mut self.authority);
    }

    /// Replaces the publisher's secret; the old one is expired.
    pub fn set_client_secret(&mut self, secret: &str) {
        secret.clone_into(&mut self.client_secret);
    }

    /// Sets the life of tokens issued from now on.
    pub fn set_token_lifetime(&mut self, lifetime: Duration) {
        self.token_lifetime = lifetime;
    }

    /// Sets how often there is a new token: once a minute if nothing is said. Whoever asks again before gets the same
    /// one, which needs no new signature.
    ///
    /// # Panics
    /// If it is shorter than a second.
    pub fn set_issuing_interval(&mut self, interval: Duration) {
        assert!(interval.as_secs() > 0, "an interval is at least a second");
        self.issuing_interval = i64::try_from(interval.as_secs()).unwrap_or(i64::MAX / 2);
    }

    /// Registers a redirect address for the landing page. From the first on, no other is accepted.
    pub fn add_redirect_uri(&mut self, uri: &str) {
        self.landing_redirect_uris.push(uri.to_owned());
    }

    pub(crate) fn set_now(&mut self, now: Timestamp) {
        self.now = now;
    }

    /// A new key signs from now on. The old ones stay published.
    pub fn rotate_keys(&mut self) {
        self.turn += 1;
        self.published.push(self.turn);
    }

    /// Only the key that signs stays published.
    pub fn withdraw_old_keys(&mut self) {
        self.published = vec![self.turn];
    }

    /// The id of the key that signs.
    pub fn signing_kid(&self) -> String {
        self.key().kid().to_owned()
    }

    /// How often a key document was fetched.
    pub fn key_fetches(&self) -> u64 {
        self.key_fetches
    }

    /// How often a discovery document was fetched.
    pub fn discovery_fetches(&self) -> u64 {
        self.discovery_fetches
    }

    /// How often a token was asked for, successful or not.
    pub fn token_requests(&self) -> u64 {
        self.token_requests
    }

    /// The issuer in tokens of this version for the publisher's tenant (F-WHJ-2).
    pub fn issuer(&self, version: TokenVersion) -> String {
        self.issuer_of(&self.tenant_id, version)
    }

    fn issuer_of(&self, tenant: &str, version: TokenVersion) -> String {
        match version {
            TokenVersion::V1 => format!("https://sts.windows.net/{tenant}/"),
            TokenVersion::V2 => format!("{}/{tenant}/v2.0", self.authority),
        }
    }

    fn key(&self) -> &'static TestKey {
        keys::rotated(self.turn)
    }

    /// A good token for a webhook, signed now.
    pub fn webhook_token(&mut self, version: TokenVersion) -> String {
        self.webhook_draft(version).signed(self.key())
    }

    /// A webhook's token that is wrong in exactly one respect.
    pub fn forge(&mut self, forgery: Forgery, version: TokenVersion) -> String {
        let draft = self.webhook_draft(version);
        forgery::apply(forgery, draft, version, self)
    }

    /// A token with any claims, signed with the key that signs. For cases nobody thought of here.
    pub fn sign(&self, claims: &Value) -> String {
        Draft { header: self.header(), claims: claims.clone() }.signed(self.key())
    }

    /// A token of any two texts, signed with the key that signs. For what no JSON value can hold, such as a claim
    /// that stands twice.
    pub fn sign_text(&self, header: &str, claims: &str) -> String {
        jwt::signed_text(header, claims, self.key())
    }

    /// The claims of a good webhook token, to be changed and given to [`Entra::sign`].
    pub fn webhook_claims(&mut self, version: TokenVersion) -> Value {
        self.webhook_draft(version).claims
    }

    /// An access token for the marketplace (F-AUTH-11), without going through the token endpoint.
    pub fn access_token(&mut self) -> String {
        let claims = self.access_claims();
        self.sign(&claims)
    }

    fn header(&self) -> Value {
        json!({ "typ": "JWT", "alg": "RS256", "x5t": self.key().kid(), "kid": self.key().kid() })
    }

    fn webhook_draft(&mut self, version: TokenVersion) -> Draft {
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
            // The list that was seen has no `nbf` (F-WHJ-3).
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

    /// As if a moment ago: the beginning of the interval.
    fn issued_at(&self) -> i64 {
        let now = self.now.as_second();
        now - now.rem_euclid(self.issuing_interval)
    }

    /// Not before their life is over, counted from now.
    fn expires_at(&self) -> i64 {
        self.issued_at() + self.issuing_interval + self.lifetime_seconds()
    }

    fn lifetime_seconds(&self) -> i64 {
        i64::try_from(self.token_lifetime.as_secs()).unwrap_or(i64::MAX / 2)
    }

    /// Whether the marketplace lets this access token in (F-AUTH-11).
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

    /// Which call a path is.
    pub(crate) fn call_of(path: &str) -> Call {
        if path.ends_with("/token") {
            Call::Token
        } else if path.ends_with("/openid-configuration") {
            Call::Discovery
        } else if path.ends_with("/keys") {
            Call::Keys
        } else if path.ends_with("/authorize") {
            Call::Authorize
        } else {
            Call::Unknown
        }
    }
}
