//! Where the delivery meets the world: every effect passes here, and may go wrong here.

use std::collections::BTreeSet;
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
use shared::domain::{Position, SubscriptionId};
use shared::host::http_client::{SendError, Transport};
use shared::store::{Backlog, Cursor, CursorError, Due, Outbox, Page, StoreError, Target};
use simulation::MemoryStore;

use crate::delivery_scene::Product;

/// What goes wrong with an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It does not happen.
    Refused,
    /// It happens, and nobody hears of it.
    Lost,
    /// Whoever wanted it dies before it happens.
    DiesBefore,
    /// Whoever wanted it dies right after.
    DiesAfter,
}

pub(crate) const FAULTS: [Fault; 4] =
    [Fault::Refused, Fault::Lost, Fault::DiesBefore, Fault::DiesAfter];

/// Which effects go wrong.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Plan {
    None,
    /// The one with this number.
    At(usize, Fault),
    /// One in so many, and the functions take turns as chance has it.
    Storm(u64),
}

/// Every effect of the delivery passes here.
#[derive(Debug)]
pub(crate) struct Effects {
    plan: Mutex<Plan>,
    count: AtomicUsize,
    dying: AtomicBool,
    chance: AtomicU64,
}

impl Effects {
    pub(crate) fn new(plan: Plan, seed: u64) -> Arc<Self> {
        Arc::new(Self {
            plan: Mutex::new(plan),
            count: AtomicUsize::new(0),
            dying: AtomicBool::new(false),
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

    /// From now on, effects go wrong as planned.
    pub(crate) fn plan(&self, plan: Plan) {
        *self.plan.lock().unwrap_or_else(PoisonError::into_inner) = plan;
        self.count.store(0, Ordering::Relaxed);
    }

    fn planned(&self) -> Plan {
        *self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether chance rules.
    pub(crate) fn storms(&self) -> bool {
        matches!(self.planned(), Plan::Storm(_))
    }

    /// Effects since the plan was made.
    pub(crate) fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Whether the function that was just polled has died; asking resets it.
    pub(crate) fn has_died(&self) -> bool {
        self.dying.swap(false, Ordering::Relaxed)
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

    /// Lets others go first, sometimes.
    pub(crate) async fn turn(&self) {
        if self.storms() {
            for _ in 0..self.chance(4) {
                Yield(false).await;
            }
        }
    }

    /// `Err` where the caller hears of nothing.
    pub(crate) async fn effect<T>(&self, effect: impl Future<Output = T>) -> Result<T, ()> {
        self.turn().await;
        let fault = self.fault();
        match fault {
            Some(Fault::Refused) => return Err(()),
            Some(Fault::DiesBefore) => return self.die().await,
            None | Some(Fault::Lost | Fault::DiesAfter) => {}
        }
        let done = effect.await;
        self.turn().await;
        match fault {
            Some(Fault::Lost) => Err(()),
            Some(Fault::DiesAfter) => self.die().await,
            None | Some(Fault::Refused | Fault::DiesBefore) => Ok(done),
        }
    }

    /// Never returns; whoever runs it drops it.
    async fn die<T>(&self) -> T {
        self.dying.store(true, Ordering::Relaxed);
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

/// The table, whose answers may get lost.
pub(crate) struct Unsafe {
    pub table: MemoryStore,
    pub effects: Arc<Effects>,
}

fn unavailable((): ()) -> StoreError {
    StoreError::unavailable("told to fail")
}

#[async_trait]
impl Outbox for Unsafe {
    async fn cursor(&self, id: SubscriptionId, target: Target) -> Result<Cursor, StoreError> {
        self.effects.effect(self.table.cursor(id, target)).await.map_err(unavailable)?
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
}

/// The way to the product, likewise.
#[derive(Debug)]
pub(crate) struct Wire {
    pub product: Arc<Product>,
    pub effects: Arc<Effects>,
}

#[async_trait]
impl Transport for Wire {
    async fn send(
        &self,
        request: Request<Bytes>,
        timeout: Duration,
    ) -> Result<Response<Bytes>, SendError> {
        let sent = self.effects.effect(self.product.send(request, timeout)).await;
        sent.map_err(|()| SendError::NoAnswer("told to fail".into()))?
    }
}
