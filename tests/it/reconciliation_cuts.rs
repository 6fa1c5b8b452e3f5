//! A slice that is killed at any step, and two slices at once at any step: neither does harm.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use emulator::Purchase;
use jiff::Timestamp;
use local::Options;
use local::system::Ports;
use memory_store::MemoryStore;
use reconciliation::{Reconciliation, Report};
use shared::domain::{Event, OperationId, Record, SubscriptionId};
use shared::store::{
    Checkpoint, CheckpointError, Checkpoints, Commit, CommitError, DueRecord, DueWork, FirstStart,
    ListQuery, Mark, Page, Store, StoreError,
};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::reconciliation_breaks::{active, missed, page_fails, paged};
use crate::test_env::TestEnv;

/// What happens at a step, which is a call of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    /// The slice is killed, and the table has not received the call.
    KilledBefore,
    /// The slice is killed before it has the answer.
    KilledAfter,
    /// The answer is lost.
    AnswerLost,
    /// Another slice, and all those after it, run to their end first.
    Overtaken,
}

/// A table in memory that counts its calls.
struct Steps {
    table: MemoryStore,
    what: What,
    /// Calls until it happens.
    left: AtomicI64,
    killed: Notify,
    other: OnceLock<Arc<Reconciliation>>,
}

impl Steps {
    async fn step<T>(
        &self,
        call: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        if self.left.fetch_sub(1, Ordering::SeqCst) != 0 {
            return call.await;
        }
        match self.what {
            What::KilledBefore => {}
            What::KilledAfter => drop(call.await),
            What::AnswerLost => {
                drop(call.await);
                return Err(StoreError::unavailable("lost on purpose"));
            }
            What::Overtaken => {
                let other = self.other.get().expect("set by the test").clone();
                let ended = tokio::spawn(async move { to_its_end(&other).await });
                ended.await.expect("it did not panic");
                return call.await;
            }
        }
        self.killed.notify_one();
        std::future::pending().await
    }
}

/// An error of the table that is no fault of its own passes through.
async fn inside<T, E>(
    steps: &Steps,
    call: impl Future<Output = Result<T, E>> + Send,
) -> Result<T, E>
where
    T: Send,
    E: From<StoreError> + Send,
{
    steps.step(async { Ok(call.await) }).await?
}

/// Slices until the run ends.
async fn to_its_end(reconciliation: &Reconciliation) -> Report {
    for _ in 0..20 {
        if let Ok(report) = reconciliation.slice().await
            && report.finished
        {
            return report;
        }
    }
    panic!("the run never ends");
}

/// A page that is refused, and a call that was missed on each side of it.
async fn env(what: What, step: i64) -> (TestEnv, Arc<Steps>, Vec<Uuid>) {
    let steps = Arc::new(Steps {
        table: MemoryStore::default(),
        what,
        left: AtomicI64::new(-1),
        killed: Notify::new(),
        other: OnceLock::new(),
    });
    let ports = steps.clone();
    let wrap =
        move |_: Ports| Ports { store: ports.clone(), checkpoints: ports.clone(), due_work: ports };
    let env = TestEnv::with(Options { wrap_store: Some(Box::new(wrap)), ..paged() }).await;
    let mut ids = active(&env, 4).await;
    missed(&env, &[ids[0], ids[3]]);
    // Nobody has told us of it yet. It is on the first page that is read.
    ids.push(env.purchase(Purchase::flat_rate("silver")));
    page_fails(&env, 2, 400);
    assert!(steps.other.set(env.system.reconciliation.clone()).is_ok());
    steps.left.store(step, Ordering::SeqCst);
    (env, steps, ids)
}

/// Runs one slice in which this happens at this step, and then all that is left. Returns whether the slice
/// came so far.
async fn holds_at(what: What, step: i64) -> bool {
    let (env, steps, ids) = env(what, step).await;
    let reconciliation = &env.system.reconciliation;
    tokio::select! {
        ended = reconciliation.slice() => drop(ended),
        () = steps.killed.notified() => {}
    }
    let reached = steps.left.swap(-1, Ordering::SeqCst) < 0;
    to_its_end(reconciliation).await;
    for (place, events) in [
        (0, &["Purchased", "Activated", "Suspended"][..]),
        (1, &["Purchased", "Activated"]),
        (2, &["Purchased", "Activated"]),
        (3, &["Purchased", "Activated", "Suspended"]),
    ] {
        assert_eq!(env.event_names(ids[place]).await, events, "{what:?} at {step}: {place}");
        env.assert_agrees(ids[place], &format!("{what:?} at {step}")).await;
    }
    // Nothing is left over: once the page is back, a run is a full round, and finds one purchase.
    env.world(|world| world.settings_mut().behaviour.failing_page = None);
    let report = to_its_end(reconciliation).await;
    assert_eq!((report.full_round, report.repaired), (true, 1), "{what:?} at {step}");
    reached
}

async fn holds_at_every_step(what: What) {
    for step in 0.. {
        if !holds_at(what, step).await {
            assert!(step >= 12, "{what:?}: only {step} steps");
            return;
        }
    }
}

#[tokio::test]
async fn a_slice_that_is_killed_before_any_step_is_continued() {
    holds_at_every_step(What::KilledBefore).await;
}

#[tokio::test]
async fn a_slice_that_is_killed_after_any_step_is_continued() {
    holds_at_every_step(What::KilledAfter).await;
}

#[tokio::test]
async fn a_slice_that_loses_the_answer_to_any_step_is_continued() {
    holds_at_every_step(What::AnswerLost).await;
}

#[tokio::test]
async fn a_slice_that_another_run_overtakes_at_any_step_does_no_harm() {
    holds_at_every_step(What::Overtaken).await;
}

#[async_trait]
impl Store for Steps {
    async fn load(&self, id: SubscriptionId) -> Result<Option<Record>, StoreError> {
        self.step(self.table.load(id)).await
    }

    async fn load_with_mark(
        &self,
        id: SubscriptionId,
        operation: &OperationId,
    ) -> Result<(Option<Record>, Option<Mark>), StoreError> {
        self.step(self.table.load_with_mark(id, operation)).await
    }

    async fn load_many(
        &self,
        ids: &[SubscriptionId],
    ) -> Result<HashMap<SubscriptionId, Result<Record, StoreError>>, StoreError> {
        self.step(self.table.load_many(ids)).await
    }

    async fn commit(&self, id: SubscriptionId, commit: &Commit) -> Result<(), CommitError> {
        inside(self, self.table.commit(id, commit)).await
    }

    async fn epoch(&self) -> Result<u64, StoreError> {
        self.step(self.table.epoch()).await
    }

    async fn list(
        &self,
        query: &ListQuery,
        next: Option<&str>,
    ) -> Result<Page<Record>, StoreError> {
        self.step(self.table.list(query, next)).await
    }

    async fn events(
        &self,
        id: SubscriptionId,
        after_version: u64,
    ) -> Result<Page<Event>, StoreError> {
        self.table.events(id, after_version).await
    }
}

#[async_trait]
impl Checkpoints for Steps {
    async fn checkpoint(&self) -> Result<Checkpoint, StoreError> {
        self.step(self.table.checkpoint()).await
    }

    async fn save_checkpoint(&self, checkpoint: &Checkpoint) -> Result<(), CheckpointError> {
        inside(self, self.table.save_checkpoint(checkpoint)).await
    }

    async fn first_start(&self) -> Result<Option<FirstStart>, StoreError> {
        self.step(self.table.first_start()).await
    }

    async fn save_first_start(&self, first: &FirstStart) -> Result<(), CommitError> {
        inside(self, self.table.save_first_start(first)).await
    }

    async fn note_compared(
        &self,
        ids: &[SubscriptionId],
        begun_at: Timestamp,
    ) -> Result<(), StoreError> {
        self.step(self.table.note_compared(ids, begun_at)).await
    }

    async fn compared(
        &self,
        ids: &[SubscriptionId],
        begun_at: Timestamp,
    ) -> Result<HashSet<SubscriptionId>, StoreError> {
        self.step(self.table.compared(ids, begun_at)).await
    }
}

#[async_trait]
impl DueWork for Steps {
    async fn work(&self, by: Timestamp, next: Option<&str>) -> Result<Page<DueRecord>, StoreError> {
        self.step(self.table.work(by, next)).await
    }

    async fn ended(
        &self,
        by: Timestamp,
        next: Option<&str>,
    ) -> Result<Page<SubscriptionId>, StoreError> {
        self.table.ended(by, next).await
    }
}
