//! The idempotency records, in memory.

use async_trait::async_trait;
use jiff::Timestamp;
use shared::store::{
    BeginError, IDEMPOTENCY_KEY_LIFETIME, IdempotencyRecord, IdempotencyStore, StoreError,
};

use crate::simulated_store::SimulatedStore;
use crate::store::MemoryStore;

#[async_trait]
impl IdempotencyStore for MemoryStore {
    async fn find(
        &self,
        key: &str,
        now: Timestamp,
    ) -> Result<Option<IdempotencyRecord>, StoreError> {
        Ok(self.requests(|requests| {
            let kept = requests.get(key).cloned();
            kept.filter(|kept| now.duration_since(kept.begun_at) < IDEMPOTENCY_KEY_LIFETIME)
        }))
    }

    async fn begin(&self, key: &str, request: &IdempotencyRecord) -> Result<(), BeginError> {
        self.requests(|requests| {
            let lives = |kept: &&IdempotencyRecord| {
                request.begun_at.duration_since(kept.begun_at) < IDEMPOTENCY_KEY_LIFETIME
            };
            if requests.get(key).as_ref().is_some_and(lives) {
                return Err(BeginError::Taken);
            }
            requests.insert(key.to_owned(), request.clone());
            Ok(())
        })
    }

    async fn complete(&self, key: &str, request: &IdempotencyRecord) -> Result<(), StoreError> {
        self.requests(|requests| drop(requests.insert(key.to_owned(), request.clone())));
        Ok(())
    }

    async fn abandon(&self, key: &str, _: &IdempotencyRecord) -> Result<(), StoreError> {
        self.requests(|requests| drop(requests.remove(key)));
        Ok(())
    }
}

#[async_trait]
impl IdempotencyStore for SimulatedStore {
    async fn find(
        &self,
        key: &str,
        now: Timestamp,
    ) -> Result<Option<IdempotencyRecord>, StoreError> {
        self.at_once("find request", self.table.find(key, now)).await?
    }

    async fn begin(&self, key: &str, request: &IdempotencyRecord) -> Result<(), BeginError> {
        self.at_once("begin request", self.table.begin(key, request)).await?
    }

    async fn complete(&self, key: &str, request: &IdempotencyRecord) -> Result<(), StoreError> {
        self.at_once("complete request", self.table.complete(key, request)).await?
    }

    async fn abandon(&self, key: &str, request: &IdempotencyRecord) -> Result<(), StoreError> {
        self.at_once("abandon request", self.table.abandon(key, request)).await?
    }
}
