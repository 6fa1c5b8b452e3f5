//! A secret setting: the value itself, or the ARN under which Secrets Manager keeps it.

use std::sync::Arc;

use secrecy::ExposeSecret as _;

use super::aws::Aws;
use crate::host::environment::{ConfigError, Environment};
use crate::host::http_client::Transport;
use crate::host::secret::{ClientSecret, secret_in};
use crate::publisher::standard_webhooks::WebhookKeys;

/// The two settings that a secret may come from. One of them is set, never both.
pub(super) struct SecretNames {
    pub(super) secret: &'static str,
    pub(super) arn: &'static str,
    pub(super) purpose: &'static str,
}

impl SecretNames {
    pub(super) fn read(
        &self,
        environment: &Environment,
        transport: &Arc<dyn Transport>,
    ) -> Result<ClientSecret, ConfigError> {
        match (environment.get(self.secret), environment.get(self.arn)) {
            (Some(secret), None) => match secret_in(&secret) {
                Ok(secret) => Ok(ClientSecret::Given(secret)),
                Err(error) => Err(ConfigError {
                    name: self.secret,
                    problem: error.to_string(),
                    purpose: self.purpose,
                }),
            },
            (None, Some(arn)) if arn.starts_with("arn:") => {
                let client = Aws::read(environment, transport)?.secrets_manager(environment)?;
                Ok(ClientSecret::SecretsManager { client, arn })
            }
            (None, Some(_)) => Err(ConfigError {
                name: self.arn,
                problem: "is not an ARN".to_owned(),
                purpose: "where Secrets Manager keeps the app's secret",
            }),
            (Some(_), Some(_)) => Err(ConfigError {
                name: self.secret,
                problem: format!("is set beside {}; one of them is enough", self.arn),
                purpose: self.purpose,
            }),
            (None, None) => Err(ConfigError {
                name: self.secret,
                problem: "is not set".to_owned(),
                purpose: self.purpose,
            }),
        }
    }

    /// The same for signing keys: keys given as text must parse.
    pub(super) fn read_signing_keys(
        &self,
        environment: &Environment,
        transport: &Arc<dyn Transport>,
    ) -> Result<ClientSecret, ConfigError> {
        let keys = self.read(environment, transport)?;
        if let ClientSecret::Given(keys) = &keys {
            WebhookKeys::parse(keys.expose_secret()).map_err(|error| ConfigError {
                name: self.secret,
                problem: error.to_string(),
                purpose: self.purpose,
            })?;
        }
        Ok(keys)
    }

    /// Asks for both names without using them, so that [`Environment::asked`] names every setting
    /// there may be.
    pub(super) fn mention(&self, environment: &Environment) {
        let _ = (environment.get(self.secret), environment.get(self.arn));
    }
}
