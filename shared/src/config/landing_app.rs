//! The landing page's own application at Entra (F-LP-6, F-AUTH-9), and where buyers see the page.

use super::credential::CredentialNames;
use super::microsoft::Microsoft;
use super::secret::SecretNames;
use super::web_app::WebAppNames;
use crate::host::environment::{ConfigError, Environment};
use crate::host::origin::OriginSetting;
use crate::microsoft::entra::WebApp;

/// Where buyers see the landing page.
pub const LANDING_BASE_URL: OriginSetting = OriginSetting {
    name: "LANDING_BASE_URL",
    purpose: "the origin of the landing page, such as https://signup.example.com",
};

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

const APP: WebAppNames = WebAppNames {
    client_id: "LANDING_CLIENT_ID",
    client_purpose: "the landing page's own app registration at Entra",
    credential: &CREDENTIAL,
    cookie_key: "LANDING_COOKIE_KEY",
};

impl Microsoft {
    /// Reads `LANDING_CLIENT_ID` and its secret. People of every directory sign in.
    pub fn landing_app(&self, environment: &Environment) -> Result<WebApp, ConfigError> {
        APP.read(environment, self, None)
    }
}
