//! The summary of a sweep, from which an engineer on call reads what still waits for the product, and from
//! which CloudWatch makes the metrics that alarms watch.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use shared::host::deadline;
use shared::store::{STREAM_HEAD_START, StoreError, Target, Waiting};
use tracing::{info, warn};

use crate::states::States;
use crate::{Delivery, Outlet, REQUEST_DEADLINE};

/// The result of a sweep.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whether everything that was due has been attempted.
    pub finished: bool,
    /// Subscriptions with something due.
    pub subscriptions: u64,
    /// Acceptances: an event that two receivers accepted counts twice.
    pub delivered: u64,
    /// Receivers that did not accept an event, for each subscription.
    pub refused: u64,
    /// Subscriptions for which the time was over before all their events were attempted.
    pub cut_short: u64,
    /// Subscriptions whose items could not be read or written.
    pub failed: u64,
}

/// How long a subscription waits before the summary warns about it. The stream delivers an event sooner.
const PATIENCE: SignedDuration = STREAM_HEAD_START;

impl Delivery {
    /// Logs what the sweep did, and what waits and is parked after it. `failure` ended the sweep early. A
    /// count that fails doesn't fail the sweep.
    pub(crate) async fn summarise(
        &self,
        report: &Report,
        states: &States,
        begun: Timestamp,
        failure: Option<&StoreError>,
    ) {
        let targets: Vec<Target> = self.outlets.iter().map(Outlet::target).collect();
        let is_paused =
            |target: &&Target| states.get(target).is_some_and(|state| state.paused.is_some());
        let paused = targets.iter().filter(is_paused);
        let count = self.outbox.waiting(&targets, states);
        let counted = deadline::with_deadline(begun + REQUEST_DEADLINE, count).await;
        let (waiting, uncounted) = match counted {
            Ok(waiting) => {
                self.clear_strays(&waiting, begun).await;
                (Some(waiting), None)
            }
            Err(error) => (None, Some(error)),
        };
        let now = self.clock.now();
        let not_attempted = match failure {
            Some(error) => Some(format!("the table failed: {error}")),
            None if !report.finished => Some("the sweep's time was over".to_owned()),
            None => None,
        };
        let oldest = waiting.as_ref().map(|waiting| waiting.oldest_seconds(now));
        let is_well = not_attempted.is_none()
            && report.failed == 0
            && report.refused == 0
            && waiting.as_ref().is_some_and(|waiting| waiting.parked == 0)
            && oldest.is_some_and(|oldest| i128::from(oldest) < i128::from(PATIENCE.as_secs()));
        let at =
            |target| waiting.as_ref().and_then(|waiting| waiting.by_target.get(&target).copied());
        let names = paused.map(ToString::to_string);
        let paused = names.reduce(|all, one| format!("{all} {one}"));
        // As in `crm=3 audit=1`; nothing where no endpoint has a name.
        let named = targets.iter().filter(|target| matches!(target, Target::Named(_)));
        let named = named.filter_map(|target| Some(format!("{target}={}", at(*target)?)));
        let by_name = named.reduce(|all, one| format!("{all} {one}"));
        macro_rules! summary {
            ($level:ident, $message:literal) => {
                $level!(
                    finished = report.finished,
                    subscriptions = report.subscriptions,
                    delivered = report.delivered,
                    refused = report.refused,
                    failed = report.failed,
                    cut_short = report.cut_short,
                    not_attempted,
                    waiting_subscriptions = waiting.as_ref().map(|waiting| waiting.subscriptions),
                    waiting_for_endpoint = at(Target::Endpoint),
                    waiting_for_event_bus = at(Target::EventBus),
                    waiting_for = by_name,
                    paused,
                    oldest_waiting_seconds = oldest,
                    parked_subscriptions = waiting.as_ref().map(|waiting| waiting.parked),
                    counted_all = waiting.as_ref().map(|waiting| waiting.is_complete),
                    not_counted = uncounted.as_ref().map(display),
                    metrics = "waiting_subscriptions oldest_waiting_seconds parked_subscriptions",
                    $message
                )
            };
        }
        if is_well {
            summary!(info, "swept what was due; nothing waits for long");
        } else {
            summary!(
                warn,
                "swept what was due; events wait for a receiver, are parked or were left"
            );
        }
    }

    /// The rest is cleared by the next sweep.
    async fn clear_strays(&self, waiting: &Waiting, begun: Timestamp) {
        let clearing = self.clear(&waiting.strays);
        match deadline::with_deadline(begun + REQUEST_DEADLINE, clearing).await {
            Ok(0) => {}
            Ok(cleared) => info!(cleared, "deleted cursors of receivers that were removed"),
            Err(error) => warn!(
                %error, class = error.class().name(),
                "could not delete the cursors of receivers that were removed"
            ),
        }
    }
}
