//! The reconciliation's port.

use std::collections::HashSet;

use async_trait::async_trait;
use jiff::Timestamp;
use shared::domain::SubscriptionId;
use shared::store::{
    Checkpoint, CheckpointError, Checkpoints, CommitError, FirstStart, StoreError,
};

use crate::memory_store::MemoryStore;

#[async_trait]
impl Checkpoints for MemoryStore {
    async fn checkpoint(&self) -> Result<Checkpoint, StoreError> {
        Ok(self.checkpoint_and_first_start(|checkpoint, _| checkpoint.clone()))
    }

    async fn save_checkpoint(&self, checkpoint: &Checkpoint) -> Result<(), CheckpointError> {
        self.checkpoint_and_first_start(|stored, _| {
            if checkpoint.revision != stored.revision + 1 {
                return Err(CheckpointError::Conflict);
            }
            stored.clone_from(checkpoint);
            Ok(())
        })
    }

    async fn note_compared(
        &self,
        ids: &[SubscriptionId],
        begun_at: Timestamp,
    ) -> Result<(), StoreError> {
        self.all_compared(|notes| notes.extend(ids.iter().map(|id| (*id, begun_at))));
        Ok(())
    }

    async fn compared(
        &self,
        ids: &[SubscriptionId],
        begun_at: Timestamp,
    ) -> Result<HashSet<SubscriptionId>, StoreError> {
        Ok(self.all_compared(|notes| {
            let is_noted = |id: &SubscriptionId| notes.get(id) == Some(&begun_at);
            ids.iter().copied().filter(is_noted).collect()
        }))
    }

    async fn first_start(&self) -> Result<Option<FirstStart>, StoreError> {
        Ok(self.checkpoint_and_first_start(|_, first| *first))
    }

    async fn save_first_start(&self, first: &FirstStart) -> Result<(), CommitError> {
        self.checkpoint_and_first_start(|_, stored| match stored {
            Some(stored) if stored.imported_at.is_some() || first.imported_at.is_none() => {
                Err(CommitError::Conflict)
            }
            Some(_) | None => {
                *stored = Some(*first);
                Ok(())
            }
        })
    }
}
