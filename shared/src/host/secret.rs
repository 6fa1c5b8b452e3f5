//! A secret, and where it is kept.

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::SdkError;
use secrecy::SecretString;
use thiserror::Error;

use super::http_client::Cause;

/// A client secret or a signing key, or the place it is kept in.
#[derive(Clone, Debug)]
pub enum ClientSecret {
    /// A setting holds it.
    Given(SecretString),
    /// AWS Secrets Manager keeps it. It is fetched again for each use, so that a rotated secret is
    /// picked up without a deployment. Its users cache what they make of it.
    SecretsManager { client: Client, arn: String },
}

/// The secret could not be read. The text names the cause, never the secret.
#[derive(Debug, Error)]
pub enum SecretError {
    #[error("Secrets Manager gave no secret: {code}")]
    Unavailable {
        /// AWS's error code, or `no answer`.
        code: String,
        source: Cause,
    },
    /// It holds bytes.
    #[error("the secret in Secrets Manager is not a string")]
    NotText,
}

impl ClientSecret {
    pub async fn read(&self) -> Result<SecretString, SecretError> {
        match self {
            Self::Given(secret) => Ok(secret.clone()),
            Self::SecretsManager { client, arn } => {
                let answer = client.get_secret_value().secret_id(arn).send().await;
                let answer = answer.map_err(|error| {
                    let code = error.as_service_error().and_then(|error| error.meta().code());
                    let code = code.unwrap_or("no answer").to_owned();
                    let source = error.into_source().unwrap_or_else(SdkError::into);
                    SecretError::Unavailable { code, source }
                })?;
                answer.secret_string.map(SecretString::from).ok_or(SecretError::NotText)
            }
        }
    }
}
