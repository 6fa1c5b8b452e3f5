//! The landing page's own application at Entra (F-LP-6, F-AUTH-9).

use std::sync::Arc;

use uuid::Uuid;

use super::address::is_private;
use super::microsoft::{Guid, Microsoft};
use super::secret::SecretNames;
use crate::host::environment::{ConfigError, Environment, parse};
use crate::host::http_client::Transport;
use crate::host::secret::ClientSecret;

pub struct LandingApp {
    /// Entra's address, for us and for the buyer's browser; no trailing slash.
    pub authority: String,
    pub client_id: Uuid,
    pub secret: ClientSecret,
    /// The landing page's origin in the buyer's browser; no trailing slash.
    pub base_url: String,
    pub transport: Arc<dyn Transport>,
}

const SECRET: SecretNames = SecretNames {
    secret: "LANDING_CLIENT_SECRET",
    arn: "LANDING_CLIENT_SECRET_ARN",
    purpose: "the secret of the landing page's app; \
              or LANDING_CLIENT_SECRET_ARN, where Secrets Manager keeps it",
};

impl Microsoft {
    /// Reads `LANDING_CLIENT_ID`, its secret, and `LANDING_BASE_URL`.
    pub fn landing_app(&self, environment: &Environment) -> Result<LandingApp, ConfigError> {
        const CLIENT: &str = "the landing page's own app registration at Entra";
        let client_id = environment.require("LANDING_CLIENT_ID", CLIENT)?;
        Ok(LandingApp {
            authority: self.authority.clone(),
            client_id: parse::<Guid>("LANDING_CLIENT_ID", &client_id, CLIENT)?.0,
            secret: SECRET.read(environment, &self.transport)?,
            base_url: base_url(environment)?,
            transport: self.transport.clone(),
        })
    }
}

/// An origin without a path: the pages and their cookies start at its root.
fn base_url(environment: &Environment) -> Result<String, ConfigError> {
    const NAME: &str = "LANDING_BASE_URL";
    const PURPOSE: &str = "the origin of the landing page, such as https://signup.example.com";
    let given = environment.require(NAME, PURPOSE)?;
    let url = environment.url_or(NAME, &given, PURPOSE)?;
    let wrong =
        |problem: &str| ConfigError { name: NAME, problem: problem.to_owned(), purpose: PURPOSE };
    let parsed = url::Url::parse(&url).map_err(|_| wrong("is not an address"))?;
    if parsed.path() != "/" {
        return Err(wrong("must not have a path"));
    }
    // A cookie with the purchase token never travels unencrypted.
    if !is_private(&parsed) {
        return Err(wrong("must be https"));
    }
    Ok(parsed.origin().ascii_serialization())
}
