//! The store itself: records, marks and events.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;
use shared::domain::{Annotations, Event, EventKind, OperationId, Record, SubscriptionId};
use shared::store::{
    Attempt, Checkpoint, Commit, CommitError, Due, Examination, FirstStart, IdempotencyRecord,
    ListBy, ListQuery, Mark, Page, ReceiverState, Refused, Restoration, Sighting, Sort, Store,
    StoreError, StoredOffers, Target,
};

use crate::outbox_table::OutboxTable;
use crate::run_table::RunTable;
use crate::stream::Entry;

/// Events per page, as in the DynamoDB store.
pub(crate) const EVENT_PAGE: usize = 100;

/// The table in memory. Clones share their content.
#[derive(Clone, Default)]
pub struct MemoryStore(Arc<Mutex<Table>>);

#[derive(Default)]
struct Table {
    records: BTreeMap<SubscriptionId, Record>,
    marks: HashMap<(SubscriptionId, OperationId), Mark>,
    events: BTreeMap<(SubscriptionId, u64, u8), Event>,
    checkpoint: Checkpoint,
    first_start: Option<FirstStart>,
    /// Until when the time of each target is reserved.
    reserved: BTreeMap<Target, Timestamp>,
    receivers: BTreeMap<Target, ReceiverState>,
    offers: StoredOffers,
    examination: Option<Examination>,
    epoch: u64,
    writes: u64,
    outbox: OutboxTable,
    requests: HashMap<String, IdempotencyRecord>,
    annotations: HashMap<SubscriptionId, Annotations>,
    attempts: BTreeMap<(SubscriptionId, Timestamp, String), Attempt>,
    refusals: HashMap<Refused, Timestamp>,
    sightings: BTreeMap<Sighting, Timestamp>,
    /// When the list began that has shown a subscription last.
    compared: HashMap<SubscriptionId, Timestamp>,
    runs: RunTable,
    erased: BTreeMap<SubscriptionId, Timestamp>,
    /// Events that the table's stream has not delivered yet.
    stream: Vec<Entry>,
}

impl Table {
    fn record(&mut self, event: &Event) {
        let id = event.subscription_id;
        self.events.insert((id, event.version, event.index), event.clone());
        // The template's filter passes pending events alone, and leaves an import to the sweep.
        let is_imported = matches!(event.kind, EventKind::Imported { .. });
        if self.outbox.mark_pending(event) && !is_imported {
            self.stream.push((id, event.position()));
        }
    }
}

impl MemoryStore {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn records<T>(&self, act: impl FnOnce(&BTreeMap<SubscriptionId, Record>) -> T) -> T {
        act(&self.table().records)
    }

    pub(crate) fn outbox<T>(&self, act: impl FnOnce(&mut OutboxTable) -> T) -> T {
        act(&mut self.table().outbox)
    }

    pub(crate) fn run_table<T>(&self, act: impl FnOnce(&mut RunTable) -> T) -> T {
        act(&mut self.table().runs)
    }

    pub(crate) fn requests<T>(
        &self,
        act: impl FnOnce(&mut HashMap<String, IdempotencyRecord>) -> T,
    ) -> T {
        act(&mut self.table().requests)
    }

    pub(crate) fn all_annotations<T>(
        &self,
        act: impl FnOnce(&mut HashMap<SubscriptionId, Annotations>) -> T,
    ) -> T {
        act(&mut self.table().annotations)
    }

    pub(crate) fn checkpoint_and_first_start<T>(
        &self,
        act: impl FnOnce(&mut Checkpoint, &mut Option<FirstStart>) -> T,
    ) -> T {
        let Table { checkpoint, first_start, .. } = &mut *self.table();
        act(checkpoint, first_start)
    }

    pub(crate) fn reserved<T>(&self, act: impl FnOnce(&mut BTreeMap<Target, Timestamp>) -> T) -> T {
        act(&mut self.table().reserved)
    }

    pub(crate) fn receiver_states<T>(
        &self,
        act: impl FnOnce(&mut BTreeMap<Target, ReceiverState>) -> T,
    ) -> T {
        act(&mut self.table().receivers)
    }

    pub(crate) fn stored_offers<T>(&self, act: impl FnOnce(&mut StoredOffers) -> T) -> T {
        act(&mut self.table().offers)
    }

    pub(crate) fn stored_examination<T>(
        &self,
        act: impl FnOnce(&mut Option<Examination>) -> T,
    ) -> T {
        act(&mut self.table().examination)
    }

    pub(crate) fn refusals<T>(&self, act: impl FnOnce(&mut HashMap<Refused, Timestamp>) -> T) -> T {
        act(&mut self.table().refusals)
    }

    pub(crate) fn all_compared<T>(
        &self,
        act: impl FnOnce(&mut HashMap<SubscriptionId, Timestamp>) -> T,
    ) -> T {
        act(&mut self.table().compared)
    }

    pub(crate) fn sightings<T>(
        &self,
        act: impl FnOnce(&mut BTreeMap<Sighting, Timestamp>) -> T,
    ) -> T {
        act(&mut self.table().sightings)
    }

    /// All attempts, by subscription, time and receiver.
    pub(crate) fn all_attempts<T>(
        &self,
        act: impl FnOnce(&mut BTreeMap<(SubscriptionId, Timestamp, String), Attempt>) -> T,
    ) -> T {
        act(&mut self.table().attempts)
    }

    /// The list of erasures.
    pub(crate) fn erased<T>(
        &self,
        act: impl FnOnce(&mut BTreeMap<SubscriptionId, Timestamp>) -> T,
    ) -> T {
        act(&mut self.table().erased)
    }

    pub(crate) fn rewrite_events(&self, id: SubscriptionId, rewrite: impl Fn(&Event) -> Event) {
        let events = &mut self.table().events;
        for (_, event) in events.range_mut((id, 0, 0)..=(id, u64::MAX, u8::MAX)) {
            *event = rewrite(event);
        }
    }

    /// Records an event, as pending and in the stream.
    pub(crate) fn record_event(&self, event: &Event) {
        self.table().record(event);
    }

    pub fn record(&self, id: SubscriptionId) -> Option<Record> {
        self.table().records.get(&id).cloned()
    }

    /// All subscriptions with a record, in order.
    pub fn ids(&self) -> Vec<SubscriptionId> {
        self.table().records.keys().copied().collect()
    }

    pub fn mark(&self, id: SubscriptionId, operation: &OperationId) -> Option<Mark> {
        self.table().marks.get(&(id, operation.clone())).cloned()
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

    /// Everything in the outbox that is due by then, the oldest first.
    pub fn all_due(&self, by: Timestamp) -> Vec<Due> {
        self.outbox(|outbox| outbox.due(by))
    }

    /// All cursors whose delivery is parked.
    pub fn all_parked(&self) -> Vec<(SubscriptionId, Target)> {
        self.outbox(|outbox| outbox.parked())
    }

    /// Deletes everything about a subscription.
    pub fn forget(&self, id: uuid::Uuid) {
        let id = SubscriptionId(id);
        let mut table = self.table();
        table.records.remove(&id);
        table.events.retain(|(owner, _, _), _| *owner != id);
        table.marks.retain(|(owner, _), _| *owner != id);
        table.outbox.forget(id);
        table.annotations.remove(&id);
        table.attempts.retain(|(owner, _, _), _| *owner != id);
        table.compared.remove(&id);
        table.erased.remove(&id);
        table.stream.retain(|(owner, _)| *owner != id);
    }

    /// Removes the next events of these subscriptions from the stream, at most `max`.
    pub fn take_stream(
        &self,
        max: usize,
        is_wanted: impl Fn(SubscriptionId) -> bool,
    ) -> Vec<Entry> {
        let stream = &mut self.table().stream;
        stream.extract_if(.., |(id, _)| is_wanted(*id)).take(max).collect()
    }

    /// Puts events back at the front of the stream.
    pub fn put_back_to_stream(&self, entries: Vec<Entry>) {
        self.table().stream.splice(..0, entries);
    }

    /// How many commits the table has written.
    pub fn writes(&self) -> u64 {
        self.table().writes
    }

    fn write(&self, id: SubscriptionId, commit: &Commit) -> Result<(), CommitError> {
        let mut table = self.table();
        if let Some(mark) = &commit.mark
            && table.marks.contains_key(&(id, mark.operation_id.clone()))
        {
            return Err(CommitError::AlreadyMarked);
        }
        if let Some(next) = &commit.next {
            let stored = table.records.get(&id).map(|record| record.version);
            let is_first = next.record.is_first_version();
            if stored != (!is_first).then(|| next.record.version - 1) {
                return Err(CommitError::Conflict);
            }
        }
        table.writes += 1;
        if let Some(mark) = &commit.mark {
            table.marks.insert((id, mark.operation_id.clone()), mark.clone());
        }
        if let Some(next) = &commit.next {
            table.records.insert(id, next.record.clone());
            for event in &next.events {
                table.record(event);
            }
        }
        Ok(())
    }

    fn page(&self, query: &ListQuery, next: Option<&str>) -> Result<Page<Record>, StoreError> {
        let limit = usize::from(query.limit);
        let table = self.table();
        let is_found = |record: &Record| match &query.by {
            ListBy::Search(text) => {
                let noted = table.annotations.get(&record.id());
                let reference = noted.and_then(Annotations::search_term);
                record.search_terms().values().chain(&reference).any(|term| term.is_found_by(text))
            }
            ListBy::All | ListBy::Sort(_) | ListBy::Oldest => true,
        };
        let wanted = table.records.values();
        let wanted = wanted.filter(|record| query.filter.is_met_by(record) && is_found(record));
        let (sort, is_descending) = match &query.by {
            ListBy::Sort(sort) => (*sort, sort.is_descending()),
            ListBy::Oldest => (Sort::LastChange, false),
            unsorted @ (ListBy::All | ListBy::Search(_)) => {
                let list = if *unsorted == ListBy::All { "" } else { "search " };
                let read = |next: &str| next.strip_prefix(list)?.parse().ok();
                let after = next.map(|next| read(next).ok_or(StoreError::BadPosition));
                let after: Option<SubscriptionId> = after.transpose()?;
                let is_after = |id: &SubscriptionId| after.is_none_or(|after| *id > after);
                let wanted =
                    wanted.map(|record| (record.id(), record)).filter(|(id, _)| is_after(id));
                return Ok(first(limit, wanted, |id| format!("{list}{id}")));
            }
        };
        let after = next.map(|next| sort.record_before(next)).transpose()?.map(|(key, _)| key);
        let mut sorted: Vec<_> = wanted.map(|record| (sort.key(record), record)).collect();
        sorted.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        if is_descending {
            sorted.reverse();
        }
        let is_after = |key: &String| match after {
            Some(after) if is_descending => key.as_str() < after,
            Some(after) => key.as_str() > after,
            None => true,
        };
        let wanted = sorted.into_iter().filter(|(key, _)| is_after(key));
        Ok(first(limit, wanted, |key| sort.position(key)))
    }

    /// Never splits the events of one version.
    fn event_page(&self, id: SubscriptionId, after_version: u64) -> Page<Event> {
        let mut items = self.history(id, after_version);
        let mut next = None;
        if let Some(beyond) = items.get(EVENT_PAGE).map(|event| event.version) {
            items.retain(|event| event.version < beyond);
            next = items.last().map(|event| event.version.to_string());
        }
        Page { items, next }
    }
}

/// The first page of these records. Each comes with its key.
fn first<'a, K>(
    limit: usize,
    mut records: impl Iterator<Item = (K, &'a Record)>,
    position: impl Fn(&K) -> String,
) -> Page<Record> {
    let page: Vec<_> = records.by_ref().take(limit).collect();
    let more = records.next().is_some();
    let next = page.last().filter(|_| more).map(|(key, _)| position(key));
    Page { items: page.into_iter().map(|(_, record)| record.clone()).collect(), next }
}

#[async_trait]
impl Store for MemoryStore {
    async fn load(&self, id: SubscriptionId) -> Result<Option<Record>, StoreError> {
        Ok(self.record(id))
    }

    async fn load_with_mark(
        &self,
        id: SubscriptionId,
        operation: &OperationId,
    ) -> Result<(Option<Record>, Option<Mark>), StoreError> {
        Ok((self.record(id), self.mark(id, operation)))
    }

    async fn load_many(
        &self,
        ids: &[SubscriptionId],
    ) -> Result<HashMap<SubscriptionId, Result<Record, StoreError>>, StoreError> {
        let table = self.table();
        let found = |id: &SubscriptionId| Some((*id, Ok(table.records.get(id)?.clone())));
        Ok(ids.iter().filter_map(found).collect())
    }

    async fn commit(&self, id: SubscriptionId, commit: &Commit) -> Result<(), CommitError> {
        self.write(id, commit)
    }

    async fn epoch(&self) -> Result<u64, StoreError> {
        Ok(self.table().epoch)
    }

    async fn list(
        &self,
        query: &ListQuery,
        next: Option<&str>,
    ) -> Result<Page<Record>, StoreError> {
        self.page(query, next)
    }

    async fn events(
        &self,
        id: SubscriptionId,
        after_version: u64,
    ) -> Result<Page<Event>, StoreError> {
        Ok(self.event_page(id, after_version))
    }
}

#[async_trait]
impl Restoration for MemoryStore {
    async fn begin_epoch(&self, epoch: u64) -> Result<(), CommitError> {
        let mut table = self.table();
        if epoch <= table.epoch {
            return Err(CommitError::Conflict);
        }
        table.epoch = epoch;
        Ok(())
    }

    async fn subscriptions(&self, next: Option<&str>) -> Result<Page<SubscriptionId>, StoreError> {
        let Page { items, next } = self.page(&ListQuery::default(), next)?;
        Ok(Page { items: items.iter().map(Record::id).collect(), next })
    }

    async fn replace(&self, replaced: u64, record: &Record) -> Result<(), CommitError> {
        let mut table = self.table();
        match table.records.get_mut(&record.id()) {
            Some(stored) if stored.version == replaced => {
                *stored = record.clone();
                Ok(())
            }
            Some(_) | None => Err(CommitError::Conflict),
        }
    }
}
