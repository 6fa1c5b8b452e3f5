//! The runs of the reconciliation: what they found, and starting, pausing and resuming them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use shared::host::http::{Principal, Problem, Request, Response, json as json_response};
use shared::store::{Checkpoint, Pause, StoreError};
use tracing::{error, info};

use crate::error_code::ErrorCode;
use crate::idempotency::Idempotency;
use crate::problem::store_problem;
use crate::{Management, cursor};

impl Management {
    /// The run that goes on, and the last ones. Runs that had nothing to say are one entry.
    pub(crate) async fn reconciliations(
        &self,
        limit: u8,
        next: Option<&str>,
    ) -> Result<Response, Problem> {
        let read = tokio::try_join!(
            self.checkpoints.checkpoint(),
            self.runs.dry_run(),
            self.runs.pause(),
            self.runs.runs(limit, next),
        );
        let (checkpoint, dry_run, pause, page) = read.map_err(|error| match error {
            StoreError::BadPosition => cursor::not_a_cursor(),
            error => store_problem(error),
        })?;
        let answer = json!({
            "current": under_way(&checkpoint),
            "dryRun": under_way(&dry_run),
            "pause": pause,
            "quietRuns": checkpoint.quiet_runs,
            "lastFullRound": checkpoint.last_round,
            "runs": page.items,
            "next": page.next.as_deref().map(cursor::encode),
        });
        Ok(json_response(StatusCode::OK, &answer))
    }

    /// Starts a run. The same idempotency key names the same run, so a repetition starts none.
    pub(crate) async fn reconcile(
        &self,
        dry_run: bool,
        request: &Request,
    ) -> Result<Response, Problem> {
        let name = match Idempotency::key(request)? {
            Some(key) => URL_SAFE_NO_PAD.encode(digest(&SHA256, key.as_bytes())),
            None => self.clock.new_id().to_string(),
        };
        let name = format!("{}-{name}", if dry_run { "dry-run" } else { "run" });
        let starter = self.settings.starter.as_ref().ok_or_else(|| {
            ErrorCode::NotStartable
                .with("runs can't be started here; the schedule starts the next one")
        })?;
        if !dry_run && self.runs.pause().await.map_err(store_problem)?.is_some() {
            return Err(ErrorCode::ReconciliationPaused
                .with("the reconciliation is paused: resume it, or start a dry run"));
        }
        let started_at = self.clock.now();
        starter.start(&name, dry_run).await.map_err(|error| {
            let class = error.class();
            error!(%error, class = class.name(), metric = class.metric(), "could not start a run");
            Problem::of_class(class)
        })?;
        info!(run = name, dry_run, "started a run of the reconciliation");
        let answer = json!({ "name": name, "dryRun": dry_run, "startedAt": started_at });
        Ok(json_response(StatusCode::ACCEPTED, &answer))
    }

    /// Pauses the runs. A pause that is there already keeps its time.
    pub(crate) async fn pause(&self, note: String, request: &Request) -> Result<Response, Problem> {
        let earlier = self.runs.pause().await.map_err(store_problem)?;
        let since = earlier.map_or_else(|| self.clock.now(), |pause| pause.since);
        let pause = Pause { since, note, by: Principal::of(request) };
        self.runs.save_pause(Some(&pause)).await.map_err(store_problem)?;
        info!(%since, by = Principal::logged(request), "paused the reconciliation");
        Ok(json_response(StatusCode::OK, &json!({ "pause": pause })))
    }

    pub(crate) async fn resume(&self) -> Result<Response, Problem> {
        self.runs.save_pause(None).await.map_err(store_problem)?;
        info!("resumed the reconciliation");
        Ok(json_response(StatusCode::OK, &json!({ "pause": null })))
    }
}

/// A run that goes on, as far as its last page.
fn under_way(checkpoint: &Checkpoint) -> Value {
    if !checkpoint.is_under_way() {
        return Value::Null;
    }
    let mut run = json!(checkpoint.findings);
    run["begunAt"] = json!(checkpoint.begun_at);
    for (name, number) in [
        ("pages", checkpoint.pages),
        ("examined", checkpoint.examined),
        ("repaired", checkpoint.repaired),
        ("left", checkpoint.left),
        ("failed", checkpoint.failed),
    ] {
        run[name] = json!(number);
    }
    run
}
