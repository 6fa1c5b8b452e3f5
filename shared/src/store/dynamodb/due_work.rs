//! The records with due work, and those that have ended, in DynamoDB.

use async_trait::async_trait;
use jiff::Timestamp;

use super::DynamoDbStore;
use super::due_entries::DueEntry;
use crate::domain::SubscriptionId;
use crate::store::item::index;
use crate::store::{DueRecord, DueWork, LARGEST_PAGE, Page, StoreError};

#[async_trait]
impl DueWork for DynamoDbStore {
    async fn work(&self, by: Timestamp, next: Option<&str>) -> Result<Page<DueRecord>, StoreError> {
        let keys = index::sharded_keys(index::WORK).collect();
        let record = |entry: DueEntry| Some(DueRecord { id: entry.id, place: entry.position });
        self.due_entries(keys, Some(by), LARGEST_PAGE, next, record).await
    }

    async fn ended(
        &self,
        by: Timestamp,
        next: Option<&str>,
    ) -> Result<Page<SubscriptionId>, StoreError> {
        let keys = index::sharded_keys(index::ENDED).collect();
        self.due_entries(keys, Some(by), LARGEST_PAGE, next, |entry| Some(entry.id)).await
    }
}
