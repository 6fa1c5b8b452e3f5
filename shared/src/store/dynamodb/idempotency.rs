//! Idempotency keys, in DynamoDB.

use async_trait::async_trait;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use jiff::{SignedDuration, Timestamp};

use super::{DynamoDbStore, store_error};
use crate::store::item::{self, number};
use crate::store::{
    BeginError, IDEMPOTENCY_KEY_LIFETIME, IdempotencyRecord, IdempotencyStore, StoreError,
};

#[async_trait]
impl IdempotencyStore for DynamoDbStore {
    async fn find(
        &self,
        key: &str,
        now: Timestamp,
    ) -> Result<Option<IdempotencyRecord>, StoreError> {
        // DynamoDB removes an expired item within days, not at once.
        let found = self.get(item::idempotency_key(key)).await?;
        found.filter(|found| !item::has_expired(found, now)).map(item::body).transpose()
    }

    async fn begin(&self, key: &str, record: &IdempotencyRecord) -> Result<(), BeginError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item::idempotency(key, record, IDEMPOTENCY_KEY_LIFETIME)?))
            .condition_expression("attribute_not_exists(#pk) OR #expires_at <= :now")
            .expression_attribute_names("#pk", item::PARTITION)
            .expression_attribute_names("#expires_at", item::EXPIRES_AT)
            .expression_attribute_values(":now", number(record.begun_at.as_second()));
        match put.send().await {
            Ok(_) => Ok(()),
            Err(error) => Err(match error.as_service_error() {
                Some(
                    PutItemError::ConditionalCheckFailedException(_)
                    | PutItemError::TransactionConflictException(_),
                ) => BeginError::Taken,
                _ => store_error(error).into(),
            }),
        }
    }

    async fn complete(&self, key: &str, record: &IdempotencyRecord) -> Result<(), StoreError> {
        self.put(item::idempotency(key, record, IDEMPOTENCY_KEY_LIFETIME)?).await
    }

    /// A key with a lifetime of zero has expired, so the same key can begin again.
    async fn abandon(&self, key: &str, record: &IdempotencyRecord) -> Result<(), StoreError> {
        self.put(item::idempotency(key, record, SignedDuration::ZERO)?).await
    }
}
