//! The erasure of a subscription's personal data.

use http::Method;
use uuid::Uuid;

use crate::act::confirmed;
use crate::api::{Api, ApiCall};
use crate::command_error::CommandError;
use crate::output::Output;
use crate::record::record_text;
use crate::table::text;

/// Erases, after a confirmation unless `yes` is set. A repetition changes nothing.
pub(crate) async fn erase(
    api: &Api,
    output: &Output,
    id: Uuid,
    if_version: Option<u64>,
    yes: bool,
) -> Result<(), CommandError> {
    if !yes {
        confirm(api, output, id).await?;
    }
    let call = ApiCall::new(Method::POST, format!("/{id}/erase")).if_version(if_version);
    let record = api.call(&call).await?.body;
    output.print(&record_text(output, &record))
}

async fn confirm(api: &Api, output: &Output, id: Uuid) -> Result<(), CommandError> {
    let record = api.get(format!("/{id}")).await?;
    let subscription = &record["subscription"];
    // The API refuses to erase one that goes on, so there is nothing to ask.
    if subscription["saasSubscriptionStatus"] != "Unsubscribed" {
        return Ok(());
    }
    output.note(&format!(
        "This erases who bought and used {} {} ({}), which has ended, and what they entered, in the \
         record and in its events, for good.",
        text(&subscription["id"]),
        text(&subscription["name"]),
        text(&subscription["planId"]),
    ));
    confirmed(output, "Type yes to erase it:")
}
