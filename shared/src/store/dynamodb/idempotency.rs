//! Requests with keys, in DynamoDB.

use async_trait::async_trait;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use jiff::{SignedDuration, Timestamp};

use super::{DynamoDbStore, item, store_error};
use crate::store::item::number;
use crate::store::{KeepError, KeyedRequest, REQUEST_LIVES, Requests, StoreError};

#[async_trait]
impl Requests for DynamoDbStore {
    async fn request(&self, key: &str, now: Timestamp) -> Result<Option<KeyedRequest>, StoreError> {
        // DynamoDB removes what has expired within days, not at the moment.
        let found = self.get(item::request_key(key)).await?;
        found.filter(|found| !item::has_expired(found, now)).map(item::body).transpose()
    }

    async fn keep_request(&self, key: &str, request: &KeyedRequest) -> Result<(), KeepError> {
        let put = self.client.put_item().table_name(&self.table);
        let put = put
            .set_item(Some(item::request(key, request, REQUEST_LIVES)?))
            .condition_expression("attribute_not_exists(#pk) OR #expires_at <= :now")
            .expression_attribute_names("#pk", item::PARTITION)
            .expression_attribute_names("#expires_at", item::EXPIRES_AT)
            .expression_attribute_values(":now", number(request.begun_at.as_second()));
        match put.send().await {
            Ok(_) => Ok(()),
            Err(error) => Err(match error.as_service_error() {
                Some(
                    PutItemError::ConditionalCheckFailedException(_)
                    | PutItemError::TransactionConflictException(_),
                ) => KeepError::Taken,
                _ => store_error(error).into(),
            }),
        }
    }

    async fn answer_request(&self, key: &str, request: &KeyedRequest) -> Result<(), StoreError> {
        self.put_request(key, request, REQUEST_LIVES).await
    }

    async fn release_request(&self, key: &str, request: &KeyedRequest) -> Result<(), StoreError> {
        self.put_request(key, request, SignedDuration::ZERO).await
    }
}

impl DynamoDbStore {
    async fn put_request(
        &self,
        key: &str,
        request: &KeyedRequest,
        lives: SignedDuration,
    ) -> Result<(), StoreError> {
        let put = self.client.put_item().table_name(&self.table);
        let put = put.set_item(Some(item::request(key, request, lives)?));
        put.send().await.map_err(store_error)?;
        Ok(())
    }
}
