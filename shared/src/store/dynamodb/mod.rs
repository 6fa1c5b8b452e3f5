//! The table in DynamoDB.

mod outbox;
mod requests;

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{KeysAndAttributes, Put, TransactWriteItem};
use tracing::error;

use super::item::{self, Item, number, text};
use super::{Checkpoint, Commit, CommitError, Filter, Mark, Page, Store, StoreError};
use crate::domain::{Event, OperationId, Record, SubscriptionId};
use crate::system::System;

/// The most keys one BatchGetItem takes.
const BATCH: usize = 100;

/// Records per page of a list.
const PAGE: i32 = 100;

/// Events per page: a version's events must not be torn apart, and a version has fewer than this.
const EVENT_PAGE: i32 = 200;

/// How often keys that DynamoDB left unprocessed are asked for again.
const BATCH_ROUNDS: u32 = 5;

/// The pause between those rounds.
const BATCH_PAUSE: Duration = Duration::from_millis(50);

/// [`Store`] in one DynamoDB table.
pub struct DynamoDbStore {
    client: Client,
    table: String,
    system: Arc<dyn System>,
}

impl DynamoDbStore {
    /// A store in `table`.
    pub fn new(client: Client, table: String, system: Arc<dyn System>) -> Self {
        Self { client, table, system }
    }

    async fn get(&self, key: Item) -> Result<Option<Item>, StoreError> {
        let request = self.client.get_item().table_name(&self.table).consistent_read(true);
        Ok(request.set_key(Some(key)).send().await.map_err(store_error)?.item)
    }

    /// Reads up to [`BATCH`] items, asking again for what DynamoDB left out.
    async fn get_batch(&self, keys: Vec<Item>) -> Result<Vec<Item>, StoreError> {
        let mut found = Vec::with_capacity(keys.len());
        let mut wanted = keys;
        for round in 0..BATCH_ROUNDS {
            if wanted.is_empty() {
                return Ok(found);
            }
            self.system.sleep(BATCH_PAUSE * round).await;
            let keys = KeysAndAttributes::builder()
                .set_keys(Some(wanted))
                .consistent_read(true)
                .build()
                .map_err(|error| StoreError::Refused(error.to_string()))?;
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
            Err(StoreError::Unavailable("keys left unprocessed".into()))
        }
    }

    /// Scans the index, which holds records alone.
    async fn list_all(&self, next: Option<&str>) -> Result<Page<Record>, StoreError> {
        let start = next.map(|next| start(next, item::STATUS)).transpose()?;
        let request =
            self.client.scan().table_name(&self.table).index_name("by-status").limit(PAGE);
        let answer = request
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(|error| list_error(error, next))?;
        Ok(page(answer.items, answer.last_evaluated_key))
    }

    fn put_record(&self, record: &Record) -> Result<Put, StoreError> {
        let put = Put::builder().table_name(&self.table).set_item(Some(item::record(record)?));
        let put = match record.version - 1 {
            0 => put
                .condition_expression("attribute_not_exists(#pk)")
                .expression_attribute_names("#pk", item::PARTITION),
            expected => put
                .condition_expression("#version = :expected")
                .expression_attribute_names("#version", item::VERSION)
                .expression_attribute_values(":expected", number(expected)),
        };
        built(put)
    }

    fn put_mark(&self, id: SubscriptionId, mark: &Mark) -> Result<Put, StoreError> {
        built(
            Put::builder()
                .table_name(&self.table)
                .set_item(Some(item::mark(id, mark)?))
                .condition_expression("attribute_not_exists(#pk)")
                .expression_attribute_names("#pk", item::PARTITION),
        )
    }

    fn put_event(&self, event: &Event) -> Result<Put, StoreError> {
        built(Put::builder().table_name(&self.table).set_item(Some(item::event(event)?)))
    }
}

fn built(put: aws_sdk_dynamodb::types::builders::PutBuilder) -> Result<Put, StoreError> {
    put.build().map_err(|error| StoreError::Refused(error.to_string()))
}

#[async_trait]
impl Store for DynamoDbStore {
    async fn load(&self, id: SubscriptionId) -> Result<Option<Record>, StoreError> {
        let found = self.get(item::key(item::partition(id), item::RECORD)).await?;
        found.map(|found| item::record_of(id, found)).transpose()
    }

    async fn load_with_mark(
        &self,
        id: SubscriptionId,
        operation: OperationId,
    ) -> Result<(Option<Record>, Option<Mark>), StoreError> {
        let key = |sort| item::key(item::partition(id), sort);
        let keys = vec![key(item::RECORD.to_owned()), key(item::mark_key(operation))];
        let (mut record, mut mark) = (None, None);
        for found in self.get_batch(keys).await? {
            match found.get(item::SORT).and_then(|sort| sort.as_s().ok()).map(String::as_str) {
                Some(item::RECORD) => record = Some(item::record_of(id, found)?),
                _ => mark = Some(item::body(found)?),
            }
        }
        Ok((record, mark))
    }

    async fn load_many(
        &self,
        ids: &[SubscriptionId],
    ) -> Result<HashMap<SubscriptionId, Result<Record, StoreError>>, StoreError> {
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        ids.dedup();
        let mut records = HashMap::with_capacity(ids.len());
        for ids in ids.chunks(BATCH) {
            let keys = ids.iter().map(|id| item::key(item::partition(*id), item::RECORD)).collect();
            for found in self.get_batch(keys).await? {
                if let Some(id) = item::subscription(&found) {
                    records.insert(id, item::record_of(id, found));
                }
            }
        }
        Ok(records)
    }

    async fn commit(
        &self,
        id: SubscriptionId,
        Commit { change, mark }: &Commit,
    ) -> Result<(), CommitError> {
        let mut puts = Vec::new();
        if let Some(mark) = mark {
            puts.push(self.put_mark(id, mark)?);
        }
        if let Some(change) = change {
            puts.push(self.put_record(&change.record)?);
            for event in &change.events {
                puts.push(self.put_event(event)?);
            }
        }
        if puts.is_empty() {
            return Ok(());
        }
        let items = puts.into_iter().map(|put| TransactWriteItem::builder().put(put).build());
        let request = self.client.transact_write_items().set_transact_items(Some(items.collect()));
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) => {
                Err(cancelled(&error, mark.is_some()).unwrap_or_else(|| store_error(error).into()))
            }
        }
    }

    async fn list(&self, filter: &Filter, next: Option<&str>) -> Result<Page<Record>, StoreError> {
        // A page may be empty and not the last one, where the filter takes all of it.
        let (index, attribute, value) = match (&filter.offer_id, &filter.status) {
            (Some(offer), _) => ("by-offer", item::OFFER, offer.as_str()),
            (None, Some(status)) => ("by-status", item::STATUS, status.as_str()),
            (None, None) => return self.list_all(next).await,
        };
        let mut request = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(index)
            .limit(PAGE)
            .key_condition_expression("#key = :key")
            .expression_attribute_names("#key", attribute)
            .expression_attribute_values(":key", text(value))
            .set_exclusive_start_key(next.map(|next| start(next, attribute)).transpose()?);
        if let (Some(_), Some(status)) = (&filter.offer_id, &filter.status) {
            request = request
                .filter_expression("#status = :status")
                .expression_attribute_names("#status", item::STATUS)
                .expression_attribute_values(":status", text(status.as_str()));
        }
        let answer = request.send().await.map_err(|error| list_error(error, next))?;
        Ok(page(answer.items, answer.last_evaluated_key))
    }

    async fn events(
        &self,
        id: SubscriptionId,
        after_version: u64,
    ) -> Result<Page<Event>, StoreError> {
        let request = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .limit(EVENT_PAGE)
            .key_condition_expression("#pk = :pk AND #sk BETWEEN :from AND :to")
            .expression_attribute_names("#pk", item::PARTITION)
            .expression_attribute_names("#sk", item::SORT)
            .expression_attribute_values(":pk", text(item::partition(id)))
            .expression_attribute_values(
                ":from",
                text(item::event_key(after_version.saturating_add(1), 0)),
            )
            .expression_attribute_values(":to", text(item::event_key(u64::MAX, u8::MAX)));
        let answer = request.send().await.map_err(store_error)?;
        // An event that can't be read fails the page: left out, it would be lost without a word.
        let mut items: Vec<Event> = answer
            .items
            .unwrap_or_default()
            .into_iter()
            .map(item::body)
            .collect::<Result<_, _>>()?;
        let mut next = None;
        if answer.last_evaluated_key.is_some_and(|key| !key.is_empty())
            && let Some(last) = items.last().map(|event| event.version)
        {
            // The page may end within a version; that version begins the next page.
            items.retain(|event| event.version < last);
            next = items.last().map(|event| event.version.to_string());
        }
        Ok(Page { items, next })
    }

    async fn checkpoint(&self) -> Result<Checkpoint, StoreError> {
        Ok(self.get(item::checkpoint_key()).await?.map(item::body).transpose()?.unwrap_or_default())
    }

    async fn save_checkpoint(&self, checkpoint: &Checkpoint) -> Result<(), StoreError> {
        let item = item::checkpoint(checkpoint)?;
        let request = self.client.put_item().table_name(&self.table).set_item(Some(item));
        request.send().await.map_err(store_error)?;
        Ok(())
    }
}

/// One record that can't be read is reported and left out; it must not hide all the others.
fn page(items: Option<Vec<Item>>, last: Option<Item>) -> Page<Record> {
    let readable =
        |item| item::body(item).inspect_err(|error| error!(%error, "left out of a list"));
    let items = items.unwrap_or_default().into_iter().filter_map(|item| readable(item).ok());
    Page { items: items.collect(), next: last.as_ref().and_then(position) }
}

/// Where a page ended, as callers pass it around: the subscription, and its index key.
fn position(last: &Item) -> Option<String> {
    let part = |name| Some(last.get(name)?.as_s().ok()?.as_str());
    let index_key = part(item::STATUS).or_else(|| part(item::OFFER))?;
    Some(format!("{}:{index_key}", part(item::SUBSCRIPTION)?))
}

/// The key to go on after.
fn start(position: &str, attribute: &str) -> Result<Item, StoreError> {
    let bad = || StoreError::BadPosition;
    let (id, index_key) = position.split_once(':').ok_or_else(bad)?;
    let id: SubscriptionId = id.parse().map_err(|_| bad())?;
    let mut key = item::key(item::partition(id), item::RECORD);
    key.insert(attribute.to_owned(), text(index_key));
    key.insert(item::SUBSCRIPTION.to_owned(), text(id.to_string()));
    Ok(key)
}

/// Which condition cancelled a transaction; the mark, where there is one, is its first item.
fn cancelled(error: &SdkError<TransactWriteItemsError>, marked: bool) -> Option<CommitError> {
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) =
        error.as_service_error()
    else {
        return None;
    };
    let mut failed =
        cancelled.cancellation_reasons().iter().map(|reason| reason.code().unwrap_or_default());
    let first = failed.next()?;
    if marked && first == "ConditionalCheckFailed" {
        return Some(CommitError::AlreadyMarked);
    }
    let conflict = |code| matches!(code, "ConditionalCheckFailed" | "TransactionConflict");
    (conflict(first) || failed.any(conflict)).then_some(CommitError::Conflict)
}

/// A key that the table doesn't take is the caller's, where the list goes on from one.
fn list_error<E: ProvideErrorMetadata + Debug, R: Debug>(
    error: SdkError<E, R>,
    next: Option<&str>,
) -> StoreError {
    match error.code() {
        Some("ValidationException") if next.is_some() => StoreError::BadPosition,
        _ => store_error(error),
    }
}

fn store_error<E: ProvideErrorMetadata + Debug, R: Debug>(error: SdkError<E, R>) -> StoreError {
    let code = error.code().unwrap_or_default().to_owned();
    match error {
        SdkError::ServiceError(ref service) => match code.as_str() {
            "ResourceNotFoundException"
            | "ValidationException"
            | "AccessDeniedException"
            | "UnrecognizedClientException"
            | "IncompleteSignature"
            | "InvalidSignatureException" => StoreError::Refused(format!(
                "{code}: {}",
                service.err().message().unwrap_or_default()
            )),
            _ => StoreError::Unavailable(code),
        },
        SdkError::ConstructionFailure(_) => {
            StoreError::Refused("the request could not be built".into())
        }
        SdkError::TimeoutError(_) => StoreError::Unavailable("timeout".into()),
        SdkError::DispatchFailure(_) => StoreError::Unavailable("not reached".into()),
        _ => StoreError::Unavailable("no usable answer".into()),
    }
}
