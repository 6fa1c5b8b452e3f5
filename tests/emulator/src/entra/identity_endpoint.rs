//! A stand-in for the token service on the host of an Azure Functions app (F-CRED-13).

use super::assertion::TOKEN_EXCHANGE;
use super::directory::Entra;
use super::managed_identity::ManagedIdentity;
use crate::settings::TokenVersion;
use crate::wire::{ApiRequest, Reply};
use http::Method;
use serde_json::json;

impl Entra {
    /// The identity of the Azure Functions app.
    pub fn managed_identity(&mut self) -> &mut ManagedIdentity {
        &mut self.managed_identity
    }

    /// A call of the token service.
    pub(crate) fn identity_call(&mut self, request: &ApiRequest) -> Reply {
        let identity = self.managed_identity.clone();
        if let Some(status) = identity.fails_with {
            return Reply::json(status, &json!({ "statusCode": status }));
        }
        let parameter = |name: &str| request.parameter(name).unwrap_or_default();
        let is_known = request.method == Method::GET
            && parameter("api-version") == "2019-08-01"
            && request.header("x-identity-header") == Some(identity.header.as_str())
            && parameter("client_id") == identity.client_id;
        if !is_known {
            let message = "The requested identity has not been assigned to this resource.";
            return Reply::json(400, &json!({ "statusCode": 400, "message": message }));
        }
        let now = self.now.as_second();
        let expires = now + self.lifetime_seconds();
        let resource = parameter("resource");
        // Applications that nobody has changed get tokens of version 1, with their id URI as the
        // audience.
        let version = if resource == TOKEN_EXCHANGE { TokenVersion::V2 } else { TokenVersion::V1 };
        let token = self.sign(&json!({
            "aud": resource,
            "iss": self.issuer(version),
            "sub": identity.principal_id,
            "oid": identity.principal_id,
            "tid": self.tenant_id,
            "iat": now,
            "nbf": now,
            "exp": expires,
        }));
        // The time is a text.
        let body = json!({
            "access_token": token,
            "expires_on": expires.to_string(),
            "resource": resource,
            "token_type": "Bearer",
            "client_id": identity.client_id,
        });
        Reply::json(200, &body)
    }
}
