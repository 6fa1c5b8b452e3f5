//! Erasures, behind the same faults.

use async_trait::async_trait;
use shared::domain::SubscriptionId;
use shared::store::{Erasure, Erasures, Page, StoreError};

use super::SimulatedStore;

#[async_trait]
impl Erasures for SimulatedStore {
    async fn has_pending_events(&self, id: SubscriptionId) -> Result<bool, StoreError> {
        self.call("pending events", self.table.has_pending_events(id)).await?
    }

    async fn list_erasure(&self, erasure: &Erasure) -> Result<(), StoreError> {
        self.call("list an erasure", self.table.list_erasure(erasure)).await?
    }

    async fn erase_events(&self, id: SubscriptionId) -> Result<(), StoreError> {
        self.call("erase events", self.table.erase_events(id)).await?
    }

    async fn erase_attempts(&self, id: SubscriptionId) -> Result<(), StoreError> {
        self.call("erase attempts", self.table.erase_attempts(id)).await?
    }

    async fn erasures(&self, next: Option<&str>) -> Result<Page<Erasure>, StoreError> {
        self.call("erasures", self.table.erasures(next)).await?
    }
}
