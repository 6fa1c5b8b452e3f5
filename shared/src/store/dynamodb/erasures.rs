//! Erasures, in DynamoDB.

use async_trait::async_trait;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::{StreamExt as _, stream};

use super::error::{list_error, store_error};
use super::{DynamoDbStore, PAGE};
use crate::domain::{Event, Position, SubscriptionId};
use crate::store::item::{self, Item, index, text};
use crate::store::{Attempt, Erasure, Erasures, ItemKind, Page, StoreError};

/// How many items are rewritten at a time.
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
            let bodies = rewritten.iter().map(|event| {
                let key = item::event_key(event.subscription_id, event.position());
                Ok((key, item::event_body(event)?))
            });
            self.rewrite_all(bodies.collect::<Result<_, StoreError>>()?).await?;
            from = answer.last_evaluated_key.filter(|key| !key.is_empty());
            if from.is_none() {
                return Ok(());
            }
        }
    }

    async fn erase_attempts(&self, id: SubscriptionId) -> Result<(), StoreError> {
        let mut from = None;
        loop {
            let request = self.query_between(id, item::all_attempts());
            let request = request.limit(PAGE).set_exclusive_start_key(from);
            let answer = request.send().await.map_err(store_error)?;
            let mut rewritten = Vec::new();
            for found in answer.items.unwrap_or_default() {
                let attempt: Attempt = item::body(found)?;
                let without_text = attempt.without_text();
                if without_text != attempt {
                    let key = item::attempt_key(id, &attempt);
                    rewritten.push((key, item::attempt_body(id, &without_text)?));
                }
            }
            self.rewrite_all(rewritten).await?;
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
    async fn rewrite_all(&self, bodies: Vec<(Item, AttributeValue)>) -> Result<(), StoreError> {
        let writes = bodies.into_iter().map(|(key, body)| self.rewrite(key, body));
        let mut writes = stream::iter(writes).buffer_unordered(CONCURRENT_WRITES);
        while let Some(written) = writes.next().await {
            written?;
        }
        Ok(())
    }

    /// Replaces the body alone: a delivery may remove the pending mark meanwhile.
    async fn rewrite(&self, key: Item, body: AttributeValue) -> Result<(), StoreError> {
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key))
            .update_expression("SET #body = :body")
            // Without this condition, an expired item would come back.
            .condition_expression("attribute_exists(#pk)")
            .expression_attribute_names("#pk", item::PARTITION)
            .expression_attribute_names("#body", item::BODY)
            .expression_attribute_values(":body", body);
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(()),
                _ => Err(store_error(error)),
            },
        }
    }
}
