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

use serde_json::{Value, json};
use shared::config::{Dependencies, ManagementSettings, Microsoft};
use shared::host::clock::Clock;
use shared::host::deadline::with_limit;
use shared::host::http::GatewayHost;
use shared::host::http_client::Transport;
use shared::host::version::version;
use shared::microsoft::entra::EndingCredential;
use shared::publisher::receiver::ReceiverSettings;
use shared::store::{
    Attempts, Checkpoints, Inspection, Outbox, Receivers, Runs, Sightings, Store, Target,
};
use tracing::{error, info, warn};

use finding::{Finding, Outcome};

/// How long each check may take. Together they take no longer, and the caller waits twice as long.
const LIMIT: Duration = Duration::from_secs(9);

/// What an examination may touch.
pub(crate) struct Doctor {
    microsoft: Microsoft,
    transport: Arc<dyn Transport>,
    store: Arc<dyn Store>,
    checkpoints: Arc<dyn Checkpoints>,
    runs: Arc<dyn Runs>,
    sightings: Arc<dyn Sightings>,
    inspection: Arc<dyn Inspection>,
    outbox: Arc<dyn Outbox>,
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
            outbox: settings.outbox.clone(),
            attempts: settings.attempts.clone(),
            receivers: settings.receiver_states.clone(),
            targets: settings.targets(),
            receiver_settings: settings.receivers.clone(),
            end: settings.end.clone(),
            bytes: settings.bytes,
            clock: dependencies.clock.clone(),
        }
    }

    /// Makes every check. `gateway` is the host that the API was asked at, if a gateway says so.
    pub(crate) async fn examine(&self, gateway: Option<&GatewayHost>) -> Value {
        let findings = self.findings(gateway.map(|GatewayHost(host)| host.as_str())).await;
        let count = |outcome| findings.iter().filter(|each| each.outcome == outcome).count() as u64;
        for finding in &findings {
            let Finding { check, outcome, says, .. } = finding;
            let class = finding.class().name();
            match outcome {
                Outcome::Failed => error!(check, says, class, "a check of the deployment failed"),
                Outcome::Warning => warn!(check, says, class, "a check of the deployment warns"),
                Outcome::Ok | Outcome::Unknown => {}
            }
        }
        info!(
            warnings = count(Outcome::Warning),
            unknown = count(Outcome::Unknown),
            metric = "failed_checks",
            value = count(Outcome::Failed),
            "examined the deployment"
        );
        json!({ "checks": findings, "version": version() })
    }

    async fn findings(&self, gateway: Option<&str>) -> Vec<Finding> {
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
        );
        vec![
            token,
            list,
            table::table(table),
            table::indexes(indexes),
            stream,
            secrets,
            credential::other_secrets(),
            webhook::webhook(&seen, gateway, now),
            schedules::sweep(&seen, targets, now),
            schedules::reconciliation(checkpoint, pause, now),
            clock,
            settings::settings(self.bytes, gateway.is_some()),
            credential,
            events,
        ]
    }

    async fn limited<F: Future>(&self, check: F) -> F::Output {
        with_limit(self.clock.now(), LIMIT, check).await
    }
}

#[cfg(test)]
mod tests;
