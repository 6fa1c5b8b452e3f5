//! The landing page's own application at Entra (F-LP-6, F-AUTH-9).

use std::sync::Arc;

use uuid::Uuid;

use super::microsoft::{Guid, Microsoft};
use super::secret::SecretNames;
use crate::host::environment::{ConfigError, Environment, parse};
use crate::host::http_client::Transport;
use crate::host::secret::ClientSecret;

/// As whom, from where and back to where buyers are sent to sign in.
pub struct LandingApp {
    /// Where Entra is, for us and for a buyer's browser; no trailing slash.
    pub authority: String,
    /// The application.
    pub client_id: Uuid,
    /// Its secret.
    pub secret: ClientSecret,
    /// The origin buyers see the landing page under; no trailing slash.
    pub base_url: String,
    /// The way out.
    pub transport: Arc<dyn Transport>,
}

const SECRET: SecretNames = SecretNames {
    secret: "LANDING_CLIENT_SECRET",
    arn: "LANDING_CLIENT_SECRET_ARN",
    purpose: "the secret of the landing page's app; or LANDING_CLIENT_SECRET_ARN, where Secrets Manager keeps it",
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

/// An origin alone: the pages' paths and their cookies start at its root.
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
    // A cookie with the purchase token never travels in the clear.
    let is_loopback = match parsed.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    };
    if parsed.scheme() != "https" && !is_loopback {
        return Err(wrong("must be https"));
    }
    Ok(parsed.origin().ascii_serialization())
}
