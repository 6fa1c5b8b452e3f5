//! The outbox: cursors, pending events, and what is due, in DynamoDB.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use futures_util::future::try_join_all;
use jiff::Timestamp;

use super::DynamoDbStore;
use super::due_entries::{DUE_INDEX, DueEntry};
use super::error::store_error;
use crate::domain::{Position, SubscriptionId};
use crate::store::item::{self, Item, index, text};
use crate::store::{
    Backlog, Cursor, CursorError, Due, Entry, LARGEST_PAGE, Outbox, Page, ReceiverState, SaveError,
    StoreError, Target, Waiting,
};

/// Events read at a time. They are delivered well within a function's time.
const BACKLOG: i32 = 25;

/// More cursors than a subscription can have: one for each receiver that there has ever been.
const CURSORS: i32 = 1000;

/// The most entries that are counted under one partition key of the index. A longer outage of the product
/// costs no more than this each minute: 32 read units for each key.
const COUNTED: i32 = 1000;

#[async_trait]
impl Outbox for DynamoDbStore {
    async fn cursor(&self, id: SubscriptionId, target: Target) -> Result<Cursor, StoreError> {
        let found = self.get(item::cursor_key(id, target)).await?;
        Ok(found.map(item::body).transpose()?.unwrap_or_default())
    }

    async fn cursors(&self, id: SubscriptionId) -> Result<Vec<Target>, StoreError> {
        let request = self.query_between(id, item::cursor_sorts()).limit(CURSORS);
        let answer = request.send().await.map_err(store_error)?;
        let items = answer.items.unwrap_or_default();
        let target = |found: &Item| item::cursor_target(found.get(item::SORT)?.as_s().ok()?);
        Ok(items.iter().filter_map(target).collect())
    }

    async fn save_cursor(
        &self,
        id: SubscriptionId,
        target: Target,
        cursor: &Cursor,
    ) -> Result<(), CursorError> {
        let put = self.put_revision(item::cursor(id, target, cursor)?, cursor.revision);
        let put = put.ok_or(CursorError::Conflict)?;
        match put.send().await {
            Ok(_) => Ok(()),
            Err(error) => Err(match error.as_service_error() {
                Some(
                    PutItemError::ConditionalCheckFailedException(_)
                    | PutItemError::TransactionConflictException(_),
                ) => CursorError::Conflict,
                _ => store_error(error).into(),
            }),
        }
    }

    async fn delete_cursor(
        &self,
        id: SubscriptionId,
        target: Target,
        revision: u64,
    ) -> Result<(), CursorError> {
        let deleted = self.delete_revision(item::cursor_key(id, target), revision).await;
        deleted.map_err(|error| match error {
            SaveError::Conflict => CursorError::Conflict,
            SaveError::Store(error) => error.into(),
        })
    }

    async fn backlog(&self, id: SubscriptionId, after: Position) -> Result<Backlog, StoreError> {
        let request = self.query_between(id, item::events_from(after.next())).limit(BACKLOG);
        let answer = request.send().await.map_err(store_error)?;
        let items = answer.items.unwrap_or_default().into_iter();
        Ok(Backlog {
            // An event that can't be read stops the events behind it, which keeps the order.
            events: items.map(item::body).collect::<Result<_, _>>()?,
            more: answer.last_evaluated_key.is_some_and(|key| !key.is_empty()),
        })
    }

    async fn settle(&self, id: SubscriptionId, versions: &BTreeSet<u64>) -> Result<(), StoreError> {
        for version in versions {
            let key = item::event_key(id, Position { version: *version, index: 0 });
            let request = self
                .client
                .update_item()
                .table_name(&self.table)
                .set_key(Some(key))
                .update_expression("REMOVE #outbox, #due_at")
                // Without this condition, an expired event would come back as an item of keys
                // alone.
                .condition_expression("attribute_exists(#pk)")
                .expression_attribute_names("#pk", item::PARTITION)
                .expression_attribute_names("#outbox", index::OUTBOX)
                .expression_attribute_names("#due_at", index::DUE_AT);
            if let Err(error) = request.send().await {
                match error.as_service_error() {
                    Some(UpdateItemError::ConditionalCheckFailedException(_)) => {}
                    _ => return Err(store_error(error)),
                }
            }
        }
        Ok(())
    }

    async fn due(&self, by: Timestamp, next: Option<&str>) -> Result<Page<Due>, StoreError> {
        let keys = index::outbox_keys(index::DUE).collect();
        let due = |entry: DueEntry| due(entry.id, entry.sort);
        self.due_entries(keys, Some(by), LARGEST_PAGE, next, due).await
    }

    async fn parked(
        &self,
        next: Option<&str>,
    ) -> Result<Page<(SubscriptionId, Target)>, StoreError> {
        let keys = index::outbox_keys(index::PARKED).collect();
        let cursor = |entry: DueEntry| Some((entry.id, item::cursor_target(entry.sort)?));
        self.due_entries(keys, None, LARGEST_PAGE, next, cursor).await
    }

    async fn waiting(
        &self,
        targets: &[Target],
        states: &BTreeMap<Target, ReceiverState>,
    ) -> Result<Waiting, StoreError> {
        let kinds = [index::DUE, index::PARKED];
        let keys =
            kinds.iter().flat_map(|kind| index::outbox_keys(kind).map(move |key| (*kind, key)));
        let counted = try_join_all(keys.map(|(kind, key)| self.first_entries(kind, key))).await?;
        let is_complete = counted.iter().all(|(_, is_complete)| *is_complete);
        let entries = counted.into_iter().flat_map(|(entries, _)| entries);
        Ok(Waiting::count(entries, targets, states, is_complete))
    }
}

fn due(id: SubscriptionId, sort: &str) -> Option<Due> {
    let cursor = || item::cursor_target(sort).map(|target| Due::Cursor(id, target));
    item::event_version(sort).map(|version| Due::Pending(id, version)).or_else(cursor)
}

/// An entry of the index, from its keys.
pub(super) fn entry_of(
    id: SubscriptionId,
    sort: &str,
    due_at: &str,
    is_parked: bool,
) -> Option<Entry> {
    let due = due(id, sort)?;
    let since = item::waits_since(due_at, matches!(due, Due::Pending(..)))?;
    Some(Entry { due, since, is_parked })
}

impl DynamoDbStore {
    /// The first entries under a partition key of the index, and whether they are all of them.
    async fn first_entries(
        &self,
        kind: &'static str,
        key: String,
    ) -> Result<(Vec<Entry>, bool), StoreError> {
        let request = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(DUE_INDEX)
            .limit(COUNTED)
            .key_condition_expression("#key = :key")
            .expression_attribute_names("#key", index::OUTBOX)
            .expression_attribute_values(":key", text(key));
        let answer = request.send().await.map_err(store_error)?;
        let entry = |found: &Item| {
            let part = |name| Some(found.get(name)?.as_s().ok()?.as_str());
            let (id, sort) = (item::subscription(found)?, part(item::SORT)?);
            entry_of(id, sort, part(index::DUE_AT)?, kind == index::PARKED)
        };
        let is_complete = answer.last_evaluated_key.is_none_or(|key| key.is_empty());
        Ok((answer.items.unwrap_or_default().iter().filter_map(entry).collect(), is_complete))
    }
}
