//! The reconciliation's port.

use async_trait::async_trait;
use shared::store::{Checkpoint, Checkpoints, CommitError, FirstStart, StoreError};

use crate::memory_store::MemoryStore;

#[async_trait]
impl Checkpoints for MemoryStore {
    async fn checkpoint(&self) -> Result<Checkpoint, StoreError> {
        Ok(self.checkpoint_and_first_start(|checkpoint, _| checkpoint.clone()))
    }

    async fn save_checkpoint(&self, checkpoint: &Checkpoint) -> Result<(), StoreError> {
        self.checkpoint_and_first_start(|stored, _| stored.clone_from(checkpoint));
        Ok(())
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
