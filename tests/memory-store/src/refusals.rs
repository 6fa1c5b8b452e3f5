//! The port of refused tokens and codes.

use async_trait::async_trait;
use jiff::Timestamp;
use shared::store::{REFUSAL_LIFETIME, Refusals, Refused, StoreError};

use crate::memory_store::MemoryStore;

#[async_trait]
impl Refusals for MemoryStore {
    async fn is_refused(&self, refused: &Refused, now: Timestamp) -> Result<bool, StoreError> {
        let at = self.refusals(|refusals| refusals.get(refused).copied());
        Ok(at.is_some_and(|at| now.duration_since(at) < REFUSAL_LIFETIME))
    }

    async fn remember(&self, refused: &Refused, now: Timestamp) -> Result<(), StoreError> {
        self.refusals(|refusals| refusals.insert(refused.clone(), now));
        Ok(())
    }
}
