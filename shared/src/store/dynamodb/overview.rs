//! What pages for people are made of, in DynamoDB.

use std::collections::{BTreeSet, HashMap};

use async_trait::async_trait;
use futures_util::future::try_join;
use jiff::Timestamp;

use super::due_entries::DueEntry;
use super::error::store_error;
use super::list::EVENT_PAGE;
use super::outbox::entry_of;
use super::{BATCH, DynamoDbStore};
use crate::domain::{Event, SubscriptionId};
use crate::store::item::{self, Item, index};
use crate::store::{
    Agenda, Entry, Found, ListQuery, Overview, Page, StoreError, Undelivered, Wanted,
};

#[async_trait]
impl Overview for DynamoDbStore {
    async fn look_up(&self, wanted: &BTreeSet<Wanted>) -> Result<Found, StoreError> {
        let keyed: Vec<_> = wanted.iter().map(|wanted| (key(*wanted), *wanted)).collect();
        let names: HashMap<_, _> =
            keyed.iter().filter_map(|(key, wanted)| Some((name(key)?, *wanted))).collect();
        let mut found = Found::default();
        for batch in keyed.chunks(BATCH) {
            let keys = batch.iter().map(|(key, _)| key.clone()).collect();
            for item in self.read_batch(keys).await? {
                if let Some(wanted) = name(&item).and_then(|name| names.get(&name)) {
                    put(&mut found, *wanted, item);
                }
            }
        }
        Ok(found)
    }

    async fn list_ids(
        &self,
        query: &ListQuery,
        next: Option<&str>,
    ) -> Result<Page<SubscriptionId>, StoreError> {
        self.listed_ids(query, next).await
    }

    async fn agenda(&self, by: Timestamp, limit: u8) -> Result<Agenda, StoreError> {
        let work = index::sharded_keys(index::WORK).collect();
        let parked = index::outbox_keys(index::PARKED).collect();
        let (work, parked) = try_join(
            self.due_entries(work, Some(by), limit, None, |entry| Some(entry.id)),
            self.due_entries(parked, Some(by), limit, None, |entry| {
                entry_of(entry.id, entry.sort, entry.due_at, true)
            }),
        )
        .await?;
        Ok(Agenda {
            work: work.items,
            has_more_work: work.next.is_some(),
            parked: parked.items,
            has_more_parked: parked.next.is_some(),
        })
    }

    async fn undelivered(
        &self,
        which: Undelivered,
        limit: u8,
        next: Option<&str>,
    ) -> Result<Page<Entry>, StoreError> {
        let (kind, is_parked) = match which {
            Undelivered::Waiting => (index::DUE, false),
            Undelivered::Parked => (index::PARKED, true),
        };
        let read = |entry: DueEntry| entry_of(entry.id, entry.sort, entry.due_at, is_parked);
        self.due_entries(index::outbox_keys(kind).collect(), None, limit, next, read).await
    }

    async fn last_events(
        &self,
        id: SubscriptionId,
        until_version: u64,
    ) -> Result<Page<Event>, StoreError> {
        let request = self.query_between(id, item::events_until(until_version));
        let request = request.scan_index_forward(false).limit(EVENT_PAGE);
        let answer = request.send().await.map_err(store_error)?;
        let found = answer.items.unwrap_or_default().into_iter();
        let mut items: Vec<Event> = found.map(item::body).collect::<Result<_, _>>()?;
        let mut next = None;
        if answer.last_evaluated_key.is_some_and(|key| !key.is_empty())
            && let Some(first) = items.last().map(|event| event.version)
        {
            // The page may end within a version. Then the next page begins with that version.
            items.retain(|event| event.version > first);
            next = Some(first.to_string());
        }
        Ok(Page { items, next })
    }
}

fn key(wanted: Wanted) -> Item {
    match wanted {
        Wanted::Record(id) => item::record_key(id),
        Wanted::Annotations(id) => item::annotations_key(id),
        Wanted::Cursor(id, target) => item::cursor_key(id, target),
        Wanted::Receiver(target) => item::receiver_key(target),
        Wanted::Checkpoint => item::checkpoint_key(),
        Wanted::DryRun => item::dry_run_key(),
        Wanted::Pause => item::pause_key(),
        Wanted::FirstStart => item::first_start_key(),
        Wanted::Examination => item::examination_key(),
    }
}

/// The texts of an item's key.
fn name(item: &Item) -> Option<(String, String)> {
    let part = |name| Some(item.get(name)?.as_s().ok()?.clone());
    Some((part(item::PARTITION)?, part(item::SORT)?))
}

fn put(found: &mut Found, wanted: Wanted, item: Item) {
    match wanted {
        Wanted::Record(id) => drop(found.records.insert(id, item::record_of(id, item))),
        Wanted::Annotations(id) => drop(found.annotations.insert(id, item::body(item))),
        Wanted::Cursor(id, target) => drop(found.cursors.insert((id, target), item::body(item))),
        Wanted::Receiver(target) => drop(found.receivers.insert(target, item::body(item))),
        Wanted::Checkpoint => found.checkpoint = Some(item::body(item)),
        Wanted::DryRun => found.dry_run = Some(item::body(item)),
        Wanted::Pause => found.pause = Some(item::body(item)),
        Wanted::FirstStart => found.first_start = Some(item::body(item)),
        Wanted::Examination => found.examination = Some(item::body(item)),
    }
}
