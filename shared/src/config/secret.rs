//! A secret setting: the value itself, the ARN under which Secrets Manager keeps it, or the ARN of
//! JSON that holds all secrets by the names of their settings.

use std::sync::Arc;

use secrecy::ExposeSecret as _;

use super::aws::Aws;
use crate::host::environment::{ConfigError, Environment};
use crate::host::http_client::Transport;
use crate::host::secret::{ClientSecret, UnusableSecret, secret_at, secret_in};
use crate::publisher::standard_webhooks::WebhookKeys;

/// Where Secrets Manager keeps all secrets of a deployment as JSON.
const ALL: &str = "SECRETS_ARN";

/// The two settings of a secret's own. At most one of them is set. Without them, [`ALL`] holds it.
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
        let one_of_all = one_of_all(environment, transport, self.secret)?;
        match (environment.get(self.secret), environment.get(self.arn)) {
            (Some(secret), None) => given(self.secret, &secret, self.purpose),
            (None, Some(arn)) => {
                in_secrets_manager(environment, transport, self.arn, arn, Vec::new())
            }
            (Some(_), Some(_)) => Err(self.set_twice()),
            (None, None) => one_of_all.ok_or_else(|| self.unset()),
        }
    }

    /// The signing keys of one of several users, which a JSON object holds by the users' names.
    pub(super) fn read_signing_keys_of(
        &self,
        user: &str,
        environment: &Environment,
        transport: &Arc<dyn Transport>,
    ) -> Result<ClientSecret, ConfigError> {
        let problem =
            |problem: String| ConfigError { name: self.secret, problem, purpose: self.purpose };
        let path = vec![user.to_owned()];
        let all = environment.get(ALL);
        match (environment.get(self.secret), environment.get(self.arn)) {
            (Some(text), None) => {
                let keys = secret_at(&text, &path).map_err(|error| problem(error.to_string()))?;
                WebhookKeys::parse(keys.expose_secret())
                    .map_err(|error| problem(format!("has a value for {user} that {error}")))?;
                Ok(ClientSecret::Given(keys))
            }
            (None, Some(arn)) => in_secrets_manager(environment, transport, self.arn, arn, path),
            (Some(_), Some(_)) => Err(self.set_twice()),
            (None, None) => {
                let arn = all.ok_or_else(|| self.unset())?;
                let path = vec![self.secret.to_owned(), user.to_owned()];
                in_secrets_manager(environment, transport, ALL, arn, path)
            }
        }
    }

    fn set_twice(&self) -> ConfigError {
        ConfigError {
            name: self.secret,
            problem: format!("is set beside {}; one of them is enough", self.arn),
            purpose: self.purpose,
        }
    }

    fn unset(&self) -> ConfigError {
        ConfigError { name: self.secret, problem: "is not set".to_owned(), purpose: self.purpose }
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

    /// Whether a setting of the secret's own is set, so that the JSON doesn't count.
    pub(super) fn is_set_in(&self, environment: &Environment) -> bool {
        [self.secret, self.arn].into_iter().any(|name| environment.get(name).is_some())
    }

    /// Whether the secret has a place that it may be read from.
    pub(super) fn may_be_read(&self, environment: &Environment) -> bool {
        self.is_set_in(environment) || environment.get(ALL).is_some()
    }

    /// Asks for both names without using them, so that [`Environment::asked`] names every setting
    /// there may be.
    pub(super) fn mention(&self, environment: &Environment) {
        for name in [self.secret, self.arn, ALL] {
            let _ = environment.get(name);
        }
    }
}

/// A secret that a setting holds.
pub(super) fn given(
    name: &'static str,
    secret: &str,
    purpose: &'static str,
) -> Result<ClientSecret, ConfigError> {
    let problem = |error: UnusableSecret| ConfigError { name, problem: error.to_string(), purpose };
    secret_in(secret).map(ClientSecret::Given).map_err(problem)
}

/// The secret of this name in the JSON that holds all secrets; `None` if there is no such JSON.
pub(super) fn one_of_all(
    environment: &Environment,
    transport: &Arc<dyn Transport>,
    member: &'static str,
) -> Result<Option<ClientSecret>, ConfigError> {
    let arn = environment.get(ALL);
    let path = || vec![member.to_owned()];
    let read = |arn| in_secrets_manager(environment, transport, ALL, arn, path());
    arn.map(read).transpose()
}

fn in_secrets_manager(
    environment: &Environment,
    transport: &Arc<dyn Transport>,
    name: &'static str,
    arn: String,
    path: Vec<String>,
) -> Result<ClientSecret, ConfigError> {
    if !arn.starts_with("arn:") {
        return Err(ConfigError {
            name,
            problem: "is not an ARN".to_owned(),
            purpose: "where Secrets Manager keeps secrets",
        });
    }
    let client = Aws::read(environment, transport)?.secrets_manager(environment)?;
    Ok(ClientSecret::SecretsManager { client, arn, path })
}
