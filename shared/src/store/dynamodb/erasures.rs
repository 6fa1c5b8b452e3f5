//! Erasures, in DynamoDB.

use async_trait::async_trait;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use futures_util::{StreamExt as _, stream};

use super::error::{list_error, store_error};
use super::{DynamoDbStore, PAGE};
use crate::domain::{Event, Position, SubscriptionId};
use crate::store::item::{self, Item, index, text};
use crate::store::{Erasure, Erasures, ItemKind, Page, StoreError};

/// How many events are rewritten at a time.
const CONCURRENT_WRITES: usize = 8;

#[async_trait]
impl Erasures for DynamoDbStore {
    async fn has_pending_events(&self, id: SubscriptionId) -> Result<bool, StoreError> {
        let mut from = None;
        loop {
            let request = self
                .query_between(id, item::events_from(Position::default()))
                .filter_expression("attribute_exists(#outbox)")
                .expression_attribute_names("#outbox", index::OUTBOX)
                .limit(PAGE)
                .set_exclusive_start_key(from);
            let answer = request.send().await.map_err(store_error)?;
            if answer.items.is_some_and(|items| !items.is_empty()) {
                return Ok(true);
            }
            from = answer.last_evaluated_key.filter(|key| !key.is_empty());
            if from.is_none() {
                return Ok(false);
            }
        }
    }

    async fn list_erasure(&self, erasure: &Erasure) -> Result<(), StoreError> {
        self.put(item::erasure(erasure)?).await
    }

    async fn erase_events(&self, id: SubscriptionId) -> Result<(), StoreError> {
        let mut from = None;
        loop {
            let request = self.query_between(id, item::events_from(Position::default()));
            let request = request.limit(PAGE).set_exclusive_start_key(from);
            let answer = request.send().await.map_err(store_error)?;
            let mut rewritten = Vec::new();
            for found in answer.items.unwrap_or_default() {
                let event: Event = item::body(found)?;
                let without_people = event.without_people();
                if without_people != event {
                    rewritten.push(without_people);
                }
            }
            let writes = rewritten.into_iter().map(|event| self.rewrite(event));
            let mut writes = stream::iter(writes).buffer_unordered(CONCURRENT_WRITES);
            while let Some(written) = writes.next().await {
                written?;
            }
            from = answer.last_evaluated_key.filter(|key| !key.is_empty());
            if from.is_none() {
                return Ok(());
            }
        }
    }

    async fn erasures(&self, next: Option<&str>) -> Result<Page<Erasure>, StoreError> {
        let from = next.map(|next| next.parse().map_err(|_| StoreError::BadPosition));
        let request = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .limit(PAGE)
            .key_condition_expression("#pk = :pk")
            .expression_attribute_names("#pk", item::PARTITION)
            .expression_attribute_values(":pk", text(ItemKind::Erasure.partition()))
            .set_exclusive_start_key(from.transpose()?.map(item::erasure_key));
        let answer = request.send().await.map_err(|error| list_error(error, next))?;
        let sort = |key: Item| Some(key.get(item::SORT)?.as_s().ok()?.clone());
        let items = answer.items.unwrap_or_default().into_iter();
        let items = items.filter_map(|item| item::erasure_of(item).transpose());
        Ok(Page {
            items: items.collect::<Result<_, _>>()?,
            next: answer.last_evaluated_key.and_then(sort),
        })
    }
}

impl DynamoDbStore {
    /// Replaces the body alone: a delivery may remove the pending mark meanwhile.
    async fn rewrite(&self, event: Event) -> Result<(), StoreError> {
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(item::event_key(event.subscription_id, event.position())))
            .update_expression("SET #body = :body")
            // Without this condition, an expired event would come back.
            .condition_expression("attribute_exists(#pk)")
            .expression_attribute_names("#pk", item::PARTITION)
            .expression_attribute_names("#body", item::BODY)
            .expression_attribute_values(":body", item::event_body(&event)?);
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(()),
                _ => Err(store_error(error)),
            },
        }
    }
}
