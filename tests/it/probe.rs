//! A store in front of the table that counts writes, fails on demand, and can let time pass with
//! every batch of reads.

use std::collections::{HashMap, HashSet};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use emulator::Emulator;
use jiff::Timestamp;
use local::Options;
use local::system::Ports;
use shared::domain::{Event, OperationId, Record, SubscriptionId};
use shared::store::{
    Checkpoint, CheckpointError, Checkpoints, Commit, CommitError, DueRecord, DueWork, FirstStart,
    ListQuery, Mark, Page, Store, StoreError,
};
use uuid::Uuid;

use crate::test_env::TestEnv;

/// Counters that a test reads, and switches that it sets.
#[derive(Default)]
pub(crate) struct Probe {
    /// Commits that wrote something.
    pub commits: AtomicU64,
    /// Checkpoints saved.
    pub checkpoints: AtomicU64,
    /// Pages of due work read.
    pub due_pages: AtomicU64,
    /// If set, pages of due work can't be read.
    pub hides_due_work: AtomicBool,
    /// If set, every call fails as if the table were down.
    pub is_down: AtomicBool,
    /// What the next read of a record with a mark returns, as if another writer came right after it.
    pub overtaken: Mutex<Option<Record>>,
    /// What happens before the next commit, after everything that it was decided on was read.
    pub before_commit: Mutex<Option<Before>>,
    slow: OnceLock<(Emulator, Duration)>,
    slow_commits: OnceLock<(Emulator, Duration)>,
}

pub(crate) type Before = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Probe {
    /// An environment with a probe in it.
    pub(crate) async fn env(options: Options) -> (TestEnv, Arc<Self>) {
        let probe = Arc::new(Self::default());
        let (shared, inner) = (probe.clone(), options.wrap_store);
        let options = Options {
            wrap_store: Some(Box::new(move |ports| {
                let inner = match inner {
                    Some(wrap) => wrap(ports),
                    None => ports,
                };
                let probed = Arc::new(Probed { inner, probe: shared });
                Ports { store: probed.clone(), checkpoints: probed.clone(), due_work: probed }
            })),
            ..options
        };
        (TestEnv::with(options).await, probe)
    }

    /// Makes every batch of reads take this long.
    pub(crate) fn slow_down(&self, env: &TestEnv, by: Duration) {
        assert!(self.slow.set((env.microsoft().clone(), by)).is_ok(), "slowed down once");
    }

    /// Makes every commit take this long.
    pub(crate) fn slow_down_commits(&self, env: &TestEnv, by: Duration) {
        assert!(self.slow_commits.set((env.microsoft().clone(), by)).is_ok(), "slowed down once");
    }

    /// The numbers of commits and checkpoints so far.
    pub(crate) fn written(&self) -> (u64, u64) {
        (self.commits.load(Ordering::SeqCst), self.checkpoints.load(Ordering::SeqCst))
    }

    fn check(&self) -> Result<(), StoreError> {
        if self.is_down.load(Ordering::SeqCst) {
            return Err(StoreError::unavailable("switched off by the test"));
        }
        Ok(())
    }
}

struct Probed {
    inner: Ports,
    probe: Arc<Probe>,
}

#[async_trait]
impl Store for Probed {
    async fn load(&self, id: SubscriptionId) -> Result<Option<Record>, StoreError> {
        self.probe.check()?;
        self.inner.store.load(id).await
    }

    async fn load_with_mark(
        &self,
        id: SubscriptionId,
        operation: &OperationId,
    ) -> Result<(Option<Record>, Option<Mark>), StoreError> {
        self.probe.check()?;
        let (record, mark) = self.inner.store.load_with_mark(id, operation).await?;
        let overtaken = self.probe.overtaken.lock().expect("no test panics here").take();
        Ok((overtaken.or(record), mark))
    }

    async fn load_many(
        &self,
        ids: &[SubscriptionId],
    ) -> Result<HashMap<SubscriptionId, Result<Record, StoreError>>, StoreError> {
        self.probe.check()?;
        if let Some((emulator, by)) = self.probe.slow.get() {
            emulator.world(|world| world.advance(*by));
        }
        self.inner.store.load_many(ids).await
    }

    async fn commit(&self, id: SubscriptionId, commit: &Commit) -> Result<(), CommitError> {
        self.probe.check()?;
        let before = self.probe.before_commit.lock().expect("no test panics here").take();
        if let Some(before) = before {
            before.await;
        }
        if let Some((emulator, by)) = self.probe.slow_commits.get() {
            emulator.world(|world| world.advance(*by));
        }
        if commit.next.is_some() || commit.mark.is_some() {
            self.probe.commits.fetch_add(1, Ordering::SeqCst);
        }
        self.inner.store.commit(id, commit).await
    }

    async fn epoch(&self) -> Result<u64, StoreError> {
        self.probe.check()?;
        self.inner.store.epoch().await
    }

    async fn list(
        &self,
        query: &ListQuery,
        next: Option<&str>,
    ) -> Result<Page<Record>, StoreError> {
        self.probe.check()?;
        self.inner.store.list(query, next).await
    }

    async fn events(
        &self,
        id: SubscriptionId,
        after_version: u64,
    ) -> Result<Page<Event>, StoreError> {
        self.probe.check()?;
        self.inner.store.events(id, after_version).await
    }
}

#[async_trait]
impl Checkpoints for Probed {
    async fn checkpoint(&self) -> Result<Checkpoint, StoreError> {
        self.probe.check()?;
        self.inner.checkpoints.checkpoint().await
    }

    async fn save_checkpoint(&self, checkpoint: &Checkpoint) -> Result<(), CheckpointError> {
        self.probe.check()?;
        self.probe.checkpoints.fetch_add(1, Ordering::SeqCst);
        self.inner.checkpoints.save_checkpoint(checkpoint).await
    }

    async fn first_start(&self) -> Result<Option<FirstStart>, StoreError> {
        self.probe.check()?;
        self.inner.checkpoints.first_start().await
    }

    async fn save_first_start(&self, first: &FirstStart) -> Result<(), CommitError> {
        self.probe.check()?;
        self.inner.checkpoints.save_first_start(first).await
    }

    async fn note_compared(
        &self,
        ids: &[SubscriptionId],
        begun_at: Timestamp,
    ) -> Result<(), StoreError> {
        self.probe.check()?;
        self.inner.checkpoints.note_compared(ids, begun_at).await
    }

    async fn compared(
        &self,
        ids: &[SubscriptionId],
        begun_at: Timestamp,
    ) -> Result<HashSet<SubscriptionId>, StoreError> {
        self.probe.check()?;
        self.inner.checkpoints.compared(ids, begun_at).await
    }
}

#[async_trait]
impl DueWork for Probed {
    async fn work(&self, by: Timestamp, next: Option<&str>) -> Result<Page<DueRecord>, StoreError> {
        self.probe.check()?;
        self.probe.due_pages.fetch_add(1, Ordering::SeqCst);
        if self.probe.hides_due_work.load(Ordering::SeqCst) {
            return Err(StoreError::unavailable("hidden by the test"));
        }
        self.inner.due_work.work(by, next).await
    }

    async fn ended(
        &self,
        by: Timestamp,
        next: Option<&str>,
    ) -> Result<Page<SubscriptionId>, StoreError> {
        self.probe.check()?;
        self.inner.due_work.ended(by, next).await
    }
}

/// Replaces the body of a subscription's record by a text, which no program writes.
pub(crate) async fn corrupt(env: &TestEnv, id: Uuid, body: &str) {
    overwrite(env, id, "body", body).await;
}

/// Replaces a part of a subscription's record, such as `body.updatedAt`, by a text.
pub(crate) async fn overwrite(env: &TestEnv, id: Uuid, part: &str, text: &str) {
    let url = env.system.database_url().expect("an embedded database");
    local::database::client(url, &env.system.variables["AWS_REGION"])
        .update_item()
        .table_name(&env.system.variables["TABLE_NAME"])
        .key("pk", AttributeValue::S(format!("SUB#{id}")))
        .key("sk", AttributeValue::S("RECORD".to_owned()))
        .update_expression(format!("SET {part} = :text"))
        .expression_attribute_values(":text", AttributeValue::S(text.to_owned()))
        .send()
        .await
        .expect("the record is there");
}
