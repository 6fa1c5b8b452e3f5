//! A dry run: it compares as a run does, repairs nothing and writes no record. It has a checkpoint of its
//! own, so it disturbs no run.

use std::collections::HashSet;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use shared::domain::{Decision, IncompleteObservation, Record, SubscriptionId};
use shared::flows::ledger::{Committed, UpdateError};
use shared::store::{
    Checkpoint, CheckpointError, Checkpoints, CommitError, FirstStart, Runs, StoreError,
};

use crate::Reconciliation;

/// A dry run that was cut off is continued within this time. After it, what it found may have changed.
pub(crate) const CONTINUED_WITHIN: SignedDuration = SignedDuration::from_hours(24);

/// The checkpoint of the dry run, in the place of the run's.
pub(crate) struct DryRunCheckpoints {
    pub(crate) runs: Arc<dyn Runs>,
    pub(crate) real: Arc<dyn Checkpoints>,
}

#[async_trait]
impl Checkpoints for DryRunCheckpoints {
    async fn checkpoint(&self) -> Result<Checkpoint, StoreError> {
        self.runs.dry_run().await
    }

    async fn save_checkpoint(&self, checkpoint: &Checkpoint) -> Result<(), CheckpointError> {
        Ok(self.runs.save_dry_run(checkpoint).await?)
    }

    /// A dry run reads nothing beside the list, so it needs no notes.
    async fn note_compared(&self, _: &[SubscriptionId], _: Timestamp) -> Result<(), StoreError> {
        Ok(())
    }

    async fn compared(
        &self,
        _: &[SubscriptionId],
        _: Timestamp,
    ) -> Result<HashSet<SubscriptionId>, StoreError> {
        Ok(HashSet::new())
    }

    async fn first_start(&self) -> Result<Option<FirstStart>, StoreError> {
        self.real.first_start().await
    }

    /// The first run stores it.
    async fn save_first_start(&self, _: &FirstStart) -> Result<(), CommitError> {
        Err(CommitError::Conflict)
    }
}

impl Reconciliation {
    /// Applies a rule to a record; in a dry run, only says what that would change.
    pub(crate) async fn update(
        &self,
        id: SubscriptionId,
        current: Option<Record>,
        rule: impl Fn(Option<&Record>) -> Result<Decision, IncompleteObservation> + Send + Sync,
    ) -> Result<Committed, UpdateError> {
        if !self.is_dry {
            return self.ledger.update(id, current, None, rule).await;
        }
        Ok(match rule(current.as_ref())? {
            Decision::Commit(next) => {
                Committed { record: Some(next.record), events: next.events, stale: None }
            }
            Decision::Unchanged => Committed { record: current, events: Vec::new(), stale: None },
            Decision::Stale(staleness) => {
                Committed { record: current, events: Vec::new(), stale: Some(staleness) }
            }
        })
    }
}
