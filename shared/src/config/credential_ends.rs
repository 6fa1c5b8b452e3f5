//! The credentials that end, and where their ends are written.

use std::sync::Arc;

use super::credential::{CredentialNames, Kind};
use super::secret::one_of_all;
use super::{landing_app, microsoft};
use crate::host::environment::{ConfigError, Environment, parse};
use crate::host::http_client::Transport;
use crate::microsoft::entra::{EndSource, EndingCredential, WrittenEnd};

/// Each application's credential, and the setting or the member of the JSON with the end of its secret.
const ENDS: [(&CredentialNames, &str); 2] = [
    (&microsoft::CREDENTIAL, "ENTRA_CLIENT_SECRET_EXPIRES"),
    (&landing_app::CREDENTIAL, "LANDING_CLIENT_SECRET_EXPIRES"),
];

/// Reads where the end of each secret and certificate is written. The JSON that holds all secrets may
/// hold the ends, too. An identity at AWS or Azure has no end.
pub fn credential_ends(
    environment: &Environment,
    transport: &Arc<dyn Transport>,
) -> Result<Vec<EndingCredential>, ConfigError> {
    let mut ends = Vec::new();
    for of in ENDS {
        ends.extend(end_of(environment, transport, of)?);
    }
    Ok(ends)
}

/// The same for the credential that Microsoft's API is called with.
pub(super) fn entra_end(
    environment: &Environment,
    transport: &Arc<dyn Transport>,
) -> Result<Option<EndingCredential>, ConfigError> {
    end_of(environment, transport, ENDS[0])
}

fn end_of(
    environment: &Environment,
    transport: &Arc<dyn Transport>,
    (names, end): (&CredentialNames, &'static str),
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
