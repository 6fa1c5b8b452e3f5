//! The credentials that end, and where their ends are written.

use std::sync::Arc;

use super::secret::one_of_all;
use crate::host::credential::{Credential, WrittenEnd};
use crate::host::environment::{ConfigError, Environment, parse};
use crate::host::http_client::Transport;

/// Each credential's setting, and the setting or the member of the JSON with its end.
const ENDS: [(&str, &str); 2] = [
    ("ENTRA_CLIENT_SECRET", "ENTRA_CLIENT_SECRET_EXPIRES"),
    ("LANDING_CLIENT_SECRET", "LANDING_CLIENT_SECRET_EXPIRES"),
];

/// Reads `…_EXPIRES` of every credential. The JSON that holds all secrets may hold the ends, too.
pub fn credentials(
    environment: &Environment,
    transport: &Arc<dyn Transport>,
) -> Result<Vec<Credential>, ConfigError> {
    const PURPOSE: &str = "when the client secret ends, as in 2027-03-01";
    let read = |(name, end)| {
        let given = environment.get(end);
        let given: Option<WrittenEnd> = given.map(|text| parse(end, &text, PURPOSE)).transpose()?;
        Ok(Credential { name, given, beside: one_of_all(environment, transport, end)? })
    };
    ENDS.into_iter().map(read).collect()
}
