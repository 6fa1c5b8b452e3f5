//! The table behind faults.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::FutureExt as _;
use shared::domain::{Event, OperationId, Record, SubscriptionId};
use shared::store::{
    Checkpoint, Checkpoints, Commit, CommitError, Filter, Mark, Page, Store, StoreError,
};

use crate::fault::Fault;
use crate::invariants;
use crate::io::{Io, TABLE_TIMEOUT};
use crate::store::MemoryStore;

/// The in-memory table with faults. Checks the invariants at every commit.
pub(crate) struct SimulatedStore {
    pub table: MemoryStore,
    pub io: Arc<Io>,
}

impl SimulatedStore {
    async fn effect<T: Send>(
        &self,
        name: impl Fn() -> String + Send,
        effect: impl FnOnce() -> T + Send,
    ) -> Result<T, StoreError> {
        self.io.forbid_if_forged(&name);
        self.io
            .effect(name, TABLE_TIMEOUT, effect)
            .await
            .map_err(|fault: Fault| StoreError::unavailable(&format!("{fault:?}")))
    }

    /// One effect, carried out by the in-memory table's own implementation of a port.
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
            let events = commit.next.iter().flat_map(|next| &next.events);
            let events: Vec<_> = events.map(|event| event.kind.name()).collect();
            let outcome = commit.mark.as_ref().map(|mark| mark.outcome);
            format!("table: commit {events:?} mark {outcome:?}")
        };
        let write = || {
            let before = self.table.record(id);
            let written = self.table.write(id, commit);
            match &written {
                Ok(()) => invariants::check_commit(&self.io, before.as_ref(), commit),
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
}

#[async_trait]
impl Checkpoints for SimulatedStore {
    async fn checkpoint(&self) -> Result<Checkpoint, StoreError> {
        self.at_once("checkpoint", self.table.checkpoint()).await?
    }

    async fn save_checkpoint(&self, checkpoint: &Checkpoint) -> Result<(), StoreError> {
        self.at_once("save checkpoint", self.table.save_checkpoint(checkpoint)).await?
    }
}
