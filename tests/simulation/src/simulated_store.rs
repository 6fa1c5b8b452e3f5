//! The table behind faults.

mod beside;
mod erasures;
mod overview;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::FutureExt as _;
use jiff::Timestamp;
use memory_store::MemoryStore;
use shared::domain::{Event, OperationId, Position, Record, SubscriptionId};
use shared::store::{
    AnnotationStore, Attempts, Backlog, BeginError, Checkpoints, Commit, CommitError, Cursor,
    CursorError, CursorState, Due, DueWork, Erasures, Examinations, IdempotencyRecord,
    IdempotencyStore, Inspection, ListQuery, Mark, OfferSettings, Outbox, Overview, Page,
    ReceiverState, Receivers, Refusals, Runs, Sightings, Store, StoreError, Target, Waiting,
};

use crate::fault::Fault;
use crate::invariants;
use crate::io::{Io, TABLE_TIMEOUT};
use crate::reached::words;

/// The in-memory table with faults. Checks the invariants at every commit.
pub(crate) struct SimulatedStore {
    pub table: MemoryStore,
    pub io: Arc<Io>,
}

/// The table in memory is ready at the first poll.
pub(crate) fn ready<T>(call: impl Future<Output = T>) -> T {
    call.now_or_never().expect("a table in memory never waits")
}

/// Writes a commit into the table in memory, and checks the invariants of a commit.
pub(crate) fn write(
    io: &Arc<Io>,
    table: &MemoryStore,
    id: SubscriptionId,
    commit: &Commit,
) -> Result<(), CommitError> {
    let before = table.record(id);
    let written = ready(table.commit(id, commit));
    match &written {
        Ok(()) => {
            io.committed(commit);
            count_mark(io, commit, "committed");
            for event in commit.next.iter().flat_map(|next| &next.events) {
                io.count(event.kind.name());
            }
            invariants::check_commit(io, table, before.as_ref(), commit);
        }
        Err(refused) => {
            match refused {
                CommitError::Conflict => io.count("refused: version conflict"),
                CommitError::AlreadyMarked => io.count("refused: marked already"),
                CommitError::Store(_) => {}
            }
            io.note(|| format!("      {refused:?}"));
        }
    }
    written
}

fn count_mark(io: &Io, commit: &Commit, what: &str) {
    if let Some(mark) = &commit.mark {
        io.count(format!("mark {what}: {}", words(mark.outcome)));
    }
}

/// Counts a cursor that is about to be saved: events are parked, or sent again after they were.
pub(crate) fn count_cursor(
    io: &Io,
    table: &MemoryStore,
    (id, target): (SubscriptionId, Target),
    cursor: &Cursor,
) {
    let before = ready(table.cursor(id, target)).unwrap_or_default();
    if cursor.revision != before.revision + 1 {
        return;
    }
    let is_parked = |cursor: &Cursor| matches!(cursor.state, CursorState::Parked { .. });
    let is_inside = || {
        let at = before.delivered;
        let events = table.history(id, at.version.saturating_sub(1)).into_iter();
        let mut rest = events.take_while(|event| event.version == at.version);
        at.version > 0 && rest.any(|event| event.position() > at)
    };
    match (is_parked(&before), is_parked(cursor)) {
        (false, true) => {
            io.count("parked");
            if is_inside() {
                io.count("parked in the middle of a version");
            }
        }
        (true, false) if before.delivered == cursor.delivered && is_inside() => {
            io.count("sent again from the middle of a version");
        }
        _ => {}
    }
}

/// Notes which filters a delivery has found in use, and which events were there before.
pub(crate) fn note_filters(io: &Io, table: &MemoryStore, target: Target, state: &ReceiverState) {
    if state.filters_in_use().count() > 1 {
        io.count("functions with different filters");
    }
    let versions = || {
        let ids = table.ids().into_iter();
        ids.filter_map(|id| Some((id, table.record(id)?.version))).collect()
    };
    io.product(|product| {
        if let Some(named) = product.named.iter_mut().find(|named| named.target() == target) {
            named.noted(&state.filters, versions);
        }
    });
}

/// All ports of the table.
pub(crate) trait Table:
    Store
    + Checkpoints
    + DueWork
    + Outbox
    + IdempotencyStore
    + AnnotationStore
    + Attempts
    + Erasures
    + Receivers
    + Refusals
    + Runs
    + Sightings
    + Inspection
    + Examinations
    + OfferSettings
    + Overview
{
}

impl<T> Table for T where
    T: Store
        + Checkpoints
        + DueWork
        + Outbox
        + IdempotencyStore
        + AnnotationStore
        + Attempts
        + Erasures
        + Receivers
        + Refusals
        + Runs
        + Sightings
        + Inspection
        + Examinations
        + OfferSettings
        + Overview
{
}

impl SimulatedStore {
    async fn effect<T: Send>(
        &self,
        name: impl Fn() -> String + Send,
        effect: impl FnOnce() -> T + Send,
    ) -> Result<T, StoreError> {
        self.io.forbid_if_forged(&name);
        invariants::check_visit_uses_table(&self.io, &name);
        self.io
            .effect(name, TABLE_TIMEOUT, effect)
            .await
            .map_err(|fault: Fault| StoreError::unavailable(&format!("{fault:?}")))
    }

    /// One effect: a call of the in-memory table.
    async fn call<T: Send>(
        &self,
        name: &'static str,
        call: impl Future<Output = T> + Send,
    ) -> Result<T, StoreError> {
        self.effect(|| format!("table: {name}"), || ready(call)).await
    }
}

#[async_trait]
impl Store for SimulatedStore {
    async fn load(&self, id: SubscriptionId) -> Result<Option<Record>, StoreError> {
        self.call("load", self.table.load(id)).await?
    }

    async fn load_with_mark(
        &self,
        id: SubscriptionId,
        operation: &OperationId,
    ) -> Result<(Option<Record>, Option<Mark>), StoreError> {
        self.call("load with mark", self.table.load_with_mark(id, operation)).await?
    }

    async fn load_many(
        &self,
        ids: &[SubscriptionId],
    ) -> Result<HashMap<SubscriptionId, Result<Record, StoreError>>, StoreError> {
        self.call("load many", self.table.load_many(ids)).await?
    }

    async fn commit(&self, id: SubscriptionId, commit: &Commit) -> Result<(), CommitError> {
        let name = || {
            let events = commit.next.iter().flat_map(|next| &next.events);
            let events: Vec<_> = events.map(|event| event.kind.name()).collect();
            let outcome = commit.mark.as_ref().map(|mark| mark.outcome);
            format!("table: commit {events:?} mark {outcome:?}")
        };
        let written = self.effect(name, || write(&self.io, &self.table, id, commit)).await;
        if written.is_err() {
            count_mark(&self.io, commit, "struck");
        }
        written?
    }

    /// No effect: no seed restores a table.
    async fn epoch(&self) -> Result<u64, StoreError> {
        self.table.epoch().await
    }

    async fn list(
        &self,
        query: &ListQuery,
        next: Option<&str>,
    ) -> Result<Page<Record>, StoreError> {
        self.call("list", self.table.list(query, next)).await?
    }

    async fn events(
        &self,
        id: SubscriptionId,
        after_version: u64,
    ) -> Result<Page<Event>, StoreError> {
        self.call("events", self.table.events(id, after_version)).await?
    }
}

#[async_trait]
impl Outbox for SimulatedStore {
    async fn cursor(&self, id: SubscriptionId, target: Target) -> Result<Cursor, StoreError> {
        self.call("cursor", self.table.cursor(id, target)).await?
    }

    async fn cursors(&self, id: SubscriptionId) -> Result<Vec<Target>, StoreError> {
        self.call("cursors", self.table.cursors(id)).await?
    }

    async fn save_cursor(
        &self,
        id: SubscriptionId,
        target: Target,
        cursor: &Cursor,
    ) -> Result<(), CursorError> {
        let save = || {
            count_cursor(&self.io, &self.table, (id, target), cursor);
            let saved = ready(self.table.save_cursor(id, target, cursor));
            if matches!(saved, Err(CursorError::Conflict)) {
                self.io.count("refused: cursor moved");
            }
            saved
        };
        self.effect(|| "table: save cursor".to_owned(), save).await?
    }

    async fn delete_cursor(
        &self,
        id: SubscriptionId,
        target: Target,
        revision: u64,
    ) -> Result<(), CursorError> {
        self.io.count("a cursor of a removed endpoint deleted");
        self.call("delete cursor", self.table.delete_cursor(id, target, revision)).await?
    }

    async fn backlog(&self, id: SubscriptionId, after: Position) -> Result<Backlog, StoreError> {
        self.call("backlog", self.table.backlog(id, after)).await?
    }

    async fn settle(&self, id: SubscriptionId, versions: &BTreeSet<u64>) -> Result<(), StoreError> {
        self.call("settle", self.table.settle(id, versions)).await?
    }

    async fn due(&self, by: Timestamp, next: Option<&str>) -> Result<Page<Due>, StoreError> {
        self.call("due", self.table.due(by, next)).await?
    }

    async fn parked(
        &self,
        next: Option<&str>,
    ) -> Result<Page<(SubscriptionId, Target)>, StoreError> {
        self.call("parked", self.table.parked(next)).await?
    }

    /// No effect: only the summary of a sweep depends on it.
    async fn waiting(
        &self,
        targets: &[Target],
        states: &BTreeMap<Target, ReceiverState>,
    ) -> Result<Waiting, StoreError> {
        self.table.waiting(targets, states).await
    }
}

#[async_trait]
impl IdempotencyStore for SimulatedStore {
    async fn find(
        &self,
        key: &str,
        now: Timestamp,
    ) -> Result<Option<IdempotencyRecord>, StoreError> {
        self.call("find request", self.table.find(key, now)).await?
    }

    async fn begin(&self, key: &str, request: &IdempotencyRecord) -> Result<(), BeginError> {
        let begun = self.call("begin request", self.table.begin(key, request)).await?;
        if matches!(begun, Err(BeginError::Taken)) {
            self.io.count("refused: idempotency key taken");
        }
        begun
    }

    async fn complete(&self, key: &str, request: &IdempotencyRecord) -> Result<(), StoreError> {
        self.call("complete request", self.table.complete(key, request)).await?
    }

    async fn abandon(&self, key: &str, request: &IdempotencyRecord) -> Result<(), StoreError> {
        self.call("abandon request", self.table.abandon(key, request)).await?
    }
}
