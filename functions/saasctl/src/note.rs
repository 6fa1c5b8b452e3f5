//! Adds a note about a subscription.

use std::time::Duration;

use http::Method;
use serde_json::json;
use uuid::Uuid;

use crate::act::send;
use crate::api::{Api, ApiCall};
use crate::command_error::CommandError;
use crate::output::Output;
use crate::table::when;

/// Between two attempts.
const PAUSE: Duration = Duration::from_secs(1);

pub(crate) async fn add_note(
    api: &Api,
    output: &Output,
    id: Uuid,
    text: &str,
    key: Option<String>,
) -> Result<(), CommandError> {
    let key = key.unwrap_or_else(|| Uuid::new_v4().to_string());
    let call = ApiCall::new(Method::POST, format!("/{id}/notes")).body(json!({ "text": text }));
    let note =
        send(api, output, &call.key(&key), PAUSE).await.map_err(|failure| match failure {
            // The API may have stored the note before its answer was lost.
            CommandError::NoAnswer(detail) => {
                CommandError::NoAnswer(format!("{detail}; to retry this request, add --key {key}"))
            }
            failure => failure,
        })?;
    if output.json {
        return output.print(&note.to_string());
    }
    output.print(&format!("The note of {} is in the history.", when(&note["at"], false)))
}
