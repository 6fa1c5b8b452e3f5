//! The table, in memory: the same port, the same conditions, a thousand times faster.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use futures_util::FutureExt as _;
use shared::domain::{Event, OperationId, Record, SubscriptionId};
use shared::store::{
    Checkpoint, Commit, CommitError, Filter, KeyedRequest, Mark, Page, Store, StoreError,
};

use crate::invariants;
use crate::io::{Fault, Io, TIMEOUT};
use crate::outbox::OutboxTable;
use crate::stream::Entry;

/// Records per page of a list, as the DynamoDB store has them.
const PAGE: usize = 100;

/// Events per page, likewise.
const EVENT_PAGE: usize = 200;

/// The table, in memory. Clones are the same table.
#[derive(Clone, Default)]
pub struct MemoryStore(Arc<Mutex<Table>>);

#[derive(Default)]
struct Table {
    records: BTreeMap<SubscriptionId, Record>,
    marks: HashMap<(SubscriptionId, OperationId), Mark>,
    events: BTreeMap<(SubscriptionId, u64, u8), Event>,
    checkpoint: Checkpoint,
    writes: u64,
    outbox: OutboxTable,
    requests: HashMap<String, KeyedRequest>,
    /// What the table's stream has not handed over yet.
    stream: Vec<Entry>,
}

impl MemoryStore {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is to be carried to the publisher's product.
    pub(crate) fn outbox<T>(&self, act: impl FnOnce(&mut OutboxTable) -> T) -> T {
        act(&mut self.table().outbox)
    }

    /// Requests that carried keys.
    pub(crate) fn requests<T>(
        &self,
        act: impl FnOnce(&mut HashMap<String, KeyedRequest>) -> T,
    ) -> T {
        act(&mut self.table().requests)
    }

    /// The record of a subscription.
    pub fn record(&self, id: SubscriptionId) -> Option<Record> {
        self.table().records.get(&id).cloned()
    }

    /// An operation's mark.
    pub fn mark(&self, id: SubscriptionId, operation: OperationId) -> Option<Mark> {
        self.table().marks.get(&(id, operation)).cloned()
    }

    /// A subscription's events after a version, in order.
    pub fn history(&self, id: SubscriptionId, after_version: u64) -> Vec<Event> {
        let from = (id, after_version.saturating_add(1), 0);
        self.table()
            .events
            .range(from..=(id, u64::MAX, u8::MAX))
            .map(|(_, event)| event.clone())
            .collect()
    }

    /// A subscription that this table has never heard of.
    pub fn forget(&self, id: uuid::Uuid) {
        let id = SubscriptionId(id);
        let mut table = self.table();
        table.records.remove(&id);
        table.events.retain(|(owner, _, _), _| *owner != id);
        table.marks.retain(|(owner, _), _| *owner != id);
        table.outbox.forget(id);
        table.stream.retain(|(owner, _)| *owner != id);
    }

    /// The next so many events that the stream tells of.
    pub(crate) fn take_stream(&self, most: usize) -> Vec<Entry> {
        let stream = &mut self.table().stream;
        stream.drain(..most.min(stream.len())).collect()
    }

    /// They are told of again, before all others.
    pub(crate) fn put_back_to_stream(&self, entries: Vec<Entry>) {
        self.table().stream.splice(..0, entries);
    }

    /// How often anything was written about a subscription.
    pub fn writes(&self) -> u64 {
        self.table().writes
    }

    fn write(&self, id: SubscriptionId, commit: &Commit) -> Result<(), CommitError> {
        let mut table = self.table();
        if let Some(mark) = &commit.mark
            && table.marks.contains_key(&(id, mark.operation_id))
        {
            return Err(CommitError::AlreadyMarked);
        }
        if let Some(change) = &commit.change {
            let version = table.records.get(&id).map_or(0, |record| record.version);
            if change.record.version != version + 1 {
                return Err(CommitError::Conflict);
            }
        }
        table.writes += 1;
        if let Some(mark) = &commit.mark {
            table.marks.insert((id, mark.operation_id), mark.clone());
        }
        if let Some(change) = &commit.change {
            table.records.insert(id, change.record.clone());
            for event in &change.events {
                table.events.insert((id, event.version, event.index), event.clone());
                table.outbox.sign(event);
                table.stream.push((id, event.position()));
            }
        }
        Ok(())
    }

    fn page(&self, filter: &Filter, next: Option<&str>) -> Result<Page<Record>, StoreError> {
        let after: Option<SubscriptionId> = match next {
            Some(next) => Some(next.parse().map_err(|_| StoreError::BadPosition)?),
            None => None,
        };
        let table = self.table();
        let mut wanted = table.records.values().filter(|record| {
            after.is_none_or(|after| record.id() > after)
                && filter.status.as_ref().is_none_or(|status| record.status() == status)
                && filter
                    .offer_id
                    .as_ref()
                    .is_none_or(|offer| record.subscription.offer_id == *offer)
        });
        let items: Vec<Record> = wanted.by_ref().take(PAGE).cloned().collect();
        let more = wanted.next().is_some();
        let next = items.last().filter(|_| more).map(|record| record.id().to_string());
        Ok(Page { items, next })
    }

    /// A version's events are never torn apart.
    fn event_page(&self, id: SubscriptionId, after_version: u64) -> Page<Event> {
        let mut items = self.history(id, after_version);
        let mut next = None;
        if let Some(beyond) = items.get(EVENT_PAGE).map(|event| event.version) {
            items.retain(|event| event.version < beyond);
            next = items.last().map(|event| event.version.to_string());
        }
        Page { items, next }
    }

    fn found(&self, ids: &[SubscriptionId]) -> HashMap<SubscriptionId, Result<Record, StoreError>> {
        let table = self.table();
        ids.iter().filter_map(|id| Some((*id, Ok(table.records.get(id)?.clone())))).collect()
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn load(&self, id: SubscriptionId) -> Result<Option<Record>, StoreError> {
        Ok(self.record(id))
    }

    async fn load_with_mark(
        &self,
        id: SubscriptionId,
        operation: OperationId,
    ) -> Result<(Option<Record>, Option<Mark>), StoreError> {
        Ok((self.record(id), self.mark(id, operation)))
    }

    async fn load_many(
        &self,
        ids: &[SubscriptionId],
    ) -> Result<HashMap<SubscriptionId, Result<Record, StoreError>>, StoreError> {
        Ok(self.found(ids))
    }

    async fn commit(&self, id: SubscriptionId, commit: &Commit) -> Result<(), CommitError> {
        self.write(id, commit)
    }

    async fn list(&self, filter: &Filter, next: Option<&str>) -> Result<Page<Record>, StoreError> {
        self.page(filter, next)
    }

    async fn events(
        &self,
        id: SubscriptionId,
        after_version: u64,
    ) -> Result<Page<Event>, StoreError> {
        Ok(self.event_page(id, after_version))
    }

    async fn checkpoint(&self) -> Result<Checkpoint, StoreError> {
        Ok(self.table().checkpoint.clone())
    }

    async fn save_checkpoint(&self, checkpoint: &Checkpoint) -> Result<(), StoreError> {
        self.table().checkpoint = checkpoint.clone();
        Ok(())
    }
}

/// The same table, behind effects that may go wrong; every commit is checked as it is made.
pub struct SimulatedStore {
    pub table: MemoryStore,
    pub io: Arc<Io>,
}

impl SimulatedStore {
    async fn effect<T: Send>(
        &self,
        name: impl Fn() -> String + Send,
        effect: impl FnOnce() -> T + Send,
    ) -> Result<T, StoreError> {
        self.io.needs_proof(&name);
        self.io
            .effect(name, TIMEOUT, effect)
            .await
            .map_err(|fault: Fault| StoreError::Unavailable(format!("{fault:?}")))
    }

    /// An effect on the table in memory, which never waits.
    pub(crate) async fn at_once<T: Send>(
        &self,
        name: &'static str,
        act: impl Future<Output = T> + Send,
    ) -> Result<T, StoreError> {
        let act = || act.now_or_never().expect("a table in memory never waits");
        self.effect(|| format!("table: {name}"), act).await
    }
}

#[async_trait]
impl Store for SimulatedStore {
    async fn load(&self, id: SubscriptionId) -> Result<Option<Record>, StoreError> {
        self.effect(|| "table: load".to_owned(), || self.table.record(id)).await
    }

    async fn load_with_mark(
        &self,
        id: SubscriptionId,
        operation: OperationId,
    ) -> Result<(Option<Record>, Option<Mark>), StoreError> {
        let read = || (self.table.record(id), self.table.mark(id, operation));
        self.effect(|| "table: load with mark".to_owned(), read).await
    }

    async fn load_many(
        &self,
        ids: &[SubscriptionId],
    ) -> Result<HashMap<SubscriptionId, Result<Record, StoreError>>, StoreError> {
        self.effect(|| "table: load many".to_owned(), || self.table.found(ids)).await
    }

    async fn commit(&self, id: SubscriptionId, commit: &Commit) -> Result<(), CommitError> {
        let name = || {
            let events = commit.change.iter().flat_map(|change| &change.events);
            let events: Vec<_> = events.map(|event| event.kind.name()).collect();
            let outcome = commit.mark.as_ref().map(|mark| mark.outcome);
            format!("table: commit {events:?} mark {outcome:?}")
        };
        let write = || {
            let before = self.table.record(id);
            let written = self.table.write(id, commit);
            match &written {
                Ok(()) => invariants::of_commit(&self.io, before.as_ref(), commit),
                Err(refused) => self.io.note(|| format!("      {refused:?}")),
            }
            written
        };
        self.effect(name, write).await?
    }

    async fn list(&self, filter: &Filter, next: Option<&str>) -> Result<Page<Record>, StoreError> {
        self.effect(|| "table: list".to_owned(), || self.table.page(filter, next)).await?
    }

    async fn events(
        &self,
        id: SubscriptionId,
        after_version: u64,
    ) -> Result<Page<Event>, StoreError> {
        let read = || self.table.event_page(id, after_version);
        self.effect(|| "table: events".to_owned(), read).await
    }

    async fn checkpoint(&self) -> Result<Checkpoint, StoreError> {
        self.effect(|| "table: checkpoint".to_owned(), || self.table.table().checkpoint.clone())
            .await
    }

    async fn save_checkpoint(&self, checkpoint: &Checkpoint) -> Result<(), StoreError> {
        let write = || {
            self.table.table().checkpoint = checkpoint.clone();
        };
        self.effect(|| "table: save checkpoint".to_owned(), write).await
    }
}
