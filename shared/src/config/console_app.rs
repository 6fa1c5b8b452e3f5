//! The staff console's own application at Entra, and where the publisher's staff see the console.

use std::sync::Arc;

use super::Dependencies;
use super::aws::Aws;
use super::credential::CredentialNames;
use super::guid::Guid;
use super::microsoft::Microsoft;
use super::secret::SecretNames;
use super::web_app::WebAppNames;
use crate::host::cloudwatch::Alarms;
use crate::host::environment::{ConfigError, Environment};
use crate::host::origin::OriginSetting;
use crate::microsoft::entra::WebApp;

/// Where the publisher's staff see the console.
pub const CONSOLE_BASE_URL: OriginSetting = OriginSetting {
    name: "CONSOLE_BASE_URL",
    purpose: "the origin of the staff console, such as https://staff.example.com",
};

/// A deployment without it has no console.
pub(super) const CLIENT_ID: &str = "CONSOLE_CLIENT_ID";

pub(super) const CREDENTIAL: CredentialNames = CredentialNames {
    kind: "CONSOLE_CREDENTIAL",
    secret: SecretNames {
        secret: "CONSOLE_CLIENT_SECRET",
        arn: "CONSOLE_CLIENT_SECRET_ARN",
        purpose: "the secret of the staff console's app; \
                  or CONSOLE_CLIENT_SECRET_ARN, where Secrets Manager keeps it",
    },
    certificate: "CONSOLE_CLIENT_CERTIFICATE",
};

const APP: WebAppNames = WebAppNames {
    client_id: CLIENT_ID,
    client_purpose: "the staff console's own app registration at Entra",
    credential: &CREDENTIAL,
    cookie_key: "CONSOLE_COOKIE_KEY",
};

/// Reads `ALARM_NAME_PREFIX`: how the names of the deployment's alarms begin. `None` where CloudWatch keeps
/// none.
pub fn alarms(
    environment: &Environment,
    dependencies: &Dependencies,
) -> Result<Option<Arc<dyn Alarms>>, ConfigError> {
    let Some(prefix) = environment.get("ALARM_NAME_PREFIX") else { return Ok(None) };
    let aws = Aws::read(environment, &dependencies.transport)?;
    Ok(Some(Arc::new(aws.cloudwatch(environment, prefix)?)))
}

impl Microsoft {
    /// Reads `CONSOLE_CLIENT_ID`, its secret, and the directory whose people sign in: `CONSOLE_TENANT_ID`,
    /// or else that of the app in Partner Center's technical configuration.
    pub fn console_app(&self, environment: &Environment) -> Result<WebApp, ConfigError> {
        const TENANT: &str = "the directory whose people sign in to the staff console";
        let tenant = environment.parse_or("CONSOLE_TENANT_ID", Guid(self.tenant_id), TENANT)?.0;
        APP.read(environment, self, Some(tenant))
    }
}
