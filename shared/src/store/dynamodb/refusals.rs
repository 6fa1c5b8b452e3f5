//! Refused tokens and codes, in DynamoDB.

use async_trait::async_trait;
use jiff::Timestamp;

use super::DynamoDbStore;
use crate::store::item;
use crate::store::{Refusals, Refused, StoreError};

#[async_trait]
impl Refusals for DynamoDbStore {
    async fn is_refused(&self, refused: &Refused, now: Timestamp) -> Result<bool, StoreError> {
        // DynamoDB removes an expired item within days, not at once.
        let found = self.get(item::refusal_key(refused)).await?;
        Ok(found.is_some_and(|found| !item::has_expired(&found, now)))
    }

    async fn remember(&self, refused: &Refused, now: Timestamp) -> Result<(), StoreError> {
        self.put(item::refusal(refused, now)?).await
    }
}
