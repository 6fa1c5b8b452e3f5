//! The port of the last examination.

use async_trait::async_trait;
use shared::store::{Examination, Examinations, StoreError};

use crate::memory_store::MemoryStore;

#[async_trait]
impl Examinations for MemoryStore {
    async fn last_examination(&self) -> Result<Option<Examination>, StoreError> {
        Ok(self.stored_examination(|stored| stored.clone()))
    }

    async fn save_examination(&self, examination: &Examination) -> Result<(), StoreError> {
        self.stored_examination(|stored| *stored = Some(examination.clone()));
        Ok(())
    }
}
