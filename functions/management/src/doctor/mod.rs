//! Why doesn't it work? Examines what belongs to the functions, under this function's own identity.
//!
//! The checks run at the same time, each with its own limit, so that none hides another. What can't be
//! checked from here says so. `saasctl doctor` adds what must be seen from outside.

mod ago;
mod clock;
mod credential;
mod events;
mod finding;
mod microsoft;
mod schedules;
mod settings;
mod table;
mod test_event;
mod webhook;

use std::sync::Arc;
use std::time::Duration;

use shared::config::{Dependencies, ManagementSettings, Microsoft};
use shared::host::clock::Clock;
use shared::host::deadline::with_limit;
use shared::host::http::{GatewayHost, Problem};
use shared::host::http_client::Transport;
use shared::host::version::version;
use shared::microsoft::entra::EndingCredential;
use shared::publisher::receiver::ReceiverSettings;
use shared::store::{
    Attempts, Check, CheckOutcome, Checkpoints, Examination, Examinations, Inspection, Outbox,
    Overview, Receivers, Runs, Sightings, Store, StoreError, Target,
};
use tracing::{error, info, warn};

use crate::error_code::ErrorCode;
use crate::problem::store_problem;
use finding::Finding;

/// How long each check may take. Together they take no longer, and the caller waits twice as long.
const LIMIT: Duration = Duration::from_secs(9);

/// How long it may take to keep what was found. The caller waits for it.
const SAVE_LIMIT: Duration = Duration::from_secs(2);

/// What an examination may touch.
pub(crate) struct Doctor {
    microsoft: Microsoft,
    transport: Arc<dyn Transport>,
    store: Arc<dyn Store>,
    checkpoints: Arc<dyn Checkpoints>,
    runs: Arc<dyn Runs>,
    sightings: Arc<dyn Sightings>,
    inspection: Arc<dyn Inspection>,
    examinations: Arc<dyn Examinations>,
    outbox: Arc<dyn Outbox>,
    overview: Arc<dyn Overview>,
    attempts: Arc<dyn Attempts>,
    receivers: Arc<dyn Receivers>,
    targets: Vec<Target>,
    receiver_settings: Vec<ReceiverSettings>,
    end: Option<EndingCredential>,
    /// Of the settings, as Lambda counts them.
    bytes: usize,
    clock: Arc<dyn Clock>,
}

impl Doctor {
    pub(crate) fn new(dependencies: &Dependencies, settings: &ManagementSettings) -> Self {
        Self {
            microsoft: dependencies.microsoft.clone(),
            transport: dependencies.transport.clone(),
            store: dependencies.store.clone(),
            checkpoints: dependencies.checkpoints.clone(),
            runs: dependencies.runs.clone(),
            sightings: dependencies.sightings.clone(),
            inspection: settings.inspection.clone(),
            examinations: settings.examinations.clone(),
            outbox: settings.outbox.clone(),
            overview: settings.overview.clone(),
            attempts: settings.attempts.clone(),
            receivers: settings.receiver_states.clone(),
            targets: settings.targets(),
            receiver_settings: settings.receivers.clone(),
            end: settings.end.clone(),
            bytes: settings.bytes,
            clock: dependencies.clock.clone(),
        }
    }

    /// Makes every check, and keeps what was found. `gateway` is the host that the API was asked at, if a
    /// gateway says so.
    pub(crate) async fn examine(&self, gateway: Option<&GatewayHost>) -> Examination {
        let (host, findings) = self.findings(gateway.map(|GatewayHost(host)| host.as_str())).await;
        let count = |outcome| findings.iter().filter(|each| each.outcome == outcome).count() as u64;
        for finding in &findings {
            let Finding { check, outcome, says, .. } = finding;
            let class = finding.class().name();
            match outcome {
                CheckOutcome::Failed => {
                    error!(check, says, class, "a check of the deployment failed")
                }
                CheckOutcome::Warning => {
                    warn!(check, says, class, "a check of the deployment warns");
                }
                CheckOutcome::Ok | CheckOutcome::Unknown => {}
            }
        }
        info!(
            warnings = count(CheckOutcome::Warning),
            unknown = count(CheckOutcome::Unknown),
            metric = "failed_checks",
            value = count(CheckOutcome::Failed),
            "examined the deployment"
        );
        // An examination without the host would make the next ones forget it.
        let (host, kept) = match host {
            Ok(host) => (host, Ok(())),
            Err(error) => (None, Err(error)),
        };
        let examination = Examination {
            examined_at: self.clock.now(),
            version: version().to_owned(),
            host,
            checks: findings.into_iter().map(Check::from).collect(),
        };
        let save = async {
            kept?;
            self.examinations.save_examination(&examination).await
        };
        if let Err(error) = with_limit(self.clock.now(), SAVE_LIMIT, save).await {
            let class = error.class().name();
            warn!(%error, class, "could not keep the examination; the last one is shown");
        }
        examination
    }

    /// What the last examination found.
    pub(crate) async fn last(&self) -> Result<Examination, Problem> {
        let last = self.examinations.last_examination().await.map_err(store_problem)?;
        last.ok_or_else(|| {
            ErrorCode::NotExamined
                .with("the deployment has not been examined yet; `GET /doctor` examines it")
        })
    }

    /// The API's host: as the gateway says or, where no gateway leads to this examination, as the last one
    /// that came by the gateway was told. The console's own gateway has another host.
    async fn host(&self, gateway: Option<&str>) -> Result<Option<String>, StoreError> {
        match gateway {
            Some(gateway) => Ok(Some(gateway.to_owned())),
            None => Ok(self.examinations.last_examination().await?.and_then(|last| last.host)),
        }
    }

    async fn findings(
        &self,
        gateway: Option<&str>,
    ) -> (Result<Option<String>, StoreError>, Vec<Finding>) {
        let now = self.clock.now();
        let (outbox, targets) = (&*self.outbox, self.targets.as_slice());
        let microsoft =
            microsoft::examine(&self.microsoft, self.transport.clone(), self.clock.clone());
        let (
            [token, list, clock],
            table,
            indexes,
            stream,
            secrets,
            seen,
            checkpoint,
            pause,
            credential,
            events,
            host,
        ) = tokio::join!(
            self.limited(microsoft),
            self.limited(self.store.epoch()),
            self.limited(self.inspection.indexes()),
            self.limited(events::stream(outbox, targets, now)),
            self.limited(credential::secrets(&self.microsoft)),
            self.limited(self.sightings.sightings()),
            self.limited(self.checkpoints.checkpoint()),
            self.limited(self.runs.pause()),
            self.limited(credential::end(self.end.as_ref(), now)),
            self.limited(events::events(outbox, &*self.receivers, targets, now)),
            self.limited(self.host(gateway)),
        );
        let known = host.as_ref().ok().and_then(Option::as_deref);
        let findings = vec![
            token,
            list,
            table::table(table),
            table::indexes(indexes),
            stream,
            secrets,
            credential::other_secrets(),
            webhook::webhook(&seen, known, now),
            schedules::sweep(&seen, targets, now),
            schedules::reconciliation(checkpoint, pause, now),
            clock,
            settings::settings(self.bytes, known.is_some()),
            credential,
            events,
        ];
        (host, findings)
    }

    async fn limited<F: Future>(&self, check: F) -> F::Output {
        with_limit(self.clock.now(), LIMIT, check).await
    }
}

#[cfg(test)]
mod tests;
