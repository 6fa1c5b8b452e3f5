//! The managed identity of the Azure Functions app (F-CRED-12).

use std::sync::Arc;

use secrecy::SecretString;

use super::guid::Guid;
use crate::host::environment::{ConfigError, Environment, parse};
use crate::host::http_client::Transport;
use crate::microsoft::entra::AzureIdentity;

/// Reads how to reach the managed identity of the Azure Functions app, for tokens for `resource`.
pub(super) fn azure_identity(
    environment: &Environment,
    transport: &Arc<dyn Transport>,
    resource: String,
) -> Result<AzureIdentity, ConfigError> {
    const IDENTITY: &str = "the client id of the user-assigned managed identity";
    const PLATFORM: &str = "the platform sets it where the app has a managed identity";
    let client_id = environment.require("AZURE_IDENTITY_CLIENT_ID", IDENTITY)?;
    let client_id = parse::<Guid>("AZURE_IDENTITY_CLIENT_ID", &client_id, IDENTITY)?.0;
    // The token service of the platform runs on the app's own host, without TLS.
    let endpoint = environment.require("IDENTITY_ENDPOINT", PLATFORM)?;
    let header = environment.require("IDENTITY_HEADER", PLATFORM)?;
    Ok(AzureIdentity {
        transport: transport.clone(),
        endpoint,
        header: SecretString::from(header),
        client_id: client_id.to_string(),
        resource,
    })
}
