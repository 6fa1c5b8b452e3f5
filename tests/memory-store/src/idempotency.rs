//! The port of the idempotency keys.

use async_trait::async_trait;
use jiff::Timestamp;
use shared::store::{
    BeginError, IDEMPOTENCY_KEY_LIFETIME, IdempotencyRecord, IdempotencyStore, StoreError,
};

use crate::memory_store::MemoryStore;

fn is_live(record: &IdempotencyRecord, now: Timestamp) -> bool {
    now.duration_since(record.begun_at) < IDEMPOTENCY_KEY_LIFETIME
}

#[async_trait]
impl IdempotencyStore for MemoryStore {
    async fn find(
        &self,
        key: &str,
        now: Timestamp,
    ) -> Result<Option<IdempotencyRecord>, StoreError> {
        Ok(self.requests(|requests| requests.get(key).filter(|kept| is_live(kept, now)).cloned()))
    }

    async fn begin(&self, key: &str, request: &IdempotencyRecord) -> Result<(), BeginError> {
        self.requests(|requests| {
            if requests.get(key).is_some_and(|kept| is_live(kept, request.begun_at)) {
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
