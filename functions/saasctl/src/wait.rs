//! Waits until a change is in effect.

use std::time::Instant;

use http::Method;
use serde_json::Value;
use shared::domain::OperationId;
use uuid::Uuid;

use crate::api::{Api, ApiCall};
use crate::command_error::CommandError;
use crate::options::{PatienceOptions, WaitOptions};
use crate::output::Output;
use crate::table::text;

/// One wait. It reports each change of what it sees, and ends when its time is over.
pub(crate) struct Wait<'a> {
    output: &'a Output,
    options: &'a PatienceOptions,
    started: Instant,
    last: String,
}

impl<'a> Wait<'a> {
    pub(crate) fn new(output: &'a Output, options: &'a PatienceOptions) -> Self {
        Self { output, options, started: Instant::now(), last: String::new() }
    }

    pub(crate) fn report(&mut self, seen: &str) {
        if self.last != seen {
            self.output.note(&format!("[{:>3} s] {seen}", self.started.elapsed().as_secs()));
            seen.clone_into(&mut self.last);
        }
    }

    /// Pauses between two checks. Fails when the time is over.
    pub(crate) async fn pause(&self) -> Result<(), CommandError> {
        if self.started.elapsed() >= self.options.timeout {
            return Err(CommandError::StillUnderWay(self.last.clone()));
        }
        tokio::time::sleep(self.options.poll).await;
        Ok(())
    }

    /// The result of a check; `None` if the API is unavailable, which does not end a wait.
    pub(crate) fn unless_down<T>(
        &mut self,
        read: Result<T, CommandError>,
    ) -> Result<Option<T>, CommandError> {
        match read {
            Ok(read) => Ok(Some(read)),
            Err(CommandError::Unavailable(detail) | CommandError::NoAnswer(detail)) => {
                self.report(&detail);
                Ok(None)
            }
            Err(failure) => Err(failure),
        }
    }
}

/// Waits until Microsoft has ended the operation, and its webhook has updated the record (F-CHP-7).
pub(crate) async fn for_change(
    api: &Api,
    output: &Output,
    id: Uuid,
    operation: Option<&OperationId>,
    options: &WaitOptions,
    in_effect: impl Fn(&Value) -> bool,
) -> Result<Value, CommandError> {
    let mut wait = Wait::new(output, &options.patience);
    if let Some(operation) = operation {
        let name = operation.escaped();
        wait.report(&format!("Microsoft has accepted the request: operation {name}"));
        loop {
            let read = api.get(format!("/{id}/operations/{name}")).await;
            let read = wait.unless_down(read)?;
            match read.as_ref().map(|read| text(&read["status"])).as_deref() {
                Some("Succeeded") => break,
                Some(status @ ("Failed" | "Conflict")) => {
                    return Err(CommandError::Ended {
                        operation: operation.clone(),
                        status: status.to_owned(),
                    });
                }
                // A status that we don't know isn't final (F-CHP-6).
                Some(status) => wait.report(&format!("operation {name} is {status}")),
                None => {}
            }
            wait.pause().await?;
        }
    }
    loop {
        let read = api.get(format!("/{id}")).await;
        if let Some(record) = wait.unless_down(read)? {
            if in_effect(&record["subscription"]) {
                wait.report("the change is in effect");
                return Ok(record);
            }
            wait.report("Microsoft has made the change; waiting for its webhook");
        }
        wait.pause().await?;
    }
}

/// Waits until Microsoft's copy is active (F-ACT-3).
pub(crate) async fn for_activation(
    api: &Api,
    output: &Output,
    id: Uuid,
    options: &WaitOptions,
) -> Result<Value, CommandError> {
    let mut wait = Wait::new(output, &options.patience);
    loop {
        let read = api.call(&ApiCall::new(Method::POST, format!("/{id}/observe"))).await;
        if let Some(answer) = wait.unless_down(read)? {
            let status = text(&answer.body["subscription"]["saasSubscriptionStatus"]);
            wait.report(&format!("the subscription is {status}"));
            match status.as_str() {
                "Subscribed" => return Ok(answer.body),
                "Suspended" | "Unsubscribed" => {
                    return Err(CommandError::Refused {
                        code: status.to_ascii_lowercase(),
                        detail: format!("the subscription is {status}"),
                    });
                }
                _ => {}
            }
        }
        wait.pause().await?;
    }
}
