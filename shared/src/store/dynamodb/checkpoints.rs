//! How far the reconciliation has come, in DynamoDB.

use std::collections::HashSet;

use async_trait::async_trait;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{PutRequest, WriteRequest};
use jiff::Timestamp;

use super::error::{store_error, unbuilt};
use super::{BATCH_PAUSE, BATCH_ROUNDS, COMMITS, DynamoDbStore};
use crate::domain::SubscriptionId;
use crate::store::item::{self, Compared, number};
use crate::store::{Checkpoint, CheckpointError, Checkpoints, CommitError, FirstStart, StoreError};

/// The most items in one BatchWriteItem.
const MOST_WRITES: usize = 25;

#[async_trait]
impl Checkpoints for DynamoDbStore {
    async fn checkpoint(&self) -> Result<Checkpoint, StoreError> {
        Ok(self.get(item::checkpoint_key()).await?.map(item::body).transpose()?.unwrap_or_default())
    }

    async fn save_checkpoint(&self, checkpoint: &Checkpoint) -> Result<(), CheckpointError> {
        let put = self.client.put_item().table_name(&self.table);
        let put = put
            .set_item(Some(item::checkpoint(checkpoint)?))
            .expression_attribute_names("#version", item::VERSION);
        let put = match checkpoint.revision.checked_sub(1).ok_or(CheckpointError::Conflict)? {
            0 => put.condition_expression("attribute_not_exists(#version)"),
            expected => put
                .condition_expression("#version = :expected")
                .expression_attribute_values(":expected", number(expected)),
        };
        put.send().await.map_err(|error| match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(_)) => CheckpointError::Conflict,
            _ => store_error(error).into(),
        })?;
        Ok(())
    }

    async fn first_start(&self) -> Result<Option<FirstStart>, StoreError> {
        self.read_first_start().await
    }

    async fn save_first_start(&self, first: &FirstStart) -> Result<(), CommitError> {
        self.put_first_start(first).await
    }

    async fn note_compared(
        &self,
        ids: &[SubscriptionId],
        begun_at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        ids.dedup();
        for ids in ids.chunks(MOST_WRITES) {
            let write = |id: &SubscriptionId| {
                let item = item::compared(*id, begun_at)?;
                let put = PutRequest::builder().set_item(Some(item)).build().map_err(unbuilt)?;
                Ok(WriteRequest::builder().put_request(put).build())
            };
            self.write_batch(ids.iter().map(write).collect::<Result<_, StoreError>>()?).await?;
        }
        Ok(())
    }

    async fn compared(
        &self,
        ids: &[SubscriptionId],
        begun_at: Timestamp,
    ) -> Result<HashSet<SubscriptionId>, StoreError> {
        let found = self.read_many(ids, item::compared_key, |_, found| item::body(found)).await?;
        let is_of_list =
            |note: &Result<Compared, _>| note.as_ref().is_ok_and(|note| note.begun_at == begun_at);
        Ok(found.into_iter().filter(|(_, note)| is_of_list(note)).map(|(id, _)| id).collect())
    }
}

impl DynamoDbStore {
    /// Writes up to [`MOST_WRITES`] items, and writes those again that DynamoDB left unprocessed.
    async fn write_batch(&self, writes: Vec<WriteRequest>) -> Result<(), StoreError> {
        let mut wanted = writes;
        for round in 0..BATCH_ROUNDS {
            self.clock.sleep(BATCH_PAUSE * round).await;
            let write = || {
                let request = self.client.batch_write_item();
                let request = request.request_items(&self.table, wanted.clone());
                async { request.send().await.map_err(store_error) }
            };
            let answer = self.retries.retry(&*self.clock, &COMMITS, write).await?;
            let unprocessed =
                answer.unprocessed_items.and_then(|mut tables| tables.remove(&self.table));
            wanted = unprocessed.unwrap_or_default();
            if wanted.is_empty() {
                return Ok(());
            }
        }
        Err(StoreError::Throttled { code: "items left unprocessed".to_owned() })
    }
}
