//! An examination of the table, in DynamoDB.

use async_trait::async_trait;
use futures_util::future::join_all;

use super::DynamoDbStore;
use super::error::store_error;
use crate::domain::Event;
use crate::store::item::search::SEARCH;
use crate::store::item::{self, index, text};
use crate::store::{Inspection, StoreError};

/// Every index that the store reads, and the attribute that is its partition key.
const INDEXES: [(&str, &str); 6] = [
    ("by-status", index::STATUS),
    ("by-offer", index::OFFER),
    ("by-change", index::LISTED),
    ("by-term-end", index::LISTED),
    ("by-due", index::OUTBOX),
    ("by-search", SEARCH),
];

#[async_trait]
impl Inspection for DynamoDbStore {
    async fn indexes(&self) -> Vec<(&'static str, Result<(), StoreError>)> {
        let answers = INDEXES.map(|(name, partition)| async move {
            (name, self.query_index(name, partition).await)
        });
        join_all(answers).await
    }

    async fn record_test(&self, event: &Event) -> Result<(), StoreError> {
        self.put(item::event(event)?).await
    }
}

impl DynamoDbStore {
    /// Asks an index for a partition key that no entry has.
    async fn query_index(&self, name: &str, partition: &str) -> Result<(), StoreError> {
        let request = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(name)
            .limit(1)
            .key_condition_expression("#key = :key")
            .expression_attribute_names("#key", partition)
            .expression_attribute_values(":key", text("NONE"));
        request.send().await.map_err(store_error)?;
        Ok(())
    }
}
