//! Where the functions meet the world: every effect passes here, and may go wrong here.

use std::cell::Cell;
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use clap::ValueEnum;
use emulator::World;
use jiff::Timestamp;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use shared::store::REQUEST_LIVES;
use shared::system::System;
use uuid::Uuid;

use crate::product::Product;

/// What goes wrong with one effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Fault {
    /// Refused: the effect does not happen.
    Refused,
    /// The effect happens, and its result is lost.
    Lost,
    /// Nothing happens, for a long time.
    TimedOutBefore,
    /// The effect happens, and nothing is heard of it for a long time.
    TimedOutAfter,
    /// The other side answers that it is broken.
    Broken,
    /// The other side answers that it has had enough for now.
    Throttled,
    /// The other side answers that it doesn't believe us.
    Denied,
    /// The function dies before the effect.
    KilledBefore,
    /// The function dies right after the effect.
    KilledAfter,
}

/// Which effects go wrong.
#[derive(Clone, Debug)]
pub enum Plan {
    /// None.
    Calm,
    /// One in so many.
    Storm(u32),
    /// The one with this number, counted from zero.
    At(usize, Fault),
    /// None; but before the one with this number, everybody else comes first.
    Overtaken(usize),
}

/// How long an effect takes: no two of them happen at the same time.
const TAKES: Duration = Duration::from_millis(1);

/// How long the table takes to time out.
pub const TIMEOUT: Duration = Duration::from_millis(1500);

/// The world, and everything that is decided by the seed.
pub struct Io {
    pub world: Mutex<World>,
    product: Mutex<Product>,
    state: Mutex<State>,
}

struct State {
    rng: SmallRng,
    plan: Plan,
    /// Effects since the plan was made.
    count: usize,
    /// Yield to other functions at each effect.
    interleave: bool,
    turn: Turn,
    /// The last time that Microsoft took a change, by the key under which we were asked for it.
    taken: HashMap<String, Timestamp>,
    /// The function that has its turn waits until everybody else has come first.
    overtaken: bool,
    history: Vec<String>,
    violations: Vec<String>,
    keep_history: bool,
}

/// For whom the function works that has its turn.
#[derive(Default)]
pub struct Turn {
    /// Somebody who has proved nothing.
    pub unproven: bool,
    /// Somebody who gave this key.
    pub key: Option<String>,
}

thread_local! {
    /// The function that is being polled; set by the executor.
    static DYING: Cell<bool> = const { Cell::new(false) };
}

/// Whether the function that was just polled has been killed; asking resets it.
pub fn was_killed() -> bool {
    DYING.replace(false)
}

impl Io {
    pub fn new(world: World, seed: u64, keep_history: bool) -> Arc<Self> {
        let state = State {
            rng: SmallRng::seed_from_u64(seed),
            plan: Plan::Calm,
            count: 0,
            interleave: true,
            turn: Turn::default(),
            taken: HashMap::new(),
            overtaken: false,
            history: Vec::new(),
            violations: Vec::new(),
            keep_history,
        };
        Arc::new(Self {
            world: Mutex::new(world),
            product: Mutex::default(),
            state: Mutex::new(state),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Acts on the world.
    pub fn world<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        act(&mut self.world.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Acts on the publisher's product.
    pub fn product<T>(&self, act: impl FnOnce(&mut Product) -> T) -> T {
        act(&mut self.product.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes a decision.
    pub fn decide<T>(&self, decide: impl FnOnce(&mut SmallRng) -> T) -> T {
        decide(&mut self.state().rng)
    }

    /// From now on, effects go wrong as planned.
    pub fn plan(&self, plan: Plan) {
        let mut state = self.state();
        state.plan = plan;
        state.count = 0;
    }

    /// Whether functions run by turns.
    pub fn interleave(&self, interleave: bool) {
        self.state().interleave = interleave;
    }

    /// Whose turn it is.
    pub fn begin_turn(&self, turn: Turn) {
        self.state().turn = turn;
    }

    /// Microsoft has taken a change, or an end, that it was asked for.
    pub fn taken(&self) {
        let now = self.world(|world| world.now());
        let mut state = self.state();
        let Some(key) = state.turn.key.clone() else { return };
        let before = state.taken.insert(key.clone(), now);
        drop(state);
        if before.is_some_and(|before| now.duration_since(before) < REQUEST_LIVES) {
            self.violate(format!("Microsoft was asked twice for what came with the key {key}"));
        }
    }

    /// Whether a function will be overtaken.
    pub fn is_to_be_overtaken(&self) -> bool {
        matches!(self.state().plan, Plan::Overtaken(_))
    }

    /// Whether the function that has had its turn waits for everybody else; asking resets it.
    pub fn was_overtaken(&self) -> bool {
        std::mem::take(&mut self.state().overtaken)
    }

    /// An effect that nobody has a right to who has proved nothing.
    pub fn needs_proof(&self, name: impl FnOnce() -> String) {
        if self.state().turn.unproven {
            self.violate(format!("a forged call reached {}", name()));
        }
    }

    /// Effects since the plan was made.
    pub fn count(&self) -> usize {
        self.state().count
    }

    /// Writes down what happened.
    pub fn note(&self, what: impl FnOnce() -> String) {
        if self.state().keep_history {
            let now = self.world(|world| world.now());
            let line = format!("{} {}", now.strftime("%m-%d %H:%M:%S"), what());
            self.state().history.push(line);
        }
    }

    /// Something that must never be.
    pub fn violate(&self, what: String) {
        self.note(|| format!("VIOLATION {what}"));
        self.state().violations.push(what);
    }

    /// What must never be and was.
    pub fn violations(&self) -> Vec<String> {
        self.state().violations.clone()
    }

    /// What happened.
    pub fn history(&self) -> Vec<String> {
        self.state().history.clone()
    }

    /// One effect: the only way a function reaches the world or the table. It times out after `timeout`.
    pub async fn effect<T>(
        &self,
        name: impl Fn() -> String + Send,
        timeout: Duration,
        effect: impl FnOnce() -> T + Send,
    ) -> Result<T, Fault> {
        self.turn().await;
        if DYING.get() {
            // What died does nothing more, whatever else it had under way.
            std::future::pending::<()>().await;
        }
        self.world(|world| world.advance(TAKES));
        let (fault, overtaken) = self.next_fault();
        if overtaken {
            Yield(false).await;
        }
        if let Some(fault) = fault {
            self.note(|| format!("    {} !! {fault:?}", name()));
        }
        match fault {
            None => {
                let result = effect();
                self.note(|| format!("    {}", name()));
                self.turn().await;
                Ok(result)
            }
            Some(Fault::KilledBefore) => die().await,
            Some(Fault::KilledAfter) => {
                drop(effect());
                die().await
            }
            Some(fault @ (Fault::Refused | Fault::Broken | Fault::Throttled | Fault::Denied)) => {
                Err(fault)
            }
            Some(fault @ Fault::Lost) => {
                drop(effect());
                self.turn().await;
                Err(fault)
            }
            Some(fault @ Fault::TimedOutBefore) => {
                self.world(|world| world.advance(timeout));
                self.turn().await;
                Err(fault)
            }
            Some(fault @ Fault::TimedOutAfter) => {
                drop(effect());
                self.world(|world| world.advance(timeout));
                self.turn().await;
                Err(fault)
            }
        }
    }

    /// What goes wrong with the next effect, and whether everybody else comes first.
    fn next_fault(&self) -> (Option<Fault>, bool) {
        let mut state = self.state();
        let number = state.count;
        state.count += 1;
        let fault = match state.plan {
            Plan::Calm => None,
            Plan::At(at, fault) => (number == at).then_some(fault),
            Plan::Overtaken(at) => {
                state.overtaken |= number == at;
                return (None, number == at);
            }
            Plan::Storm(one_in) => {
                let faults = Fault::value_variants();
                let strikes = state.rng.random_ratio(1, one_in);
                strikes.then(|| faults[state.rng.random_range(0..faults.len())])
            }
        };
        (fault, false)
    }

    /// Lets others go first, sometimes.
    async fn turn(&self) {
        let turns = {
            let mut state = self.state();
            if state.interleave { state.rng.random_range(0..3) } else { 0 }
        };
        for _ in 0..turns {
            Yield(false).await;
        }
    }
}

/// Never returns: the executor drops what has died.
async fn die<T>() -> T {
    DYING.set(true);
    std::future::pending().await
}

struct Yield(bool);

impl Future for Yield {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) {
            return Poll::Ready(());
        }
        // Whoever carries several things at once asks only for those that want to be asked.
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

/// The machine: the world's clock, and ids from the seed. Waiting moves the clock.
pub struct SimulatedSystem(pub Arc<Io>);

impl std::fmt::Debug for SimulatedSystem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SimulatedSystem")
    }
}

#[async_trait]
impl System for SimulatedSystem {
    fn now(&self) -> Timestamp {
        self.0.world(|world| world.now())
    }

    async fn sleep(&self, pause: Duration) {
        if !pause.is_zero() {
            self.0.world(|world| world.advance(pause));
            self.0.turn().await;
        }
    }

    fn new_id(&self) -> Uuid {
        self.0.decide(|rng| Uuid::from_u128(rng.random()))
    }
}
