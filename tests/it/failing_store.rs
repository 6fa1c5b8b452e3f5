//! A table that fails on demand.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;
use local::Options;
use local::system::Ports;
use shared::domain::{Event, OperationId, Record, SubscriptionId};
use shared::store::{
    Checkpoint, CheckpointError, Checkpoints, Commit, CommitError, DueRecord, DueWork, FirstStart,
    ListQuery, Mark, OperationOutcome, Page, Store, StoreError,
};

/// How the table fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failing {
    /// Not at all.
    No,
    /// Nothing can be read.
    Reads,
    /// No list can be read.
    Lists,
    /// Nothing can be written.
    Commits,
    /// Commits are written, but their answers are lost.
    AnswersToCommits,
    /// Every commit meets a conflict.
    Conflicts,
    /// Another writer comes before the next commit, and changes nothing but the version.
    Overtaken,
    /// Another writer comes before the next commit, and changes the seats to this number.
    OvertakenBySeats(u64),
    /// Another delivery marks the operation so before the next commit.
    MarkedBefore(OperationOutcome),
}

/// Sets how the table fails.
#[derive(Clone)]
pub(crate) struct Switch(Arc<Mutex<Failing>>);

impl Switch {
    /// A switch, and a system whose table obeys it.
    pub(crate) fn new(options: Options) -> (Self, Options) {
        let switch = Self(Arc::new(Mutex::new(Failing::No)));
        let shared = switch.clone();
        let wrap_store: local::system::WrapStore = Box::new(move |ports| {
            let failing = Arc::new(FailingStore { inner: ports, switch: shared });
            Ports { store: failing.clone(), checkpoints: failing.clone(), due_work: failing }
        });
        (switch, Options { wrap_store: Some(wrap_store), ..options })
    }

    pub(crate) fn set(&self, failing: Failing) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = failing;
    }

    fn get(&self) -> Failing {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is(&self, failing: Failing) -> bool {
        self.get() == failing
    }
}

struct FailingStore {
    inner: Ports,
    switch: Switch,
}

impl FailingStore {
    fn read(&self) -> Result<(), StoreError> {
        if self.switch.is(Failing::Reads) { Err(unavailable()) } else { Ok(()) }
    }
}

fn unavailable() -> StoreError {
    StoreError::unavailable("failed on purpose")
}

#[async_trait]
impl Store for FailingStore {
    async fn load(&self, id: SubscriptionId) -> Result<Option<Record>, StoreError> {
        self.read()?;
        self.inner.store.load(id).await
    }

    async fn load_with_mark(
        &self,
        id: SubscriptionId,
        operation: &OperationId,
    ) -> Result<(Option<Record>, Option<Mark>), StoreError> {
        self.read()?;
        self.inner.store.load_with_mark(id, operation).await
    }

    async fn load_many(
        &self,
        ids: &[SubscriptionId],
    ) -> Result<HashMap<SubscriptionId, Result<Record, StoreError>>, StoreError> {
        self.read()?;
        self.inner.store.load_many(ids).await
    }

    async fn commit(&self, id: SubscriptionId, commit: &Commit) -> Result<(), CommitError> {
        if self.switch.is(Failing::Commits) {
            return Err(unavailable().into());
        }
        if self.switch.is(Failing::Conflicts) {
            return Err(CommitError::Conflict);
        }
        if let overtaken @ (Failing::Overtaken | Failing::OvertakenBySeats(_)) = self.switch.get() {
            self.switch.set(Failing::No);
            let record = self.inner.store.load(id).await?.expect("a record");
            let mut next = record.reaffirm(record.updated_at);
            if let Failing::OvertakenBySeats(seats) = overtaken {
                next.record.subscription.quantity = Some(seats);
            }
            self.inner.store.commit(id, &Commit { next: Some(next), mark: None }).await?;
        }
        if let (Failing::MarkedBefore(outcome), Some(mark)) = (self.switch.get(), &commit.mark) {
            self.switch.set(Failing::No);
            let mark = Some(Mark { outcome, ..mark.clone() });
            self.inner.store.commit(id, &Commit { next: None, mark }).await?;
        }
        self.inner.store.commit(id, commit).await?;
        if self.switch.is(Failing::AnswersToCommits) {
            return Err(unavailable().into());
        }
        Ok(())
    }

    async fn epoch(&self) -> Result<u64, StoreError> {
        self.read()?;
        self.inner.store.epoch().await
    }

    async fn list(
        &self,
        query: &ListQuery,
        next: Option<&str>,
    ) -> Result<Page<Record>, StoreError> {
        if self.switch.is(Failing::Lists) {
            return Err(unavailable());
        }
        self.read()?;
        self.inner.store.list(query, next).await
    }

    async fn events(
        &self,
        id: SubscriptionId,
        after_version: u64,
    ) -> Result<Page<Event>, StoreError> {
        self.read()?;
        self.inner.store.events(id, after_version).await
    }
}

#[async_trait]
impl Checkpoints for FailingStore {
    async fn checkpoint(&self) -> Result<Checkpoint, StoreError> {
        self.read()?;
        self.inner.checkpoints.checkpoint().await
    }

    async fn save_checkpoint(&self, checkpoint: &Checkpoint) -> Result<(), CheckpointError> {
        self.inner.checkpoints.save_checkpoint(checkpoint).await
    }

    async fn first_start(&self) -> Result<Option<FirstStart>, StoreError> {
        self.read()?;
        self.inner.checkpoints.first_start().await
    }

    async fn save_first_start(&self, first: &FirstStart) -> Result<(), CommitError> {
        self.inner.checkpoints.save_first_start(first).await
    }

    async fn note_compared(
        &self,
        ids: &[SubscriptionId],
        begun_at: Timestamp,
    ) -> Result<(), StoreError> {
        self.inner.checkpoints.note_compared(ids, begun_at).await
    }

    async fn compared(
        &self,
        ids: &[SubscriptionId],
        begun_at: Timestamp,
    ) -> Result<HashSet<SubscriptionId>, StoreError> {
        self.read()?;
        self.inner.checkpoints.compared(ids, begun_at).await
    }
}

#[async_trait]
impl DueWork for FailingStore {
    async fn work(&self, by: Timestamp, next: Option<&str>) -> Result<Page<DueRecord>, StoreError> {
        self.read()?;
        self.inner.due_work.work(by, next).await
    }

    async fn ended(
        &self,
        by: Timestamp,
        next: Option<&str>,
    ) -> Result<Page<SubscriptionId>, StoreError> {
        self.read()?;
        self.inner.due_work.ended(by, next).await
    }
}
