//! The summary of a slice: what was compared, what was left and why, and how old the comparison is.

use jiff::Timestamp;
use serde::Serialize;
use shared::store::Checkpoint;
use tracing::{info, warn};

use crate::SliceError;

/// The result of a slice. The counts are of the whole run so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The run reached the end of the list.
    pub finished: bool,
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
}

impl Report {
    pub(crate) fn new(checkpoint: &Checkpoint, end: SliceEnd) -> Self {
        Self {
            finished: match end {
                SliceEnd::List | SliceEnd::Circle => true,
                SliceEnd::Time => false,
            },
            examined: checkpoint.examined,
            due: checkpoint.due,
            repaired: checkpoint.repaired,
            left: checkpoint.left,
            failed: checkpoint.failed,
        }
    }
}

/// Where a slice ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SliceEnd {
    /// At the end of the list.
    List,
    /// In the list, which runs in a circle. The run ends, and is no full round.
    Circle,
    /// The next slice continues.
    Time,
}

pub(crate) fn summarise(
    checkpoint: &Checkpoint,
    ended: Result<&SliceEnd, &SliceError>,
    now: Timestamp,
) {
    let not_examined = match ended {
        Ok(SliceEnd::List) => None,
        Ok(SliceEnd::Circle) => Some("the list runs in a circle".to_owned()),
        Ok(SliceEnd::Time) => Some("the slice's time was over; the next one continues".to_owned()),
        Err(error) => Some(format!("the slice failed: {error}")),
    };
    // Every subscription was compared after the last full round began. If the list ended now, that is this
    // round.
    let oldest = checkpoint.last_round.map(|round| now.duration_since(round.begun_at).as_secs());
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
                not_examined,
                oldest_comparison_seconds = oldest,
                last_full_round = checkpoint.last_round.map(|round| display(round.ended_at)),
                metric = is_round.then_some("full_round"),
                $message
            )
        };
    }
    match ended {
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
