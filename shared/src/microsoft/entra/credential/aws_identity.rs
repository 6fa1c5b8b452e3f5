//! The function's identity at AWS in the place of a client secret (F-CRED-6).

use std::time::Duration;

use aws_credential_types::provider::{ProvideCredentials as _, SharedCredentialsProvider};
use secrecy::SecretString;

use crate::host::sts::{Sts, StsError};

/// A role of AWS's, which the app registration has as a federated credential.
#[derive(Debug)]
pub struct AwsIdentity {
    pub sts: Sts,
    /// The function's own credentials.
    pub own: SharedCredentialsProvider,
    /// The role that Entra knows. An app registration trusts at most 20 subjects, so the functions
    /// of a stack share one role (F-CRED-10). `None`: the function's own role.
    pub role_arn: Option<String>,
    /// What Entra expects as the audience (F-CRED-10).
    pub audience: String,
}

/// Names the session in AWS's audit log.
const SESSION: &str = "saas-fulfillment";

impl AwsIdentity {
    pub(super) async fn token(&self, timeout: Duration) -> Result<SecretString, StsError> {
        let own = self.own.provide_credentials().await;
        let own = own.map_err(|error| StsError::NoCredentials(error.to_string()))?;
        let credentials = match &self.role_arn {
            Some(role) => self.sts.assume_role(&own, role, SESSION, timeout).await?,
            None => own,
        };
        self.sts.web_identity_token(&credentials, &self.audience, timeout).await
    }
}
