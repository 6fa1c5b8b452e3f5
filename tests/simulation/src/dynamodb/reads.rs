//! Checks that the store's reads show everything that was committed before they began.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::SignedDuration;
use memory_store::MemoryStore;
use shared::domain::{Event, OperationId, Record, SubscriptionId};
use shared::store::{Commit, CommitError, DynamoDbStore, ListQuery, Mark, Page, Store, StoreError};

use crate::io::Io;

/// DynamoDB may remove a mark after 90 days.
const MARK_LIVES: SignedDuration = SignedDuration::from_hours(90 * 24);

/// The store that ships, with its reads checked against the table in memory.
pub(crate) struct CheckedReads {
    pub store: DynamoDbStore,
    pub table: MemoryStore,
    pub io: Arc<Io>,
}

impl CheckedReads {
    /// The version that is committed now. A read that begins now must show it or a later one.
    fn version(&self, id: SubscriptionId) -> u64 {
        self.table.record(id).map_or(0, |record| record.version)
    }

    fn check(&self, id: SubscriptionId, committed: u64, read: Option<&Record>) {
        let read = read.map_or(0, |record| record.version);
        if read < committed {
            self.io.violate(format!("{id}: a read shows version {read} and misses {committed}"));
        }
    }
}

#[async_trait]
impl Store for CheckedReads {
    async fn load(&self, id: SubscriptionId) -> Result<Option<Record>, StoreError> {
        let committed = self.version(id);
        let record = self.store.load(id).await?;
        self.check(id, committed, record.as_ref());
        Ok(record)
    }

    async fn load_with_mark(
        &self,
        id: SubscriptionId,
        operation: &OperationId,
    ) -> Result<(Option<Record>, Option<Mark>), StoreError> {
        let (committed, marked) = (self.version(id), self.table.mark(id, operation));
        let (record, mark) = self.store.load_with_mark(id, operation).await?;
        self.check(id, committed, record.as_ref());
        let is_kept = |mark: &Mark| self.io.now().duration_since(mark.at) < MARK_LIVES;
        if mark.is_none() && marked.as_ref().is_some_and(is_kept) {
            self.io.violate(format!("{id}: a read misses the mark of {operation}"));
        }
        Ok((record, mark))
    }

    async fn load_many(
        &self,
        ids: &[SubscriptionId],
    ) -> Result<HashMap<SubscriptionId, Result<Record, StoreError>>, StoreError> {
        let committed: Vec<_> = ids.iter().map(|id| (*id, self.version(*id))).collect();
        let records = self.store.load_many(ids).await?;
        for (id, committed) in committed {
            let record = records.get(&id).and_then(|record| record.as_ref().ok());
            self.check(id, committed, record);
        }
        Ok(records)
    }

    async fn commit(&self, id: SubscriptionId, commit: &Commit) -> Result<(), CommitError> {
        self.store.commit(id, commit).await
    }

    async fn epoch(&self) -> Result<u64, StoreError> {
        self.store.epoch().await
    }

    async fn list(
        &self,
        query: &ListQuery,
        next: Option<&str>,
    ) -> Result<Page<Record>, StoreError> {
        self.store.list(query, next).await
    }

    async fn events(
        &self,
        id: SubscriptionId,
        after_version: u64,
    ) -> Result<Page<Event>, StoreError> {
        self.store.events(id, after_version).await
    }
}
