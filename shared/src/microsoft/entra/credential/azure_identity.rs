//! The identity of an Azure Functions app in the place of a client secret (F-CRED-12).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use thiserror::Error;
use url::form_urlencoded;

use crate::host::error_class::ErrorClass;
use crate::host::http_client::{SendError, Transport};
use crate::lenient::object;

/// Why the platform gave no token. The text holds no secret.
#[derive(Debug, Error)]
pub enum AzureIdentityError {
    #[error(
        "Azure refused a token of the managed identity: {0}; assign the user-assigned identity \
         AZURE_IDENTITY_CLIENT_ID to the app"
    )]
    Refused(u16),
    #[error("Azure's identity service is unavailable: {0}")]
    Unavailable(u16),
    #[error("Azure's identity service is unavailable: {0}")]
    Unreachable(#[from] SendError),
    #[error("Azure's identity service gave no token")]
    NoToken,
}

impl AzureIdentityError {
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Refused(_) => ErrorClass::Configuration,
            Self::Unavailable(_) | Self::Unreachable(_) | Self::NoToken => {
                ErrorClass::MicrosoftUnavailable
            }
        }
    }
}

/// A user-assigned managed identity, which the app registration has as a federated credential.
pub struct AzureIdentity {
    pub transport: Arc<dyn Transport>,
    /// The platform's own address, on this host (`IDENTITY_ENDPOINT`).
    pub endpoint: String,
    /// Proves that a request comes from the app (`IDENTITY_HEADER`).
    pub header: SecretString,
    /// The client id of the identity. Without it, the platform takes the app's own identity, which
    /// Entra doesn't accept as a credential (F-CRED-12).
    pub client_id: String,
    /// Whom the token is for: [`TOKEN_EXCHANGE`](super::TOKEN_EXCHANGE), where it stands for a
    /// client secret.
    pub resource: String,
}

impl fmt::Debug for AzureIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AzureIdentity").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

impl AzureIdentity {
    /// A token of the identity. The platform caches it, so we don't (F-CRED-13).
    pub async fn token(&self, timeout: Duration) -> Result<SecretString, AzureIdentityError> {
        #[derive(Deserialize)]
        struct Body {
            access_token: String,
        }
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("api-version", "2019-08-01")
            .append_pair("resource", &self.resource)
            .append_pair("client_id", &self.client_id)
            .finish();
        let request = http::Request::get(format!("{}?{query}", self.endpoint))
            .header("x-identity-header", self.header.expose_secret())
            .body(Bytes::new())
            .map_err(SendError::from)?;
        let answer = self.transport.send(request, timeout).await?;
        let status = answer.status();
        if status.is_success() {
            let body: Option<Body> = object(answer.body());
            let token = body.map(|body| body.access_token).filter(|token| !token.is_empty());
            return token.map(SecretString::from).ok_or(AzureIdentityError::NoToken);
        }
        let passes = status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
        let error =
            if passes { AzureIdentityError::Unavailable } else { AzureIdentityError::Refused };
        Err(error(status.as_u16()))
    }
}
