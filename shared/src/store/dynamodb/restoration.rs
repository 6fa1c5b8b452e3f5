//! A restored table, in DynamoDB.

use async_trait::async_trait;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;

use super::error::{list_error, store_error};
use super::list::{position, start};
use super::{COMMITS, DynamoDbStore, PAGE, READS};
use crate::domain::{Record, SubscriptionId};
use crate::store::item::{self, index, number};
use crate::store::{CommitError, Page, Restoration, StoreError};

#[async_trait]
impl Restoration for DynamoDbStore {
    async fn begin_epoch(&self, epoch: u64) -> Result<(), CommitError> {
        let put = self.client.put_item().set_item(Some(item::epoch(epoch)));
        let put = put
            .condition_expression("attribute_not_exists(#pk) OR #version <= :before")
            .expression_attribute_names("#pk", item::PARTITION)
            .expression_attribute_names("#version", item::VERSION)
            .expression_attribute_values(":before", number(epoch.saturating_sub(1)));
        self.put_if(put).await
    }

    async fn subscriptions(&self, next: Option<&str>) -> Result<Page<SubscriptionId>, StoreError> {
        let request =
            self.client.scan().table_name(&self.table).index_name("by-status").limit(PAGE);
        let from = next.map(|next| start(next, index::STATUS)).transpose()?;
        let answer = request.set_exclusive_start_key(from).send().await;
        let answer = answer.map_err(|error| list_error(error, next))?;
        let items = answer.items.unwrap_or_default();
        Ok(Page {
            items: items.iter().filter_map(item::subscription).collect(),
            next: answer.last_evaluated_key.as_ref().and_then(position),
        })
    }

    async fn replace(&self, replaced: u64, record: &Record) -> Result<(), CommitError> {
        let put = self.client.put_item().set_item(Some(item::record(record)?));
        let put = put
            .condition_expression("#version = :expected")
            .expression_attribute_names("#version", item::VERSION)
            .expression_attribute_values(":expected", number(replaced));
        self.put_if(put).await
    }
}

impl DynamoDbStore {
    pub(super) async fn read_epoch(&self) -> Result<u64, StoreError> {
        let read = || self.get(item::epoch_key());
        let found = self.retries.retry(&*self.clock, &READS, read).await?;
        Ok(found.map(item::epoch_of).transpose()?.unwrap_or_default())
    }

    /// Puts an item under a condition.
    pub(super) async fn put_if(&self, put: PutItemFluentBuilder) -> Result<(), CommitError> {
        let put = put.table_name(&self.table);
        let write = || async {
            put.clone().send().await.map(drop).map_err(|error| match error.as_service_error() {
                Some(
                    PutItemError::ConditionalCheckFailedException(_)
                    | PutItemError::TransactionConflictException(_),
                ) => CommitError::Conflict,
                _ => store_error(error).into(),
            })
        };
        self.retries.retry(&*self.clock, &COMMITS, write).await
    }
}
