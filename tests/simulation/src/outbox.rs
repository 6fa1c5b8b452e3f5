//! The outbox, in memory: which events are pending, and how far each target has received them.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use jiff::Timestamp;
use shared::domain::{Event, Position, SubscriptionId};
use shared::store::{
    Backlog, Cursor, CursorError, CursorState, Due, Outbox, Page, STREAM_HEAD_START, StoreError,
    Target,
};

use crate::simulated_store::SimulatedStore;
use crate::store::MemoryStore;

/// Events per read, as in the DynamoDB store.
const BACKLOG: usize = 25;

/// Entries per page of a list, as in the DynamoDB store.
const PAGE: usize = 100;

#[derive(Default)]
pub(crate) struct OutboxTable {
    /// The versions with pending events, and when a sweep may send them.
    pending: BTreeMap<(SubscriptionId, u64), Timestamp>,
    cursors: BTreeMap<(SubscriptionId, Target), Cursor>,
}

impl OutboxTable {
    /// Marks an event as pending. One mark stands for all events of a version.
    pub(crate) fn mark_pending(&mut self, event: &Event) {
        if event.index == 0 {
            let due = event.recorded_at + STREAM_HEAD_START;
            self.pending.insert((event.subscription_id, event.version), due);
        }
    }

    pub(crate) fn forget(&mut self, id: SubscriptionId) {
        self.pending.retain(|(owner, _), _| *owner != id);
        self.cursors.retain(|(owner, _), _| *owner != id);
    }

    fn save(&mut self, key: (SubscriptionId, Target), cursor: &Cursor) -> Result<(), CursorError> {
        let revision = self.cursors.get(&key).map_or(0, |cursor| cursor.revision);
        if cursor.revision != revision + 1 {
            return Err(CursorError::Conflict);
        }
        self.cursors.insert(key, cursor.clone());
        Ok(())
    }

    /// Everything that is due by then, the oldest first. As in the table's index, times are rounded
    /// to seconds.
    pub(crate) fn due(&self, by: Timestamp) -> Vec<Due> {
        let pending =
            self.pending.iter().map(|((id, version), at)| (*at, Due::Pending(*id, *version)));
        let cursors = self.cursors.iter().filter_map(|((id, target), cursor)| {
            let CursorState::Due { at, .. } = &cursor.state else { return None };
            Some((*at, Due::Cursor(*id, *target)))
        });
        let mut due: Vec<_> = pending
            .chain(cursors)
            .map(|(at, due)| (at.as_second(), due))
            .filter(|(at, _)| *at <= by.as_second())
            .collect();
        due.sort_unstable();
        due.into_iter().map(|(_, due)| due).collect()
    }

    pub(crate) fn parked(&self) -> Vec<(SubscriptionId, Target)> {
        let is_parked = |cursor: &Cursor| matches!(cursor.state, CursorState::Parked { .. });
        self.cursors.iter().filter(|(_, cursor)| is_parked(cursor)).map(|(key, _)| *key).collect()
    }
}

/// One page of the whole list.
fn page<T>(all: Vec<T>, next: Option<&str>) -> Result<Page<T>, StoreError> {
    let from: usize = match next {
        Some(next) => next.parse().map_err(|_| StoreError::BadPosition)?,
        None => 0,
    };
    let end = from.saturating_add(PAGE);
    let next = (all.len() > end).then(|| end.to_string());
    Ok(Page { items: all.into_iter().skip(from).take(PAGE).collect(), next })
}

#[async_trait]
impl Outbox for MemoryStore {
    async fn cursor(&self, id: SubscriptionId, target: Target) -> Result<Cursor, StoreError> {
        Ok(self.outbox(|outbox| outbox.cursors.get(&(id, target)).cloned().unwrap_or_default()))
    }

    async fn save_cursor(
        &self,
        id: SubscriptionId,
        target: Target,
        cursor: &Cursor,
    ) -> Result<(), CursorError> {
        self.outbox(|outbox| outbox.save((id, target), cursor))
    }

    async fn backlog(&self, id: SubscriptionId, after: Position) -> Result<Backlog, StoreError> {
        let all = self.history(id, after.version.saturating_sub(1));
        let mut events: Vec<_> = all.into_iter().filter(|event| event.position() > after).collect();
        let more = events.len() > BACKLOG;
        events.truncate(BACKLOG);
        Ok(Backlog { events, more })
    }

    async fn settle(&self, id: SubscriptionId, versions: &BTreeSet<u64>) -> Result<(), StoreError> {
        self.outbox(|outbox| {
            outbox
                .pending
                .retain(|(owner, version), _| *owner != id || !versions.contains(version));
        });
        Ok(())
    }

    async fn due(&self, by: Timestamp, next: Option<&str>) -> Result<Page<Due>, StoreError> {
        page(self.outbox(|outbox| outbox.due(by)), next)
    }

    async fn parked(
        &self,
        next: Option<&str>,
    ) -> Result<Page<(SubscriptionId, Target)>, StoreError> {
        page(self.outbox(|outbox| outbox.parked()), next)
    }
}

#[async_trait]
impl Outbox for SimulatedStore {
    async fn cursor(&self, id: SubscriptionId, target: Target) -> Result<Cursor, StoreError> {
        self.at_once("cursor", self.table.cursor(id, target)).await?
    }

    async fn save_cursor(
        &self,
        id: SubscriptionId,
        target: Target,
        cursor: &Cursor,
    ) -> Result<(), CursorError> {
        self.at_once("save cursor", self.table.save_cursor(id, target, cursor)).await?
    }

    async fn backlog(&self, id: SubscriptionId, after: Position) -> Result<Backlog, StoreError> {
        self.at_once("backlog", self.table.backlog(id, after)).await?
    }

    async fn settle(&self, id: SubscriptionId, versions: &BTreeSet<u64>) -> Result<(), StoreError> {
        self.at_once("settle", self.table.settle(id, versions)).await?
    }

    async fn due(&self, by: Timestamp, next: Option<&str>) -> Result<Page<Due>, StoreError> {
        self.at_once("due", self.table.due(by, next)).await?
    }

    async fn parked(
        &self,
        next: Option<&str>,
    ) -> Result<Page<(SubscriptionId, Target)>, StoreError> {
        self.at_once("parked", self.table.parked(next)).await?
    }
}
