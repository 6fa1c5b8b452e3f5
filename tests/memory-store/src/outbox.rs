//! The outbox's port.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use jiff::Timestamp;
use shared::domain::{Position, SubscriptionId};
use shared::store::{
    Backlog, Cursor, CursorError, Due, Outbox, Page, ReceiverState, StoreError, Target, Waiting,
};

use crate::memory_store::MemoryStore;

/// Events per read, as in the DynamoDB store.
const BACKLOG: usize = 25;

/// Entries per page of a list, as in the DynamoDB store.
const PAGE: usize = 100;

/// One page of the whole list.
pub(crate) fn page<T>(
    all: Vec<T>,
    limit: usize,
    next: Option<&str>,
) -> Result<Page<T>, StoreError> {
    let from: usize = match next {
        Some(next) => next.parse().map_err(|_| StoreError::BadPosition)?,
        None => 0,
    };
    let end = from.saturating_add(limit);
    let next = (all.len() > end).then(|| end.to_string());
    Ok(Page { items: all.into_iter().skip(from).take(limit).collect(), next })
}

#[async_trait]
impl Outbox for MemoryStore {
    async fn cursor(&self, id: SubscriptionId, target: Target) -> Result<Cursor, StoreError> {
        Ok(self.outbox(|outbox| outbox.cursor(id, target)))
    }

    async fn cursors(&self, id: SubscriptionId) -> Result<Vec<Target>, StoreError> {
        Ok(self.outbox(|outbox| outbox.targets(id)))
    }

    async fn save_cursor(
        &self,
        id: SubscriptionId,
        target: Target,
        cursor: &Cursor,
    ) -> Result<(), CursorError> {
        self.outbox(|outbox| outbox.save(id, target, cursor))
    }

    async fn delete_cursor(
        &self,
        id: SubscriptionId,
        target: Target,
        revision: u64,
    ) -> Result<(), CursorError> {
        self.outbox(|outbox| outbox.delete(id, target, revision))
    }

    async fn backlog(&self, id: SubscriptionId, after: Position) -> Result<Backlog, StoreError> {
        let all = self.history(id, after.version.saturating_sub(1));
        let mut events: Vec<_> = all.into_iter().filter(|event| event.position() > after).collect();
        let more = events.len() > BACKLOG;
        events.truncate(BACKLOG);
        Ok(Backlog { events, more })
    }

    async fn settle(&self, id: SubscriptionId, versions: &BTreeSet<u64>) -> Result<(), StoreError> {
        self.outbox(|outbox| outbox.settle(id, versions));
        Ok(())
    }

    async fn due(&self, by: Timestamp, next: Option<&str>) -> Result<Page<Due>, StoreError> {
        page(self.all_due(by), PAGE, next)
    }

    async fn parked(
        &self,
        next: Option<&str>,
    ) -> Result<Page<(SubscriptionId, Target)>, StoreError> {
        page(self.all_parked(), PAGE, next)
    }

    async fn waiting(
        &self,
        targets: &[Target],
        states: &BTreeMap<Target, ReceiverState>,
    ) -> Result<Waiting, StoreError> {
        Ok(Waiting::count(self.outbox(|outbox| outbox.entries()), targets, states, true))
    }
}
