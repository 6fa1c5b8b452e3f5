//! What is to be carried to the publisher's product, in memory.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use jiff::Timestamp;
use shared::domain::{Event, Position, SubscriptionId};
use shared::store::{
    Backlog, Cursor, CursorError, CursorState, Due, LEFT_TO_THE_STREAM, Outbox, Page, StoreError,
    Target,
};

use crate::store::{MemoryStore, SimulatedStore};

/// Events read at a time, as the DynamoDB store has them.
const BACKLOG: usize = 25;

/// Entries per page of a list, likewise.
const PAGE: usize = 100;

/// Signs and cursors.
#[derive(Default)]
pub struct OutboxTable {
    signs: BTreeMap<(SubscriptionId, u64), Timestamp>,
    cursors: BTreeMap<(SubscriptionId, Target), Cursor>,
}

impl OutboxTable {
    /// A version's first event bears the sign.
    pub fn sign(&mut self, event: &Event) {
        if event.index == 0 {
            let due = event.recorded_at + LEFT_TO_THE_STREAM;
            self.signs.insert((event.subscription_id, event.version), due);
        }
    }

    /// A subscription that this table has never heard of.
    pub fn forget(&mut self, id: SubscriptionId) {
        self.signs.retain(|(owner, _), _| *owner != id);
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

    /// The oldest first, in whole seconds, as the index has them.
    pub fn due(&self, by: Timestamp) -> Vec<Due> {
        let signed = self.signs.iter().map(|((id, version), at)| (*at, Due::Signed(*id, *version)));
        let cursors = self.cursors.iter().filter_map(|((id, target), cursor)| {
            let CursorState::Due { at, .. } = &cursor.state else { return None };
            Some((*at, Due::Cursor(*id, *target)))
        });
        let mut due: Vec<_> = signed
            .chain(cursors)
            .map(|(at, due)| (at.as_second(), due))
            .filter(|(at, _)| *at <= by.as_second())
            .collect();
        due.sort_unstable();
        due.into_iter().map(|(_, due)| due).collect()
    }

    pub fn parked(&self) -> Vec<(SubscriptionId, Target)> {
        let is_parked = |cursor: &Cursor| matches!(cursor.state, CursorState::Parked { .. });
        self.cursors.iter().filter(|(_, cursor)| is_parked(cursor)).map(|(key, _)| *key).collect()
    }
}

/// A part of a list that is read whole.
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
            outbox.signs.retain(|(owner, version), _| *owner != id || !versions.contains(version));
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
