//! The token endpoint (section 2).

use super::directory::Entra;
use crate::settings::TokenVersion;
use crate::wire::{ApiRequest, Reply};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use std::collections::HashMap;

/// A form's fields, decoded once.
pub(super) type Form = HashMap<String, String>;

impl Entra {
    pub(super) fn token(
        &mut self,
        tenant: &str,
        request: &ApiRequest,
        version: TokenVersion,
    ) -> Reply {
        self.token_requests += 1;
        let is_form = request
            .header("content-type")
            .is_some_and(|value| value.starts_with("application/x-www-form-urlencoded"));
        if !is_form {
            return self.failure(400, "invalid_request", 900_144, "The body must be a form.");
        }
        if let Some(refusal) = self.refusal {
            return self.refused(refusal);
        }
        if !self.is_known_tenant(tenant) {
            return self.unknown_tenant(tenant);
        }
        let mut form: Form = url::form_urlencoded::parse(&request.body).into_owned().collect();
        add_basic_credentials(request, &mut form);
        match form.get("grant_type").map(String::as_str) {
            Some("client_credentials") => self.client_credentials(tenant, &form, version),
            Some("authorization_code") => self.authorization_code(tenant, &form),
            None => {
                self.failure(400, "invalid_request", 900_144, "The body must contain 'grant_type'.")
            }
            Some(_) => self.failure(
                400,
                "unsupported_grant_type",
                70_003,
                "The grant type is not supported.",
            ),
        }
    }

    fn client_credentials(&mut self, tenant: &str, form: &Form, version: TokenVersion) -> Reply {
        // An application gets its own token in its own tenant only (F-AUTH-1).
        if !tenant.eq_ignore_ascii_case(&self.tenant_id) {
            return self.failure(
                400,
                "unauthorized_client",
                700_016,
                "The application is not in this directory.",
            );
        }
        let (client_id, secret) = (self.client_id.clone(), self.client_secret.clone());
        if let Err(refusal) = self.authenticate(tenant, form, &client_id, &secret) {
            return refusal;
        }
        if let Err(refusal) = self.check_resource(form, version) {
            return refusal;
        }
        let token = self.access_token();
        let lifetime = self.token_lifetime.as_secs();
        let now = self.now.as_second();
        let body = match version {
            // Every value is a string (F-AUTH-3).
            TokenVersion::V1 => json!({
                "token_type": "Bearer",
                "expires_in": lifetime.to_string(),
                "ext_expires_in": "0",
                "expires_on": (now + self.lifetime_seconds()).to_string(),
                "not_before": now.to_string(),
                "resource": self.marketplace_app_id,
                "access_token": token,
            }),
            // Numbers, and no `expires_on` (F-AUTH-4).
            TokenVersion::V2 => json!({
                "token_type": "Bearer",
                "expires_in": lifetime,
                "ext_expires_in": lifetime,
                "access_token": token,
            }),
        };
        Reply::json(200, &body).with_header("cache-control", "no-store, no-cache")
    }

    /// Checks client id and secret. An `Err` is Entra's answer to a wrong one (F-AUTH-15).
    pub(super) fn authenticate(
        &mut self,
        tenant: &str,
        form: &Form,
        client_id: &str,
        secret: &str,
    ) -> Result<(), Reply> {
        match form.get("client_id") {
            None => {
                return Err(self.failure(
                    400,
                    "invalid_request",
                    900_144,
                    "The body must contain 'client_id'.",
                ));
            }
            Some(sent) if sent.eq_ignore_ascii_case(client_id) => {}
            Some(_) => {
                let message = "The application was not found in the directory.";
                return Err(self.failure(400, "unauthorized_client", 700_016, message));
            }
        }
        if form.contains_key("client_assertion") {
            return self.check_assertion(tenant, form, client_id);
        }
        match form.get("client_secret") {
            Some(sent) if sent == secret => Ok(()),
            None => {
                let message = "The body must contain 'client_assertion' or 'client_secret'.";
                Err(self.failure(401, "invalid_client", 7_000_218, message))
            }
            Some(_) => Err(self.failure(
                401,
                "invalid_client",
                7_000_215,
                "Invalid client secret provided.",
            )),
        }
    }

    fn check_resource(&mut self, form: &Form, version: TokenVersion) -> Result<(), Reply> {
        let resource = match version {
            TokenVersion::V1 => form.get("resource").cloned(),
            TokenVersion::V2 => {
                let Some(scope) = form.get("scope").filter(|scope| !scope.is_empty()) else {
                    return Err(self.failure(
                        400,
                        "invalid_request",
                        900_144,
                        "The body must contain 'scope'.",
                    ));
                };
                let Some(resource) = scope.strip_suffix("/.default") else {
                    return Err(self.failure(
                        400,
                        "invalid_scope",
                        70_011,
                        "The scope must end in /.default.",
                    ));
                };
                Some(resource.to_owned())
            }
        };
        match resource {
            None => Err(self.failure(
                400,
                "invalid_request",
                900_144,
                "The body must contain 'resource'.",
            )),
            Some(resource) if resource.eq_ignore_ascii_case(&self.marketplace_app_id) => Ok(()),
            Some(_) => {
                let message = "The resource principal was not found in the tenant.";
                Err(self.failure(400, "invalid_resource", 500_011, message))
            }
        }
    }

    pub(super) fn unknown_tenant(&mut self, tenant: &str) -> Reply {
        self.failure(400, "invalid_request", 90_002, &format!("Tenant '{tenant}' not found."))
    }

    /// An error answer in Entra's standard form (F-AUTH-15).
    pub(super) fn failure(&mut self, status: u16, error: &str, code: u32, message: &str) -> Reply {
        let (trace_id, correlation_id) = (self.ids.uuid(), self.ids.uuid());
        let description = format!(
            "AADSTS{code}: {message} Trace ID: {trace_id} Correlation ID: {correlation_id}"
        );
        let body = json!({
            "error": error,
            "error_description": description,
            "error_codes": [code],
            "timestamp": self.now.strftime("%Y-%m-%d %H:%M:%SZ").to_string(),
            "trace_id": trace_id,
            "correlation_id": correlation_id,
        });
        Reply::json(status, &body)
    }
}

/// Reads `client_secret_basic`: the client form-encodes id and secret before it joins them (RFC
/// 6749, 2.3.1).
fn add_basic_credentials(request: &ApiRequest, form: &mut Form) {
    let credentials = request
        .header("authorization")
        .and_then(|value| value.strip_prefix("Basic "))
        .and_then(|value| STANDARD.decode(value).ok())
        .and_then(|value| String::from_utf8(value).ok());
    let Some((id, secret)) = credentials.as_deref().and_then(|value| value.split_once(':')) else {
        return;
    };
    let decode = |text: &str| {
        let pair = format!("v={text}");
        url::form_urlencoded::parse(pair.as_bytes())
            .next()
            .map(|(_, value)| value.into_owned())
            .unwrap_or_default()
    };
    form.insert("client_id".to_owned(), decode(id));
    form.insert("client_secret".to_owned(), decode(secret));
}
