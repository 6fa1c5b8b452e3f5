//! The reconciliation: what its runs found, and starting, pausing and resuming it.

mod printed;

use http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::api::{Api, ApiCall};
use crate::command_error::CommandError;
use crate::options::PatienceOptions;
use crate::output::Output;
use crate::reconciliation_options::ReconciliationCommand;
use crate::table::{terminal_width, text};
use crate::wait::Wait;

const PATH: &str = "/reconciliations";

pub(crate) async fn run(
    api: &Api,
    output: &Output,
    command: &ReconciliationCommand,
) -> Result<(), CommandError> {
    match command {
        ReconciliationCommand::Drift(options) if options.dry_run => {
            let run = complete(api, output, true, None, &options.patience).await?;
            print_run(output, &run)
        }
        ReconciliationCommand::Drift(options) => {
            let shown = overview(api, options.limit).await?;
            output.print(&match output.json {
                true => shown.to_string(),
                false => printed::overview(&shown, terminal_width()),
            })
        }
        ReconciliationCommand::Reconcile { key, wait: true, patience } => {
            let run = complete(api, output, false, key.as_deref(), patience).await?;
            print_run(output, &run)
        }
        ReconciliationCommand::Reconcile { key, .. } => {
            let started = start(api, false, key.as_deref()).await?;
            output.print(&match output.json {
                true => started.to_string(),
                false => format!(
                    "Started the run {}.\nTo see what it finds: saasctl drift",
                    text(&started["name"])
                ),
            })
        }
        ReconciliationCommand::PauseRuns { note } => {
            let body = json!({ "note": note });
            pause(api, output, "pause", Some(body), "The reconciliation is paused.").await
        }
        ReconciliationCommand::ResumeRuns => {
            pause(api, output, "resume", None, "The reconciliation is resumed.").await
        }
    }
}

async fn overview(api: &Api, limit: u8) -> Result<Value, CommandError> {
    let call = ApiCall::at(Method::GET, format!("{PATH}?limit={limit}"));
    api.call(&call).await.map(|answer| answer.body)
}

async fn start(api: &Api, dry_run: bool, key: Option<&str>) -> Result<Value, CommandError> {
    let key = key.map_or_else(|| Uuid::new_v4().to_string(), str::to_owned);
    let call = ApiCall::at(Method::POST, PATH.to_owned()).key(&key);
    let answer = api.call(&call.body(json!({ "dryRun": dry_run }))).await;
    answer.map(|answer| answer.body).map_err(|failure| match failure {
        CommandError::NoAnswer(detail) => CommandError::OutcomeUnknown(format!(
            "{detail}; the run may have been started: `saasctl drift` shows it"
        )),
        failure => failure,
    })
}

/// Starts a run, and waits until one has ended after that. What a run has to say is returned; null if it
/// found nothing.
async fn complete(
    api: &Api,
    output: &Output,
    dry_run: bool,
    key: Option<&str>,
    options: &PatienceOptions,
) -> Result<Value, CommandError> {
    let started = start(api, dry_run, key).await?;
    let started_at = time(&started["startedAt"]);
    let is_over = |at: &Value| time(at).is_some_and(|at| Some(at) >= started_at);
    let mut wait = Wait::new(output, options);
    wait.report(&format!("started {}", text(&started["name"])));
    loop {
        let read = overview(api, 10).await;
        if let Some(mut shown) = wait.unless_down(read)? {
            let runs = shown["runs"].as_array_mut().into_iter().flatten();
            let mut ended = runs.filter(|run| run["dryRun"] == dry_run && is_over(&run["endedAt"]));
            if let Some(run) = ended.next() {
                return Ok(run.take());
            }
            if !dry_run && is_over(&shown["quietRuns"]["lastEndedAt"]) {
                return Ok(Value::Null);
            }
            let current = &shown[if dry_run { "dryRun" } else { "current" }];
            if !current.is_null() {
                wait.report(&printed::counts(current, dry_run));
            }
        }
        wait.pause().await.map_err(|failure| match failure {
            CommandError::StillUnderWay(last) => CommandError::RunUnderWay(last),
            failure => failure,
        })?;
    }
}

fn time(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

fn print_run(output: &Output, run: &Value) -> Result<(), CommandError> {
    output.print(&match (output.json, run.is_null()) {
        (true, _) => run.to_string(),
        (false, true) => "Nothing differed.".to_owned(),
        (false, false) => printed::run(run, terminal_width()),
    })
}

async fn pause(
    api: &Api,
    output: &Output,
    action: &str,
    body: Option<Value>,
    done: &str,
) -> Result<(), CommandError> {
    let call = ApiCall::at(Method::POST, format!("{PATH}/{action}"));
    let call = match body {
        Some(body) => call.body(body),
        None => call,
    };
    let answer = api.call(&call).await?.body;
    match output.json {
        true => output.print(&answer.to_string()),
        false => output.print(done),
    }
}
