//! The table in DynamoDB.

mod annotations;
mod attempts;
mod checkpoints;
mod due_entries;
mod due_work;
mod erasures;
mod error;
mod examinations;
mod first_start;
mod idempotency;
mod inspection;
mod list;
mod offer_settings;
mod outbox;
mod overview;
mod pacing;
mod receivers;
mod refusals;
mod restoration;
mod revision;
mod runs;
mod search;
mod sightings;
mod spread;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::builders::PutBuilder;
use aws_sdk_dynamodb::types::{KeysAndAttributes, Put, TransactWriteItem};

use self::error::{cancelled, store_error, unbuilt};
use super::item::{self, Item, number, text};
use super::{Commit, CommitError, ItemKind, ListQuery, Mark, Page, Store, StoreError};
use crate::domain::{Event, OperationId, Record, SubscriptionId};
use crate::host::clock::Clock;
use crate::host::retry::{Retries, RetryPolicy};

/// The most keys in one BatchGetItem.
const BATCH: usize = 100;

/// The most actions in one transaction.
const MOST_ACTIONS: usize = 100;

/// Items per page of the lists that have no limit of their own.
const PAGE: i32 = 100;

/// How often we ask again for keys and items that DynamoDB left unprocessed.
const BATCH_ROUNDS: u32 = 5;

/// The pause between those rounds.
const BATCH_PAUSE: Duration = Duration::from_millis(50);

/// How reads are tried again after the SDK gave up, which it does within a fraction of a second. What
/// follows a read needs the rest of the webhook's time.
const READS: RetryPolicy = RetryPolicy::WITHIN_WEBHOOK;

/// The same for commits. Little follows them.
const COMMITS: RetryPolicy =
    RetryPolicy { attempts: 6, reserve: Duration::ZERO, ..RetryPolicy::WITHIN_WEBHOOK };

/// Every port of the table, in one DynamoDB table.
pub struct DynamoDbStore {
    client: Client,
    table: String,
    clock: Arc<dyn Clock>,
    retries: Retries,
}

impl DynamoDbStore {
    pub fn new(client: Client, table: String, clock: Arc<dyn Clock>) -> Self {
        Self { client, table, clock, retries: Retries::default() }
    }

    async fn get(&self, key: Item) -> Result<Option<Item>, StoreError> {
        let request = self.client.get_item().table_name(&self.table).consistent_read(true);
        Ok(request.set_key(Some(key)).send().await.map_err(store_error)?.item)
    }

    async fn put(&self, item: Item) -> Result<(), StoreError> {
        let request = self.client.put_item().table_name(&self.table).set_item(Some(item));
        request.send().await.map_err(store_error)?;
        Ok(())
    }

    /// Reads up to [`BATCH`] items, and asks again for those that DynamoDB left unprocessed.
    async fn get_batch(&self, keys: Vec<Item>) -> Result<Vec<Item>, StoreError> {
        let mut found = Vec::with_capacity(keys.len());
        let mut wanted = keys;
        for round in 0..BATCH_ROUNDS {
            if wanted.is_empty() {
                return Ok(found);
            }
            self.clock.sleep(BATCH_PAUSE * round).await;
            let keys = KeysAndAttributes::builder()
                .set_keys(Some(wanted))
                .consistent_read(true)
                .build()
                .map_err(unbuilt)?;
            let request = self.client.batch_get_item().request_items(&self.table, keys);
            let answer = request.send().await.map_err(store_error)?;
            found.extend(
                answer
                    .responses
                    .and_then(|mut tables| tables.remove(&self.table))
                    .unwrap_or_default(),
            );
            let unprocessed =
                answer.unprocessed_keys.and_then(|mut tables| tables.remove(&self.table));
            wanted = unprocessed.map(|keys| keys.keys).unwrap_or_default();
        }
        if wanted.is_empty() {
            Ok(found)
        } else {
            Err(StoreError::Throttled { code: "keys left unprocessed".to_owned() })
        }
    }

    async fn read_batch(&self, keys: Vec<Item>) -> Result<Vec<Item>, StoreError> {
        let read = || self.get_batch(keys.clone());
        self.retries.retry(&*self.clock, &READS, read).await
    }

    /// Reads one item of each subscription. An item that can't be read fails alone.
    async fn read_many<T>(
        &self,
        ids: &[SubscriptionId],
        key: impl Fn(SubscriptionId) -> Item + Send,
        read: impl Fn(SubscriptionId, Item) -> Result<T, StoreError> + Send,
    ) -> Result<HashMap<SubscriptionId, Result<T, StoreError>>, StoreError> {
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        ids.dedup();
        let mut items = HashMap::with_capacity(ids.len());
        for ids in ids.chunks(BATCH) {
            let keys = ids.iter().copied().map(&key).collect();
            for found in self.read_batch(keys).await? {
                if let Some(id) = item::subscription(&found) {
                    items.insert(id, read(id, found));
                }
            }
        }
        Ok(items)
    }

    /// A consistent query of a subscription's items between two sort keys.
    fn query_between(
        &self,
        id: SubscriptionId,
        (from, to): (String, String),
    ) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("#pk = :pk AND #sk BETWEEN :from AND :to")
            .expression_attribute_names("#pk", item::PARTITION)
            .expression_attribute_names("#sk", item::SORT)
            .expression_attribute_values(":pk", text(item::partition(id)))
            .expression_attribute_values(":from", text(from))
            .expression_attribute_values(":to", text(to))
    }

    fn put_record(&self, record: &Record) -> Result<Put, StoreError> {
        let put = self.put_in_transaction(item::record(record)?);
        let put = if record.is_first_version() {
            put.condition_expression("attribute_not_exists(#pk)")
                .expression_attribute_names("#pk", item::PARTITION)
        } else {
            put.condition_expression("#version = :expected")
                .expression_attribute_names("#version", item::VERSION)
                .expression_attribute_values(":expected", number(record.version - 1))
        };
        put.build().map_err(unbuilt)
    }

    fn put_mark(&self, id: SubscriptionId, mark: &Mark) -> Result<Put, StoreError> {
        self.put_in_transaction(item::mark(id, mark)?)
            .condition_expression("attribute_not_exists(#pk)")
            .expression_attribute_names("#pk", item::PARTITION)
            .build()
            .map_err(unbuilt)
    }

    fn put_event(&self, event: &Event) -> Result<Put, StoreError> {
        self.put_in_transaction(item::event(event)?).build().map_err(unbuilt)
    }

    fn put_in_transaction(&self, item: Item) -> PutBuilder {
        Put::builder().table_name(&self.table).set_item(Some(item))
    }
}

fn put_action(put: Put) -> TransactWriteItem {
    TransactWriteItem::builder().put(put).build()
}

#[async_trait]
impl Store for DynamoDbStore {
    async fn load(&self, id: SubscriptionId) -> Result<Option<Record>, StoreError> {
        let key = item::record_key(id);
        let read = || self.get(key.clone());
        let found = self.retries.retry(&*self.clock, &READS, read).await?;
        found.map(|found| item::record_of(id, found)).transpose()
    }

    async fn load_with_mark(
        &self,
        id: SubscriptionId,
        operation: &OperationId,
    ) -> Result<(Option<Record>, Option<Mark>), StoreError> {
        let keys = vec![item::record_key(id), item::mark_key(id, operation)];
        let (mut record, mut mark) = (None, None);
        for found in self.read_batch(keys).await? {
            match found.get(item::SORT).and_then(|sort| sort.as_s().ok()).map(String::as_str) {
                Some(sort) if sort == ItemKind::Record.sort() => {
                    record = Some(item::record_of(id, found)?)
                }
                _ => mark = Some(item::body(found)?),
            }
        }
        Ok((record, mark))
    }

    async fn load_many(
        &self,
        ids: &[SubscriptionId],
    ) -> Result<HashMap<SubscriptionId, Result<Record, StoreError>>, StoreError> {
        self.read_many(ids, item::record_key, item::record_of).await
    }

    async fn commit(
        &self,
        id: SubscriptionId,
        Commit { next, mark }: &Commit,
    ) -> Result<(), CommitError> {
        let mut actions = Vec::new();
        if let Some(mark) = mark {
            actions.push(put_action(self.put_mark(id, mark)?));
        }
        if let Some(next) = next {
            actions.push(put_action(self.put_record(&next.record)?));
            for event in &next.events {
                actions.push(put_action(self.put_event(event)?));
            }
            actions.extend(self.search_actions(next)?);
        }
        if actions.is_empty() {
            return Ok(());
        }
        debug_assert!(actions.len() <= MOST_ACTIONS, "a transaction of {} items", actions.len());
        let request = self.client.transact_write_items().set_transact_items(Some(actions));
        let write =
            || async {
                // Each attempt is a transaction of its own: the one before it wrote nothing.
                match request.clone().send().await {
                    Ok(_) => Ok(()),
                    Err(error) => Err(cancelled(&error, mark.is_some())
                        .unwrap_or_else(|| store_error(error).into())),
                }
            };
        self.retries.retry(&*self.clock, &COMMITS, write).await
    }

    async fn epoch(&self) -> Result<u64, StoreError> {
        self.read_epoch().await
    }

    async fn list(
        &self,
        query: &ListQuery,
        next: Option<&str>,
    ) -> Result<Page<Record>, StoreError> {
        let Page { items, next } = self.listed_ids(query, next).await?;
        Ok(Page { items: self.records(&query.filter, &items).await?, next })
    }

    async fn events(
        &self,
        id: SubscriptionId,
        after_version: u64,
    ) -> Result<Page<Event>, StoreError> {
        self.list_events(id, after_version).await
    }
}

#[cfg(test)]
mod tests;
