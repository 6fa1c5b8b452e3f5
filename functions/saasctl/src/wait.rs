//! Staying until something has come to its end.

use std::time::Instant;

use http::Method;
use serde_json::Value;
use uuid::Uuid;

use crate::api::{Api, Call};
use crate::arguments::Follow;
use crate::failure::Failure;
use crate::table::{Output, text};

/// One wait: says what it sees when that changes, and ends with its time.
struct Wait<'a> {
    output: &'a Output,
    follow: &'a Follow,
    begun: Instant,
    said: String,
}

impl<'a> Wait<'a> {
    fn new(output: &'a Output, follow: &'a Follow) -> Self {
        Self { output, follow, begun: Instant::now(), said: String::new() }
    }

    fn says(&mut self, what: &str) {
        if self.said != what {
            self.output.note(&format!("[{:>3} s] {what}", self.begun.elapsed().as_secs()));
            what.clone_into(&mut self.said);
        }
    }

    /// Pauses, unless the time is up.
    async fn pause(&self) -> Result<(), Failure> {
        if self.begun.elapsed() >= self.follow.timeout {
            return Err(Failure::StillUnderWay(self.said.clone()));
        }
        tokio::time::sleep(self.follow.poll).await;
        Ok(())
    }

    /// What was read; a moment's trouble doesn't end a wait.
    fn unless_down<T>(&mut self, read: Result<T, Failure>) -> Result<Option<T>, Failure> {
        match read {
            Ok(read) => Ok(Some(read)),
            Err(Failure::Unavailable(what) | Failure::NoAnswer(what)) => {
                self.says(&what);
                Ok(None)
            }
            Err(failure) => Err(failure),
        }
    }
}

/// Until Microsoft has ended the operation and its webhook has brought the end here (F-CHP-7).
pub async fn for_change(
    api: &Api,
    output: &Output,
    id: Uuid,
    operation: Option<Uuid>,
    follow: &Follow,
    in_force: impl Fn(&Value) -> bool,
) -> Result<Value, Failure> {
    let mut wait = Wait::new(output, follow);
    if let Some(operation) = operation {
        wait.says(&format!("Microsoft was asked: operation {operation}"));
        loop {
            let read = api.get(format!("/{id}/operations/{operation}")).await;
            let read = wait.unless_down(read)?;
            match read.as_ref().map(|read| text(&read["status"])).as_deref() {
                Some("Succeeded") => break,
                Some(status @ ("Failed" | "Conflict")) => {
                    return Err(Failure::Ended { operation, status: status.to_owned() });
                }
                // A word we don't know isn't final (F-CHP-6).
                Some(status) => wait.says(&format!("operation {operation} is {status}")),
                None => {}
            }
            wait.pause().await?;
        }
    }
    loop {
        let read = api.get(format!("/{id}")).await;
        if let Some(record) = wait.unless_down(read)? {
            if in_force(&record["subscription"]) {
                wait.says("in force");
                return Ok(record);
            }
            wait.says("Microsoft has done it; waiting for its webhook");
        }
        wait.pause().await?;
    }
}

/// Until Microsoft's copy says that it is active (F-ACT-3).
pub async fn for_activation(
    api: &Api,
    output: &Output,
    id: Uuid,
    follow: &Follow,
) -> Result<Value, Failure> {
    let mut wait = Wait::new(output, follow);
    loop {
        let read = api.call(&Call::new(Method::POST, format!("/{id}/observe"))).await;
        if let Some(answer) = wait.unless_down(read)? {
            let status = text(&answer.body["subscription"]["saasSubscriptionStatus"]);
            wait.says(&format!("the subscription is {status}"));
            match status.as_str() {
                "Subscribed" => return Ok(answer.body),
                "Suspended" | "Unsubscribed" => {
                    return Err(Failure::Refused {
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
