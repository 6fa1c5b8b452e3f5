//! The outbox: cursors, pending events, and what is due, in DynamoDB.

use std::collections::BTreeSet;

use async_trait::async_trait;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use futures_util::future::try_join_all;
use jiff::Timestamp;

use super::error::{list_error, store_error};
use super::{DynamoDbStore, PAGE};
use crate::domain::{self, SubscriptionId};
use crate::store::item::{self, Item, number, text};
use crate::store::{Backlog, Cursor, CursorError, Due, Outbox, Page, StoreError, Target};

/// The index of pending events and of waiting cursors. It holds keys alone.
const INDEX: &str = "by-due";

/// The most entries on a page of the list, of all shards together.
const LONGEST_PAGE: usize = 100;

/// Events read at a time. They are delivered well within a function's time.
const BACKLOG: i32 = 25;

#[async_trait]
impl Outbox for DynamoDbStore {
    async fn cursor(&self, id: SubscriptionId, target: Target) -> Result<Cursor, StoreError> {
        let found = self.get(item::cursor_key(id, target)).await?;
        Ok(found.map(item::body).transpose()?.unwrap_or_default())
    }

    async fn save_cursor(
        &self,
        id: SubscriptionId,
        target: Target,
        cursor: &Cursor,
    ) -> Result<(), CursorError> {
        let put = self.client.put_item().table_name(&self.table);
        let put = put.set_item(Some(item::cursor(id, target, cursor)?));
        let put = match cursor.revision.checked_sub(1).ok_or(CursorError::Conflict)? {
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
                ) => CursorError::Conflict,
                _ => store_error(error).into(),
            }),
        }
    }

    async fn backlog(
        &self,
        id: SubscriptionId,
        after: domain::Position,
    ) -> Result<Backlog, StoreError> {
        let request = self.query_between(id, item::events_after(after)).limit(BACKLOG);
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
            let key = item::key(item::partition(id), item::event_key(*version, 0));
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
                .expression_attribute_names("#outbox", item::OUTBOX)
                .expression_attribute_names("#due_at", item::DUE_AT);
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
        self.waiting(item::DUE, Some(by), next, due).await
    }

    async fn parked(
        &self,
        next: Option<&str>,
    ) -> Result<Page<(SubscriptionId, Target)>, StoreError> {
        let cursor = |id, sort: &str| Some((id, item::cursor_target(sort)?));
        self.waiting(item::PARKED, None, next, cursor).await
    }
}

fn due(id: SubscriptionId, sort: &str) -> Option<Due> {
    let cursor = || item::cursor_target(sort).map(|target| Due::Cursor(id, target));
    item::event_version(sort).map(|version| Due::Pending(id, version)).or_else(cursor)
}

/// Where an entry is in the order of a list: its time, and its keys.
type Position = (String, String, String);

/// The first entries under one partition key of the index.
struct Shard {
    entries: Vec<(Position, Item)>,
    /// Where the next ones start, if there are more.
    end: Option<Position>,
}

impl DynamoDbStore {
    /// A page of the index, the oldest entries first.
    async fn waiting<T>(
        &self,
        outbox: &str,
        by: Option<Timestamp>,
        next: Option<&str>,
        read: impl Fn(SubscriptionId, &str) -> Option<T> + Send,
    ) -> Result<Page<T>, StoreError> {
        let start = next.map(parse).transpose()?;
        let shards = item::outbox_keys(outbox).map(|key| self.shard(key, by, start.as_ref()));
        let shards: Vec<Shard> = try_join_all(shards).await?;
        // A shard with more entries may hold some that come before those of the other shards.
        let known = shards.iter().filter_map(|shard| shard.end.clone()).min();
        let mut entries: Vec<_> = shards.into_iter().flat_map(|shard| shard.entries).collect();
        entries.retain(|(at, _)| known.as_ref().is_none_or(|known| at <= known));
        entries.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        let is_too_long = entries.len() > LONGEST_PAGE;
        entries.truncate(LONGEST_PAGE);
        let last = entries.last().map(|(at, _)| at.clone());
        let next = if is_too_long { last } else { known };
        let one = |(_, found): (Position, Item)| {
            let sort = found.get(item::SORT)?.as_s().ok()?;
            read(item::subscription(&found)?, sort)
        };
        Ok(Page {
            items: entries.into_iter().filter_map(one).collect(),
            next: next.map(|(due_at, partition, sort)| [due_at, partition, sort].join(" ")),
        })
    }

    /// The entries under one partition key, after a position. It need not be one of theirs.
    async fn shard(
        &self,
        outbox: String,
        by: Option<Timestamp>,
        start: Option<&Position>,
    ) -> Result<Shard, StoreError> {
        let condition =
            if by.is_some() { "#outbox = :outbox AND #due_at <= :by" } else { "#outbox = :outbox" };
        let mut request = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(INDEX)
            .limit(PAGE)
            .key_condition_expression(condition)
            .expression_attribute_names("#outbox", item::OUTBOX)
            .expression_attribute_values(":outbox", text(&outbox))
            .set_exclusive_start_key(start.map(|start| index_key(start, &outbox)));
        if let Some(by) = by {
            request = request
                .expression_attribute_names("#due_at", item::DUE_AT)
                .expression_attribute_values(":by", text(item::due_at(by)));
        }
        let next = start.map(|(due_at, ..)| due_at.as_str());
        let answer = request.send().await.map_err(|error| list_error(error, next))?;
        let entry = |found: Item| Some((position(&found)?, found));
        Ok(Shard {
            entries: answer.items.unwrap_or_default().into_iter().filter_map(entry).collect(),
            end: answer.last_evaluated_key.as_ref().and_then(position),
        })
    }
}

fn position(found: &Item) -> Option<Position> {
    let part = |name| Some(found.get(name)?.as_s().ok()?.clone());
    Some((part(item::DUE_AT)?, part(item::PARTITION)?, part(item::SORT)?))
}

/// A position, as the previous page gave it.
fn parse(next: &str) -> Result<Position, StoreError> {
    let mut parts = next.split(' ').map(str::to_owned);
    let mut part = || parts.next().filter(|part| !part.is_empty()).ok_or(StoreError::BadPosition);
    Ok((part()?, part()?, part()?))
}

/// The key after which entries under this partition key continue.
fn index_key((due_at, partition, sort): &Position, outbox: &str) -> Item {
    let mut key = item::key(partition, sort);
    key.insert(item::OUTBOX.to_owned(), text(outbox));
    key.insert(item::DUE_AT.to_owned(), text(due_at));
    key
}
