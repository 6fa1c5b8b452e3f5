//! Where the client secret is kept.

use aws_sdk_secretsmanager::Client;
use secrecy::SecretString;
use thiserror::Error;

/// The publisher's client secret, or where to ask for it.
#[derive(Clone, Debug)]
pub enum ClientSecret {
    /// Given in the configuration.
    Given(SecretString),
    /// Kept by AWS Secrets Manager; asked for at each token request (once an hour), so that a
    /// rotated secret is picked up without a deployment.
    SecretsManager {
        /// The client of the service.
        client: Client,
        /// The secret's ARN.
        arn: String,
    },
}

/// The secret could not be read. The text names the cause, never the secret.
#[derive(Debug, Error)]
pub enum SecretError {
    /// Secrets Manager gave no answer, or refused it.
    #[error("Secrets Manager gave no secret: {0}")]
    Unavailable(String),
    /// The secret holds bytes, not text.
    #[error("the secret in Secrets Manager is not a string")]
    NotText,
}

impl ClientSecret {
    /// The secret as it is now.
    pub async fn read(&self) -> Result<SecretString, SecretError> {
        match self {
            Self::Given(secret) => Ok(secret.clone()),
            Self::SecretsManager { client, arn } => {
                let answer =
                    client.get_secret_value().secret_id(arn).send().await.map_err(|error| {
                        let error = error.into_service_error();
                        let code = error.meta().code().unwrap_or("no answer").to_owned();
                        SecretError::Unavailable(code)
                    })?;
                answer.secret_string.map(SecretString::from).ok_or(SecretError::NotText)
            }
        }
    }
}
