//! `saasctl restore`: prepares a table that was restored to a point in time for the functions.
//!
//! It reaches the table itself, since no function may use it yet.

use std::sync::Arc;

use aws_credential_types::provider::ProvideCredentials as _;
use serde_json::json;
use shared::flows::restore::{FormerTable, RestoreError, Restored, RestoredTable, restore};
use shared::host::clock::{Clock, SystemClock};
use shared::host::environment::Environment;
use shared::host::http_client::{HttpClient, Transport};
use shared::host::retry::Transient as _;
use shared::store::StoreError;

use crate::act::confirmed;
use crate::command_error::CommandError;
use crate::connection::Connection;
use crate::output::Output;
use crate::sign::{SigningError, identity};

/// Prepares the table with this name, after a confirmation unless `yes` is set.
pub(crate) async fn restore_table(
    output: &Output,
    connection: &Connection,
    name: &str,
    former: Option<&str>,
    yes: bool,
) -> Result<(), CommandError> {
    let (provider, region) = identity(connection).await?;
    let credentials = provider.provide_credentials().await.map_err(SigningError::from)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let transport: Arc<dyn Transport> = Arc::new(HttpClient::default());
    let reach = |table: &str| {
        let (table, region, credentials) = (table.to_owned(), region.clone(), credentials.clone());
        let environment = Environment::from_fn(move |name| match name {
            "TABLE_NAME" => Some(table.clone()),
            "AWS_REGION" => Some(region.clone()),
            "AWS_ACCESS_KEY_ID" => Some(credentials.access_key_id().to_owned()),
            "AWS_SECRET_ACCESS_KEY" => Some(credentials.secret_access_key().to_owned()),
            "AWS_SESSION_TOKEN" => credentials.session_token().map(str::to_owned),
            name => std::env::var(name).ok(),
        });
        shared::config::table(&environment, &transport, clock.clone())
            .map_err(|error| refused("configuration", error.to_string()))
    };
    let former_name = former.unwrap_or_default();
    let former = former.map(&reach).transpose()?;
    let former = former.map(|table| FormerTable { store: table.clone(), erasures: table });
    let table = reach(name)?;
    let table = RestoredTable {
        store: table.clone(),
        restoration: table.clone(),
        checkpoints: table.clone(),
        outbox: table.clone(),
        receivers: table.clone(),
        annotations: table.clone(),
        erasures: table,
    };
    if former_name == name {
        let detail =
            "--erasures-from names the restored table itself, not the one that it replaces";
        return Err(refused("same_table", detail.to_owned()));
    }
    let earlier = table.store.epoch().await.map_err(RestoreError::from).map_err(failure)?;
    if !yes {
        output.note(&format!(
            "This raises the version of every record in the table {name} ({region}), and starts the \
             reconciliation anew, which then tells your product what each subscription is."
        ));
        if earlier > 0 {
            output.note("It was done to this table before. Repeat it only after another restore.");
        }
        match &former {
            Some(_) => output.note(&format!(
                "It also repeats the erasures of personal data that {former_name} lists."
            )),
            None => output.note(
                "Erasures of personal data since the point in time are not repeated. \
                 `--erasures-from` names the table that lists them.",
            ),
        }
        confirmed(output, "Type yes if the table was restored to a point in time:")?;
    }
    let progress = |raised| output.progress(&format!("{raised} records so far"));
    let restored = restore(&table, former.as_ref(), clock.clone(), progress).await;
    output.progress("");
    report(output, restored.map_err(failure)?)
}

fn report(output: &Output, restored: Restored) -> Result<(), CommandError> {
    let Restored { epoch, raised, erased, unreadable, parked } = restored;
    if !unreadable.is_empty() {
        let reasons: Vec<_> =
            unreadable.into_iter().map(|(id, reason)| format!("{id}: {reason}")).collect();
        return Err(refused(
            "unreadable_records",
            format!(
                "{raised} records are done, and these can't be read:\n  {}",
                reasons.join("\n  ")
            ),
        ));
    }
    if output.json {
        let parked: Vec<_> = parked
            .into_iter()
            .map(|(id, target)| json!({ "subscriptionId": id, "target": target.name() }))
            .collect();
        let answer =
            json!({ "epoch": epoch, "raised": raised, "erased": erased, "parked": parked });
        return output.print(&answer.to_string());
    }
    output.print(&format!("Raised {raised} records to versions after {epoch}."))?;
    if erased > 0 {
        output.print(&format!("Erased the personal data of {erased} subscriptions again."))?;
    }
    for (id, target) in parked {
        output.print(&format!(
            "The events of {id} were parked for the {}: `saasctl redeliver {id}` sends them.",
            target.name()
        ))?;
    }
    Ok(())
}

fn failure(error: RestoreError) -> CommandError {
    let detail = error.to_string();
    match error {
        RestoreError::Store(error) if error.is_transient() => CommandError::Unavailable(detail),
        RestoreError::Store(StoreError::Refused { .. }) => refused("table_refused", detail),
        RestoreError::Store(_) => refused("unreadable_table", detail),
        RestoreError::ClockIsBehind(_) => refused("clock_is_behind", detail),
        RestoreError::Contended => CommandError::Unavailable(detail),
    }
}

fn refused(code: &str, detail: String) -> CommandError {
    CommandError::Refused { code: code.to_owned(), detail }
}
