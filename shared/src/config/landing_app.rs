//! The landing page's own application at Entra (F-LP-6, F-AUTH-9).

use std::sync::Arc;

use uuid::Uuid;

use super::microsoft::{Guid, Microsoft};
use super::origin::Origin;
use super::secret::SecretNames;
use crate::host::environment::{ConfigError, Environment, parse};
use crate::host::http_client::Transport;
use crate::host::secret::ClientSecret;

pub struct LandingApp {
    /// Entra's address, for us and for the buyer's browser; no trailing slash.
    pub authority: String,
    pub client_id: Uuid,
    pub secret: ClientSecret,
    pub origin: Origin,
    pub transport: Arc<dyn Transport>,
}

const SECRET: SecretNames = SecretNames {
    secret: "LANDING_CLIENT_SECRET",
    arn: "LANDING_CLIENT_SECRET_ARN",
    purpose: "the secret of the landing page's app; \
              or LANDING_CLIENT_SECRET_ARN, where Secrets Manager keeps it",
};

impl Microsoft {
    /// Reads `LANDING_CLIENT_ID` and its secret.
    pub fn landing_app(
        &self,
        environment: &Environment,
        origin: Origin,
    ) -> Result<LandingApp, ConfigError> {
        const CLIENT: &str = "the landing page's own app registration at Entra";
        let client_id = environment.require("LANDING_CLIENT_ID", CLIENT)?;
        Ok(LandingApp {
            authority: self.authority.clone(),
            client_id: parse::<Guid>("LANDING_CLIENT_ID", &client_id, CLIENT)?.0,
            secret: SECRET.read(environment, &self.transport)?,
            origin,
            transport: self.transport.clone(),
        })
    }
}
