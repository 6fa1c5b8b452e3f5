//! The receivers' states, in DynamoDB.

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;

use super::DynamoDbStore;
use super::error::store_error;
use crate::store::item::{self, number, text};
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
        let put = self.client.put_item().set_item(Some(item::receiver(target, state)?));
        let put = match state.revision.checked_sub(1).ok_or(SaveError::Conflict)? {
            0 => put
                .condition_expression("attribute_not_exists(#pk)")
                .expression_attribute_names("#pk", item::PARTITION),
            expected => put
                .condition_expression("#version = :expected")
                .expression_attribute_names("#version", item::VERSION)
                .expression_attribute_values(":expected", number(expected)),
        };
        self.put_if(put).await.map_err(|error| match error {
            CommitError::Conflict | CommitError::AlreadyMarked => SaveError::Conflict,
            CommitError::Store(error) => error.into(),
        })
    }

    async fn delete_receiver(&self, target: Target, revision: u64) -> Result<(), SaveError> {
        let request = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(item::receiver_key(target)))
            .condition_expression("#version = :expected")
            .expression_attribute_names("#version", item::VERSION)
            .expression_attribute_values(":expected", number(revision));
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) => Err(match error.as_service_error() {
                Some(DeleteItemError::ConditionalCheckFailedException(_)) => SaveError::Conflict,
                _ => store_error(error).into(),
            }),
        }
    }
}
