//! When the scheduled work last ran.

use jiff::{SignedDuration, Timestamp};
use shared::store::{Checkpoint, Pause, Sighting, StoreError, Target};

use super::ago::ago;
use super::finding::Finding;
use super::table::unread;

const SWEEP: &str = "sweep";
const RECONCILIATION: &str = "reconciliation";

/// A sweep runs every minute, and is noted every five.
const SWEEP_IS_LATE: SignedDuration = SignedDuration::from_mins(15);

/// A round takes an hour, or several with very many subscriptions.
const ROUND_IS_LATE: SignedDuration = SignedDuration::from_hours(6);

/// A pause that is longer was forgotten.
const PAUSE_IS_LONG: SignedDuration = SignedDuration::from_hours(24);

pub(super) fn sweep(
    seen: &Result<Vec<(Sighting, Timestamp)>, StoreError>,
    targets: &[Target],
    now: Timestamp,
) -> Finding {
    const PLACE: &str = "Parameters DeliverySchedule and Schedules";
    if targets.is_empty() {
        return Finding::ok(SWEEP, "No receiver is configured, so there is nothing to sweep.");
    }
    let seen = match seen {
        Ok(seen) => seen,
        Err(error) => return unread(SWEEP, error),
    };
    let last = seen.iter().find(|(sighting, _)| *sighting == Sighting::Sweep);
    let Some((_, at)) = last else {
        let says = "No delivery sweep has run yet. The first runs within minutes of a deployment, unless \
                    Schedules is disabled.";
        return Finding::warning(SWEEP, says, PLACE);
    };
    let says = format!("The last delivery sweep ran {}.", ago(*at, now));
    if now.duration_since(*at) <= SWEEP_IS_LATE {
        return Finding::ok(SWEEP, says);
    }
    let says = format!(
        "{says} Retries are not sent meanwhile. Check that the schedule is enabled, and read the \
         delivery's log."
    );
    Finding::failed(SWEEP, says, PLACE)
}

pub(super) fn reconciliation(
    checkpoint: Result<Checkpoint, StoreError>,
    pause: Result<Option<Pause>, StoreError>,
    now: Timestamp,
) -> Finding {
    const PLACE: &str = "Parameters ReconciliationSchedule and Schedules";
    match pause {
        Ok(None) => {}
        Ok(Some(pause)) => return paused(&pause, now),
        Err(error) => return unread(RECONCILIATION, &error),
    }
    let last = match checkpoint {
        Ok(checkpoint) => checkpoint.last_round.map(|round| round.ended_at),
        Err(error) => return unread(RECONCILIATION, &error),
    };
    let Some(at) = last else {
        let says = "No reconciliation round has reached the end of Microsoft's list yet. The first does \
                    within two hours of a deployment, unless Schedules is disabled.";
        return Finding::warning(RECONCILIATION, says, PLACE);
    };
    let says = format!("The last full round of the reconciliation ended {}.", ago(at, now));
    if now.duration_since(at) <= ROUND_IS_LATE {
        return Finding::ok(RECONCILIATION, says);
    }
    let says = format!(
        "{says} Meanwhile, missed webhook calls go unnoticed. Check the executions of the state machine \
         ReconciliationRun, whether its schedule is enabled, and at the reconciliation's ERROR lines."
    );
    Finding::failed(RECONCILIATION, says, PLACE)
}

/// The note is for those who may read the API, and not for the log.
fn paused(pause: &Pause, now: Timestamp) -> Finding {
    let says = format!(
        "The reconciliation was paused {}; `saasctl drift` shows why. Until `saasctl \
         resume-runs`, missed webhook calls go unnoticed.",
        ago(pause.since, now)
    );
    if now.duration_since(pause.since) <= PAUSE_IS_LONG {
        return Finding::ok(RECONCILIATION, says);
    }
    Finding::warning(RECONCILIATION, says, "POST /reconciliations/resume")
}
