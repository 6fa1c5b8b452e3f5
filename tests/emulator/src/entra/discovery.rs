//! Discovery and key documents (F-WHJ-4).

use super::directory::{Entra, is_shared};
use super::keys;
use crate::settings::TokenVersion;
use crate::wire::{ApiRequest, Reply};
use serde_json::{Value, json};

impl Entra {
    /// The OpenID document of a tenant, or of all tenants.
    pub(super) fn discovery(&mut self, tenant: &str, version: TokenVersion) -> Reply {
        self.discovery_fetches += 1;
        if !self.is_known_tenant(tenant) {
            return self.unknown_tenant(tenant);
        }
        let base = format!("{}/{tenant}", self.authority);
        // The issuer for all tenants has a placeholder.
        let issuer_tenant = if is_shared(tenant) { "{tenantid}" } else { tenant };
        let (oauth, keys) = match version {
            TokenVersion::V1 => (format!("{base}/oauth2"), format!("{base}/discovery/keys")),
            TokenVersion::V2 => {
                (format!("{base}/oauth2/v2.0"), format!("{base}/discovery/v2.0/keys"))
            }
        };
        let document = json!({
            "issuer": self.issuer_of(issuer_tenant, version),
            "authorization_endpoint": format!("{oauth}/authorize"),
            "token_endpoint": format!("{oauth}/token"),
            "jwks_uri": keys,
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
            "scopes_supported": ["openid", "profile", "email"],
            "claims_supported": [
                "sub", "iss", "aud", "exp", "iat", "nonce", "preferred_username", "name", "tid",
                "ver", "oid", "email"
            ],
        });
        Reply::json(200, &document)
    }

    pub(super) fn key_document(&mut self, tenant: &str, request: &ApiRequest) -> Reply {
        self.key_fetches += 1;
        if !self.is_known_tenant(tenant) {
            return self.unknown_tenant(tenant);
        }
        let query = request.query.as_deref().unwrap_or_default();
        let is_own_application =
            [&self.client_id, &self.landing.client_id, &self.console.client_id]
                .iter()
                .any(|application| query == format!("appid={application}"));
        let for_application = self.for_applications.iter().filter(|_| is_own_application);
        let turns = self.published.iter().chain(for_application);
        let keys: Vec<Value> = turns.map(|turn| keys::rotated(*turn).jwk()).collect();
        Reply::json(200, &json!({ "keys": keys }))
            .with_header("cache-control", "max-age=86400, private")
    }
}
