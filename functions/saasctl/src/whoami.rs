//! Which deployment the commands reach, and as whom.

use std::time::Duration;

use serde_json::json;

use crate::api::{Api, ApiCall};
use crate::command_error::CommandError;
use crate::output::Output;
use crate::printable::printable;
use crate::table::Table;

/// How long AWS may take to say who signs.
const AWS_WITHIN: Duration = Duration::from_secs(10);

pub(crate) async fn whoami(api: &Api, output: &Output) -> Result<(), CommandError> {
    let principal = match api.signer() {
        Some(signer) => Some(
            signer
                .principal(AWS_WITHIN)
                .await
                .map_err(|error| CommandError::Unavailable(error.to_string()))?,
        ),
        None => None,
    };
    let region = api.signer().map(|signer| signer.region());
    // The description holds nobody's data.
    let answered = api.call(&ApiCall::get("/openapi.json".to_owned())).await;
    let version = answered.as_ref().ok().and_then(|answer| answer.version.as_deref());
    let text = if output.json {
        let known = json!({
            "url": api.base(), "principal": principal, "region": region, "version": version,
        });
        known.to_string()
    } else {
        let mut table = Table::unwrapped(&[]);
        let nobody = || "unsigned requests; --aws signs them".to_owned();
        let rows = [
            ("API", Some(api.base().to_owned())),
            ("Version", version.map(str::to_owned)),
            ("You", Some(principal.as_deref().map_or_else(nobody, printable))),
            ("Region", region.map(str::to_owned)),
        ];
        for (name, value) in rows {
            if let Some(value) = value {
                table.row([name.to_owned(), value]);
            }
        }
        table.or_if_empty("")
    };
    output.print(&text)?;
    // Who is refused learns above as whom.
    answered.map(|_| ())
}
