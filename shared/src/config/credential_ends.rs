//! The credentials that end, and where their ends are written.

use std::sync::Arc;

use super::credential::{CredentialNames, Kind};
use super::secret::one_of_all;
use super::{console_app, landing_app, microsoft};
use crate::host::environment::{ConfigError, Environment, parse};
use crate::host::http_client::Transport;
use crate::microsoft::entra::{EndSource, EndingCredential, WrittenEnd};

/// An application of the publisher's at Entra.
struct App {
    name: &'static str,
    credential: &'static CredentialNames,
    /// The setting, or the member of the JSON, with the end of its secret.
    end: &'static str,
    /// A setting that only a deployment with this application has.
    only_with: Option<&'static str>,
}

const ENTRA: App = App {
    name: "Microsoft's API",
    credential: &microsoft::CREDENTIAL,
    end: "ENTRA_CLIENT_SECRET_EXPIRES",
    only_with: None,
};

const APPS: [App; 3] = [
    ENTRA,
    App {
        name: "The landing page",
        credential: &landing_app::CREDENTIAL,
        end: "LANDING_CLIENT_SECRET_EXPIRES",
        only_with: None,
    },
    App {
        name: "The console",
        credential: &console_app::CREDENTIAL,
        end: "CONSOLE_CLIENT_SECRET_EXPIRES",
        only_with: Some(console_app::CLIENT_ID),
    },
];

/// The credential of one of the publisher's applications.
#[derive(Clone, Debug)]
pub struct AppCredential {
    /// What the application is for.
    pub app: &'static str,
    /// `None` for an identity at AWS or Azure, which has no end.
    pub ending: Option<EndingCredential>,
}

/// Reads what each application of the deployment proves itself with, and where the end of each secret and
/// certificate is written. The JSON that holds all secrets may hold the ends, too.
pub fn app_credentials(
    environment: &Environment,
    transport: &Arc<dyn Transport>,
) -> Result<Vec<AppCredential>, ConfigError> {
    let is_there = |app: &&App| app.only_with.is_none_or(|name| environment.get(name).is_some());
    let read = |app: &App| {
        let ending = end_of(environment, transport, app)?;
        Ok(AppCredential { app: app.name, ending })
    };
    APPS.iter().filter(is_there).map(read).collect()
}

/// Those of [`app_credentials`] that end.
pub fn credential_ends(
    environment: &Environment,
    transport: &Arc<dyn Transport>,
) -> Result<Vec<EndingCredential>, ConfigError> {
    let credentials = app_credentials(environment, transport)?;
    Ok(credentials.into_iter().filter_map(|credential| credential.ending).collect())
}

/// The same for the credential that Microsoft's API is called with.
pub(super) fn entra_end(
    environment: &Environment,
    transport: &Arc<dyn Transport>,
) -> Result<Option<EndingCredential>, ConfigError> {
    end_of(environment, transport, &ENTRA)
}

fn end_of(
    environment: &Environment,
    transport: &Arc<dyn Transport>,
    &App { credential: names, end, .. }: &App,
) -> Result<Option<EndingCredential>, ConfigError> {
    const PURPOSE: &str = "when the client secret ends, as in 2027-03-01";
    let given = environment.get(end);
    let given: Option<WrittenEnd> = given.map(|text| parse(end, &text, PURPOSE)).transpose()?;
    Ok(match names.kind_in(environment)? {
        Kind::Secret => {
            // A secret outside of the JSON has no end beside it.
            let is_in_json = !names.secret.is_set_in(environment);
            let beside = one_of_all(environment, transport, end)?.filter(|_| is_in_json);
            let end = EndSource::Written { given, beside };
            Some(EndingCredential { name: names.secret.secret, end })
        }
        Kind::Certificate => {
            let end = EndSource::Certificate(names.pem(environment, transport)?);
            Some(EndingCredential { name: names.certificate, end })
        }
        Kind::AwsIdentity | Kind::AzureIdentity => None,
    })
}
