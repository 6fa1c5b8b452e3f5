//! The summary of a slice: what was compared, what was left and why, and how old the comparison is.

use jiff::Timestamp;
use serde::Serialize;
use shared::store::{Checkpoint, Pause};
use tracing::{info, warn};

use crate::SliceError;

/// The result of a slice. The counts are of the whole run so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// There is nothing left to do for another slice of this run.
    pub finished: bool,
    /// The run reached the end of the list.
    pub full_round: bool,
    /// Subscriptions compared.
    pub examined: u64,
    /// Records looked at because work of theirs was due.
    pub due: u64,
    /// Records brought up to date.
    pub repaired: u64,
    /// Differences left to the next run: Microsoft's answer may be older than the record, or the slice's
    /// time was over.
    pub left: u64,
    /// Subscriptions that failed.
    pub failed: u64,
    /// Records that the list did not show, and that were read one by one.
    pub unseen: u64,
    /// Of those, the ones whose subscription Microsoft does not know.
    pub unlisted: u64,
}

impl Report {
    pub(crate) fn new(checkpoint: &Checkpoint, end: SliceEnd) -> Self {
        Self {
            finished: match end {
                SliceEnd::List
                | SliceEnd::Records
                | SliceEnd::Budget
                | SliceEnd::Broken
                | SliceEnd::Overtaken => true,
                SliceEnd::Time => false,
            },
            full_round: end == SliceEnd::List,
            examined: checkpoint.examined,
            due: checkpoint.due,
            repaired: checkpoint.repaired,
            left: checkpoint.left,
            failed: checkpoint.failed,
            unseen: checkpoint.unseen,
            unlisted: checkpoint.unlisted,
        }
    }

    /// The report of a slice while runs are paused, which its line says, too.
    pub(crate) fn paused(oldest: Option<i64>, pause: &Pause) -> Self {
        info!(
            paused_since = %pause.since,
            metrics = "oldest_comparison_seconds",
            oldest_comparison_seconds = oldest,
            "the reconciliation is paused; nothing was compared"
        );
        Self { finished: true, ..Self::default() }
    }
}

/// How many seconds ago the subscription was compared that was compared the longest ago, at most: each of
/// them was compared after the last full round began, or not at all since the deployment's first start.
pub(crate) fn oldest(
    checkpoint: &Checkpoint,
    first_start: Option<Timestamp>,
    now: Timestamp,
) -> Option<i64> {
    let since = checkpoint.last_round.map(|round| round.begun_at).or(first_start);
    since.map(|since| now.duration_since(since).as_secs())
}

/// Where a slice ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SliceEnd {
    /// At the end of the list.
    List,
    /// The list broke off, and every record that it did not show was looked at. The run ends, and is no full
    /// round.
    Records,
    /// The same, and the next such run looks at the rest of the records.
    Budget,
    /// The list of a dry run broke off.
    Broken,
    /// Another slice has gone on from where this one did.
    Overtaken,
    /// The next slice continues.
    Time,
}

pub(crate) fn summarise(
    checkpoint: &Checkpoint,
    ended: Result<&SliceEnd, &SliceError>,
    is_dry: bool,
    oldest: Option<i64>,
) {
    if let Ok(SliceEnd::Overtaken) = ended {
        info!("another run has gone on; this slice of the reconciliation ends");
        return;
    }
    let not_examined = match ended {
        Ok(SliceEnd::List | SliceEnd::Overtaken) => None,
        Ok(SliceEnd::Records) => Some(
            "the list could not be read to its end; every other record was read by itself".to_owned(),
        ),
        Ok(SliceEnd::Budget) => Some(
            "the list could not be read to its end; a run reads no more records by themselves, and \
             the next such run goes on behind them"
                .to_owned(),
        ),
        Ok(SliceEnd::Broken) => Some("the list could not be read to its end".to_owned()),
        Ok(SliceEnd::Time) => Some("the slice's time was over; the next one continues".to_owned()),
        Err(error) => Some(format!("the slice failed: {error}")),
    };
    let is_round = matches!(ended, Ok(SliceEnd::List));
    macro_rules! summary {
        ($level:ident, $message:literal) => {
            $level!(
                finished = is_round,
                examined = checkpoint.examined,
                due = checkpoint.due,
                repaired = checkpoint.repaired,
                left = checkpoint.left,
                failed = checkpoint.failed,
                pages = checkpoint.pages,
                unseen = checkpoint.unseen,
                unlisted = checkpoint.unlisted,
                unseen_after = checkpoint.unseen_after,
                not_examined,
                oldest_comparison_seconds = oldest,
                last_full_round = checkpoint.last_round.map(|round| display(round.ended_at)),
                metric = (is_round && !is_dry).then_some("full_round"),
                metrics = (!is_dry).then_some("oldest_comparison_seconds"),
                $message
            )
        };
    }
    match ended {
        Ok(_) if is_dry => summary!(info, "compared a slice in a dry run, which repairs nothing"),
        Ok(SliceEnd::List) if checkpoint.failed == 0 && checkpoint.left == 0 => {
            summary!(info, "reconciled every subscription of the list");
        }
        Ok(SliceEnd::Time) if checkpoint.failed == 0 => {
            summary!(info, "reconciled a slice of the list; the rest is not examined yet");
        }
        Ok(_) => summary!(warn, "reconciled the list; subscriptions failed or were left"),
        Err(_) => summary!(warn, "a slice of the reconciliation ended early"),
    }
}
