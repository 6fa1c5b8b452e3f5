//! The landing page's own application at Entra (F-LP-6, F-AUTH-9).

use std::sync::Arc;

use uuid::Uuid;

use super::credential::CredentialNames;
use super::guid::Guid;
use super::microsoft::Microsoft;
use super::secret::{SecretNames, given, one_of_all};
use crate::host::environment::{ConfigError, Environment, parse};
use crate::host::http_client::Transport;
use crate::host::secret::ClientSecret;
use crate::microsoft::entra::Credential;

pub struct LandingApp {
    /// Entra's address, for us and for the buyer's browser; no trailing slash.
    pub authority: String,
    pub client_id: Uuid,
    pub credential: Credential,
    /// What the cookies' key is derived from; `None`: from the app's secret.
    pub cookie_key: Option<ClientSecret>,
    pub transport: Arc<dyn Transport>,
}

pub(super) const CREDENTIAL: CredentialNames = CredentialNames {
    kind: "LANDING_CREDENTIAL",
    secret: SecretNames {
        secret: "LANDING_CLIENT_SECRET",
        arn: "LANDING_CLIENT_SECRET_ARN",
        purpose: "the secret of the landing page's app; \
                  or LANDING_CLIENT_SECRET_ARN, where Secrets Manager keeps it",
    },
    certificate: "LANDING_CLIENT_CERTIFICATE",
};

/// The shortest text that a key may be derived from, in bytes. A password that a person made up is shorter.
const SHORTEST_KEY: usize = 32;

impl LandingApp {
    /// Whether each of these words is long enough for a cookies' key.
    pub fn are_cookie_keys(keys: &str) -> bool {
        keys.split_whitespace().all(|key| key.len() >= SHORTEST_KEY)
    }
}

/// Reads `LANDING_COOKIE_KEY`, one key or several, which the JSON of all secrets may hold, too.
fn cookie_key(
    environment: &Environment,
    transport: &Arc<dyn Transport>,
) -> Result<Option<ClientSecret>, ConfigError> {
    const NAME: &str = "LANDING_COOKIE_KEY";
    const PURPOSE: &str = "the cookies' key: a random text, or a new one and the old one";
    let one_of_all = one_of_all(environment, transport, NAME)?;
    match environment.get(NAME) {
        None => Ok(one_of_all),
        Some(keys) if !LandingApp::are_cookie_keys(&keys) => {
            let problem = format!("must have at least {SHORTEST_KEY} characters");
            Err(ConfigError { name: NAME, problem, purpose: PURPOSE })
        }
        Some(keys) => given(NAME, &keys, PURPOSE).map(Some),
    }
}

impl Microsoft {
    /// Reads `LANDING_CLIENT_ID` and its secret.
    pub fn landing_app(&self, environment: &Environment) -> Result<LandingApp, ConfigError> {
        const CLIENT: &str = "the landing page's own app registration at Entra";
        let client_id = environment.require("LANDING_CLIENT_ID", CLIENT)?;
        Ok(LandingApp {
            authority: self.authority.clone(),
            client_id: parse::<Guid>("LANDING_CLIENT_ID", &client_id, CLIENT)?.0,
            credential: CREDENTIAL.read(environment, &self.transport)?,
            cookie_key: cookie_key(environment, &self.transport)?,
            transport: self.transport.clone(),
        })
    }
}
