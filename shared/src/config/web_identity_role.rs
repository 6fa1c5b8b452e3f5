//! A role of AWS's for a function that runs on Azure (F-CRED-14).

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};

use crate::host::sts::Sts;
use crate::microsoft::entra::AzureIdentity;

/// How long each of the two requests may take. The SDK asks for credentials within an attempt, which
/// may take 1.5 seconds.
const PATIENCE: Duration = Duration::from_millis(700);

/// Names the session in AWS's audit log.
const SESSION: &str = "saas-fulfillment";

/// Credentials of a role that trusts the app's managed identity. They are valid for an hour; the SDK
/// caches them, and asks for new ones before they end.
#[derive(Debug)]
pub(super) struct WebIdentityRole {
    pub(super) identity: AzureIdentity,
    pub(super) sts: Sts,
    pub(super) role_arn: String,
}

impl WebIdentityRole {
    async fn credentials(&self) -> Result<Credentials, CredentialsError> {
        let token = self.identity.token(PATIENCE).await;
        let token = token.map_err(|error| match error.class().needs_operator() {
            true => CredentialsError::invalid_configuration(error),
            false => CredentialsError::provider_error(error),
        })?;
        let assumed =
            self.sts.assume_role_with_web_identity(&token, &self.role_arn, SESSION, PATIENCE).await;
        assumed.map_err(|error| match error.class().needs_operator() {
            true => CredentialsError::invalid_configuration(error),
            false => CredentialsError::provider_error(error),
        })
    }
}

impl ProvideCredentials for WebIdentityRole {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.credentials())
    }
}
