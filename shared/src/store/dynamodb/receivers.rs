//! The receivers' states, in DynamoDB.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::DynamoDbStore;
use super::error::store_error;
use crate::store::item::{self, text};
use crate::store::{
    CommitError, ItemKind, ReceiverState, Receivers, SaveError, StoreError, Target,
};

/// More receivers than there can be at a time.
const MOST: i32 = 100;

#[async_trait]
impl Receivers for DynamoDbStore {
    async fn receivers(&self) -> Result<BTreeMap<Target, ReceiverState>, StoreError> {
        let request = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .limit(MOST)
            .key_condition_expression("#pk = :pk")
            .expression_attribute_names("#pk", item::PARTITION)
            .expression_attribute_values(":pk", text(ItemKind::Receiver.partition()));
        let answer = request.send().await.map_err(store_error)?;
        let items = answer.items.unwrap_or_default().into_iter();
        let named = items.filter_map(|found| Some((item::receiver_target(&found)?, found)));
        named.map(|(target, found)| Ok((target, item::body(found)?))).collect()
    }

    async fn save_receiver(&self, target: Target, state: &ReceiverState) -> Result<(), SaveError> {
        let put = self.put_revision(item::receiver(target, state)?, state.revision);
        let put = put.ok_or(SaveError::Conflict)?;
        self.put_if(put).await.map_err(|error| match error {
            CommitError::Conflict | CommitError::AlreadyMarked => SaveError::Conflict,
            CommitError::Store(error) => error.into(),
        })
    }

    async fn delete_receiver(&self, target: Target, revision: u64) -> Result<(), SaveError> {
        self.delete_revision(item::receiver_key(target), revision).await
    }
}
