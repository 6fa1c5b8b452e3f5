//! The items about runs of the reconciliation.

use jiff::{SignedDuration, Timestamp};

use super::attribute::Item;
use super::kind::ItemKind;
use super::{with_body, with_expiry};
use crate::store::{Checkpoint, Pause, Run, StoreError};

/// As long as the events that a run led to.
const LIVES: SignedDuration = SignedDuration::from_hours(400 * 24);

/// Ends the sort key of a dry run, which may begin at the same time as a run.
const DRY: &str = "#dry";

pub(in crate::store) fn dry_run_key() -> Item {
    ItemKind::DryRun.key("", "")
}

pub(in crate::store) fn dry_run(checkpoint: &Checkpoint) -> Result<Item, StoreError> {
    with_body(dry_run_key(), checkpoint)
}

/// The length of the time is fixed, so that the order of keys is the order of runs.
pub(in crate::store) fn run(run: &Run) -> Result<Item, StoreError> {
    let begun = run.begun_at.strftime("%Y-%m-%dT%H:%M:%S.%9fZ");
    let key = ItemKind::Run.key("", format!("{begun}{}", if run.dry_run { DRY } else { "" }));
    with_expiry(with_body(key, run)?, run.ended_at, LIVES)
}

/// Whether a run can have this sort key.
pub(in crate::store) fn is_run_sort(sort: &str) -> bool {
    let begun = sort.strip_prefix(ItemKind::Run.sort());
    begun.is_some_and(|begun| begun.trim_end_matches(DRY).parse::<Timestamp>().is_ok())
}

pub(in crate::store) fn pause_key() -> Item {
    ItemKind::Pause.key("", "")
}

/// A pause never expires.
pub(in crate::store) fn pause(pause: &Pause) -> Result<Item, StoreError> {
    with_body(pause_key(), pause)
}
