//! What was seen last, in DynamoDB.

use async_trait::async_trait;
use jiff::Timestamp;

use super::{DynamoDbStore, store_error};
use crate::store::item::{self, Item, text};
use crate::store::{ItemKind, Sighting, Sightings, StoreError};

/// The most that is read. A deployment has a few hosts.
const MOST: i32 = 100;

#[async_trait]
impl Sightings for DynamoDbStore {
    async fn note(&self, sighting: &Sighting, at: Timestamp) -> Result<(), StoreError> {
        self.put(item::sighting(sighting, at)?).await
    }

    async fn sightings(&self) -> Result<Vec<(Sighting, Timestamp)>, StoreError> {
        let request = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .limit(MOST)
            .key_condition_expression("#pk = :pk")
            .expression_attribute_names("#pk", item::PARTITION)
            .expression_attribute_values(":pk", text(ItemKind::Sighting.partition()));
        let found = request.send().await.map_err(store_error)?.items.unwrap_or_default();
        let named = |found: Item| {
            let sighting = Sighting::of_name(found.get(item::SORT)?.as_s().ok()?)?;
            Some(item::body(found).map(|item::Seen { at }| (sighting, at)))
        };
        found.into_iter().filter_map(named).collect()
    }
}
