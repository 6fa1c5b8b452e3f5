//! Injects faults into the delivery's effects: its reads and writes of the table, and its requests.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use jiff::Timestamp;
use memory_store::MemoryStore;
use shared::domain::{Annotations, Position, SubscriptionId};
use shared::host::http_client::{SendError, Transport};
use shared::store::{
    AnnotationStore, Backlog, Cursor, CursorError, Due, Outbox, Page, ReceiverState, SaveError,
    StoreError, Target, Waiting,
};

use crate::delivery_product::Product;

/// A fault of one effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It does not happen, and the caller gets an error.
    Refused,
    /// It happens, and the answer is lost.
    Lost,
    /// The function is killed before it happens.
    KilledBefore,
    /// The function is killed right after it happens.
    KilledAfter,
}

pub(crate) const FAULTS: [Fault; 4] =
    [Fault::Refused, Fault::Lost, Fault::KilledBefore, Fault::KilledAfter];

/// Which effects fail.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Plan {
    None,
    /// The effect with this number.
    At(usize, Fault),
    /// One in so many effects, and the functions take turns at random.
    Storm(u64),
}

/// Counts the effects and injects the planned faults.
#[derive(Debug)]
pub(crate) struct Effects {
    plan: Mutex<Plan>,
    count: AtomicUsize,
    killed: AtomicBool,
    chance: AtomicU64,
}

impl Effects {
    pub(crate) fn new(plan: Plan, seed: u64) -> Arc<Self> {
        Arc::new(Self {
            plan: Mutex::new(plan),
            count: AtomicUsize::new(0),
            killed: AtomicBool::new(false),
            chance: AtomicU64::new(seed),
        })
    }

    /// A number below `below`, from the seed (SplitMix64).
    pub(crate) fn chance(&self, below: u64) -> u64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut z = self.chance.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    }

    /// Replaces the plan and resets the count.
    pub(crate) fn plan(&self, plan: Plan) {
        *self.plan.lock().unwrap_or_else(PoisonError::into_inner) = plan;
        self.count.store(0, Ordering::Relaxed);
    }

    fn planned(&self) -> Plan {
        *self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether faults strike at random.
    pub(crate) fn storms(&self) -> bool {
        matches!(self.planned(), Plan::Storm(_))
    }

    /// The number of effects since the plan was set.
    pub(crate) fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Whether the function that was just polled was killed. Resets the answer.
    pub(crate) fn take_killed(&self) -> bool {
        self.killed.swap(false, Ordering::Relaxed)
    }

    fn fault(&self) -> Option<Fault> {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        match self.planned() {
            Plan::None => None,
            Plan::At(at, fault) => (at == number).then_some(fault),
            Plan::Storm(one_in) => (self.chance(one_in) == 0)
                .then(|| FAULTS[usize::try_from(self.chance(4)).expect("below four")]),
        }
    }

    /// In a storm, sometimes lets other functions run first.
    pub(crate) async fn turn(&self) {
        if self.storms() {
            for _ in 0..self.chance(4) {
                Yield(false).await;
            }
        }
    }

    /// Runs the effect with its planned fault. `Err` if the caller gets no answer.
    pub(crate) async fn effect<T>(&self, effect: impl Future<Output = T>) -> Result<T, ()> {
        self.turn().await;
        let fault = self.fault();
        match fault {
            Some(Fault::Refused) => return Err(()),
            Some(Fault::KilledBefore) => return self.killed().await,
            None | Some(Fault::Lost | Fault::KilledAfter) => {}
        }
        let done = effect.await;
        self.turn().await;
        match fault {
            Some(Fault::Lost) => Err(()),
            Some(Fault::KilledAfter) => self.killed().await,
            None | Some(Fault::Refused | Fault::KilledBefore) => Ok(done),
        }
    }

    /// Never returns. The runner drops the function.
    async fn killed<T>(&self) -> T {
        self.killed.store(true, Ordering::Relaxed);
        std::future::pending().await
    }
}

pub(crate) struct Yield(pub bool);

impl Future for Yield {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

/// The table, with faults.
pub(crate) struct FaultyTable {
    pub table: MemoryStore,
    pub effects: Arc<Effects>,
}

fn unavailable((): ()) -> StoreError {
    StoreError::unavailable("failed on purpose")
}

#[async_trait]
impl Outbox for FaultyTable {
    async fn cursor(&self, id: SubscriptionId, target: Target) -> Result<Cursor, StoreError> {
        self.effects.effect(self.table.cursor(id, target)).await.map_err(unavailable)?
    }

    async fn cursors(&self, id: SubscriptionId) -> Result<Vec<Target>, StoreError> {
        self.effects.effect(self.table.cursors(id)).await.map_err(unavailable)?
    }

    async fn save_cursor(
        &self,
        id: SubscriptionId,
        target: Target,
        cursor: &Cursor,
    ) -> Result<(), CursorError> {
        let saved = self.effects.effect(self.table.save_cursor(id, target, cursor)).await;
        saved.map_err(|lost| CursorError::from(unavailable(lost)))?
    }

    async fn delete_cursor(
        &self,
        id: SubscriptionId,
        target: Target,
        revision: u64,
    ) -> Result<(), CursorError> {
        let deleted = self.effects.effect(self.table.delete_cursor(id, target, revision)).await;
        deleted.map_err(|lost| CursorError::from(unavailable(lost)))?
    }

    async fn backlog(&self, id: SubscriptionId, after: Position) -> Result<Backlog, StoreError> {
        self.effects.effect(self.table.backlog(id, after)).await.map_err(unavailable)?
    }

    async fn settle(&self, id: SubscriptionId, versions: &BTreeSet<u64>) -> Result<(), StoreError> {
        self.effects.effect(self.table.settle(id, versions)).await.map_err(unavailable)?
    }

    async fn due(&self, by: Timestamp, next: Option<&str>) -> Result<Page<Due>, StoreError> {
        self.effects.effect(self.table.due(by, next)).await.map_err(unavailable)?
    }

    async fn parked(
        &self,
        next: Option<&str>,
    ) -> Result<Page<(SubscriptionId, Target)>, StoreError> {
        self.effects.effect(self.table.parked(next)).await.map_err(unavailable)?
    }

    async fn waiting(
        &self,
        targets: &[Target],
        states: &BTreeMap<Target, ReceiverState>,
    ) -> Result<Waiting, StoreError> {
        self.effects.effect(self.table.waiting(targets, states)).await.map_err(unavailable)?
    }
}

#[async_trait]
impl AnnotationStore for FaultyTable {
    async fn annotations(&self, id: SubscriptionId) -> Result<Option<Annotations>, StoreError> {
        self.effects.effect(self.table.annotations(id)).await.map_err(unavailable)?
    }

    async fn save_annotations(
        &self,
        id: SubscriptionId,
        annotations: &Annotations,
    ) -> Result<(), SaveError> {
        let saved = self.effects.effect(self.table.save_annotations(id, annotations)).await;
        saved.map_err(|lost| SaveError::from(unavailable(lost)))?
    }
}

/// The transport to the product, with faults.
#[derive(Debug)]
pub(crate) struct FaultyTransport {
    pub product: Arc<Product>,
    pub effects: Arc<Effects>,
}

#[async_trait]
impl Transport for FaultyTransport {
    async fn send(
        &self,
        request: Request<Bytes>,
        timeout: Duration,
    ) -> Result<Response<Bytes>, SendError> {
        let sent = self.effects.effect(self.product.send(request, timeout)).await;
        sent.map_err(|()| SendError::NoAnswer("failed on purpose".into()))?
    }
}
