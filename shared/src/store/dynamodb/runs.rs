//! The runs of the reconciliation, in DynamoDB.

use async_trait::async_trait;

use super::{DynamoDbStore, store_error};
use crate::store::item::{self, text};
use crate::store::{Checkpoint, ItemKind, Page, Pause, Run, Runs, StoreError};

#[async_trait]
impl Runs for DynamoDbStore {
    async fn save_run(&self, run: &Run) -> Result<(), StoreError> {
        self.put(item::run(run)?).await
    }

    async fn runs(&self, limit: u8, next: Option<&str>) -> Result<Page<Run>, StoreError> {
        if next.is_some_and(|next| !item::is_run_sort(next)) {
            return Err(StoreError::BadPosition);
        }
        let partition = || text(ItemKind::Run.partition());
        let request = self
            .client
            .query()
            .table_name(&self.table)
            .scan_index_forward(false)
            .limit(i32::from(limit))
            .key_condition_expression("#pk = :pk AND #sk BETWEEN :from AND :to")
            .expression_attribute_names("#pk", item::PARTITION)
            .expression_attribute_names("#sk", item::SORT)
            .expression_attribute_values(":pk", partition())
            .expression_attribute_values(":from", text(ItemKind::Run.sort()))
            .expression_attribute_values(":to", text(format!("{}~", ItemKind::Run.sort())));
        // The position is the last key of the page before.
        let request = match next {
            Some(next) => request
                .exclusive_start_key(item::PARTITION, partition())
                .exclusive_start_key(item::SORT, text(next)),
            None => request,
        };
        let answer = request.send().await.map_err(store_error)?;
        let position = |key: item::Item| Some(key.get(item::SORT)?.as_s().ok()?.clone());
        let next = answer.last_evaluated_key.and_then(position);
        let items = answer.items.unwrap_or_default().into_iter().map(item::body);
        Ok(Page { items: items.collect::<Result<_, _>>()?, next })
    }

    async fn pause(&self) -> Result<Option<Pause>, StoreError> {
        self.get(item::pause_key()).await?.map(item::body).transpose()
    }

    async fn save_pause(&self, pause: Option<&Pause>) -> Result<(), StoreError> {
        let Some(pause) = pause else {
            let request = self.client.delete_item().table_name(&self.table);
            request.set_key(Some(item::pause_key())).send().await.map_err(store_error)?;
            return Ok(());
        };
        self.put(item::pause(pause)?).await
    }

    async fn dry_run(&self) -> Result<Checkpoint, StoreError> {
        Ok(self.get(item::dry_run_key()).await?.map(item::body).transpose()?.unwrap_or_default())
    }

    async fn save_dry_run(&self, checkpoint: &Checkpoint) -> Result<(), StoreError> {
        self.put(item::dry_run(checkpoint)?).await
    }
}
