//! The runs of the reconciliation.

use std::collections::BTreeMap;

use jiff::Timestamp;
use shared::store::{Checkpoint, Pause, Run};

#[derive(Default)]
pub(crate) struct RunTable {
    /// By when they began; at the same time, a dry run comes last.
    pub(crate) runs: BTreeMap<(Timestamp, bool), Run>,
    pub(crate) pause: Option<Pause>,
    pub(crate) dry_run: Checkpoint,
}
