//! The publisher's own reference and metadata, in DynamoDB.

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::operation::put_item::PutItemError;

use super::error::store_error;
use super::{DynamoDbStore, READS};
use crate::domain::{Annotations, SubscriptionId};
use crate::store::item::{self, number};
use crate::store::{AnnotationStore, SaveError, StoreError};

#[async_trait]
impl AnnotationStore for DynamoDbStore {
    async fn annotations(&self, id: SubscriptionId) -> Result<Option<Annotations>, StoreError> {
        let read = || self.get(item::annotations_key(id));
        let found = self.retries.retry(&*self.clock, &READS, read).await?;
        found.map(item::body).transpose()
    }

    async fn annotations_of(
        &self,
        ids: &[SubscriptionId],
    ) -> Result<HashMap<SubscriptionId, Result<Annotations, StoreError>>, StoreError> {
        self.read_many(ids, item::annotations_key, |_, found| item::body(found)).await
    }

    async fn save_annotations(
        &self,
        id: SubscriptionId,
        annotations: &Annotations,
    ) -> Result<(), SaveError> {
        let put = self.client.put_item().table_name(&self.table);
        let put = put.set_item(Some(item::annotations(id, annotations)?));
        let put = match annotations.revision.checked_sub(1).ok_or(SaveError::Conflict)? {
            0 => put
                .condition_expression("attribute_not_exists(#pk)")
                .expression_attribute_names("#pk", item::PARTITION),
            expected => put
                .condition_expression("#version = :expected")
                .expression_attribute_names("#version", item::VERSION)
                .expression_attribute_values(":expected", number(expected)),
        };
        match put.send().await {
            Ok(_) => Ok(()),
            Err(error) => Err(match error.as_service_error() {
                Some(
                    PutItemError::ConditionalCheckFailedException(_)
                    | PutItemError::TransactionConflictException(_),
                ) => SaveError::Conflict,
                _ => store_error(error).into(),
            }),
        }
    }
}
