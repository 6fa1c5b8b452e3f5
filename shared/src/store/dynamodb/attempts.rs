//! Attempts to deliver events, in DynamoDB.

use async_trait::async_trait;

use super::DynamoDbStore;
use super::error::store_error;
use crate::domain::SubscriptionId;
use crate::store::item::{self, text};
use crate::store::{Attempt, Attempts, Page, StoreError};

#[async_trait]
impl Attempts for DynamoDbStore {
    async fn save_attempt(&self, id: SubscriptionId, attempt: &Attempt) -> Result<(), StoreError> {
        self.put(item::attempt(id, attempt)?).await
    }

    async fn attempts(
        &self,
        id: SubscriptionId,
        limit: u8,
        next: Option<&str>,
    ) -> Result<Page<Attempt>, StoreError> {
        if next.is_some_and(|next| !item::is_attempt_sort(next)) {
            return Err(StoreError::BadPosition);
        }
        let request = self.query_between(id, item::all_attempts());
        let request = request.scan_index_forward(false).limit(i32::from(limit));
        // The position is the last key of the page before.
        let request = match next {
            Some(next) => request
                .exclusive_start_key(item::PARTITION, text(item::partition(id)))
                .exclusive_start_key(item::SORT, text(next)),
            None => request,
        };
        let answer = request.send().await.map_err(store_error)?;
        let position = |key: item::Item| Some(key.get(item::SORT)?.as_s().ok()?.clone());
        let next = answer.last_evaluated_key.and_then(position);
        let items = answer.items.unwrap_or_default().into_iter().map(item::body);
        Ok(Page { items: items.collect::<Result<_, _>>()?, next })
    }
}
