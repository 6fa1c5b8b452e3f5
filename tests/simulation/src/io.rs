//! The boundary between the functions and the world. Every effect passes through it, and faults
//! strike here.

mod asked;
mod changes;
mod clocks;
mod deeds;
mod poll;
mod turn;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use clap::ValueEnum;
use emulator::World;
use jiff::Timestamp;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use shared::domain::{OperationId, Position, SubscriptionId};
use uuid::Uuid;

use crate::browser::Visit;
use crate::choices::Choices;
use crate::fault::{Fault, FaultPlan};
use crate::product::Product;
use crate::reached::{self, Reached};
use crate::skew::Skew;
use poll::{Yield, is_killed, killed};
pub(crate) use poll::{begin_poll, waits_for_effect, was_killed};
pub(crate) use turn::{Ask, Caller, Deeds, Turn};

/// How long an effect takes. It is not zero, so no two effects happen at the same time.
const EFFECT_DURATION: Duration = Duration::from_millis(1);

/// How long a request to the table waits before it times out.
pub(crate) const TABLE_TIMEOUT: Duration = Duration::from_millis(1500);

/// The world, the publisher's product, and the random numbers that the seed decides.
pub struct Io {
    world: Mutex<World>,
    product: Mutex<Product>,
    state: Mutex<State>,
    skew: Mutex<Skew>,
}

struct State {
    rng: SmallRng,
    plan: FaultPlan,
    /// Effects since the plan was set.
    effects: usize,
    /// Whether functions take turns at each effect.
    interleave: bool,
    turn: Turn,
    /// The publisher's settings.
    choices: Choices,
    /// By the function's number, while it runs.
    deeds: BTreeMap<u64, Deeds>,
    /// How many faults have struck.
    faults: u64,
    changes: asked::Changes,
    /// When an event was committed, by Microsoft's clock.
    committed: BTreeMap<(SubscriptionId, Position), Timestamp>,
    /// Whether the function whose turn it is waits for all other actors.
    overtaken: bool,
    reached: Reached,
    history: Vec<String>,
    violations: Vec<String>,
    keep_history: bool,
}

impl Io {
    pub fn new(world: World, seed: u64, keep_history: bool) -> Arc<Self> {
        let state = State {
            rng: SmallRng::seed_from_u64(seed),
            plan: FaultPlan::Calm,
            effects: 0,
            interleave: true,
            turn: Turn::default(),
            choices: Choices::default(),
            deeds: BTreeMap::new(),
            faults: 0,
            changes: asked::Changes::default(),
            committed: BTreeMap::new(),
            overtaken: false,
            reached: Reached::default(),
            history: Vec::new(),
            violations: Vec::new(),
            keep_history,
        };
        Arc::new(Self {
            world: Mutex::new(world),
            product: Mutex::default(),
            state: Mutex::new(state),
            skew: Mutex::default(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn world<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        act(&mut self.world.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn now(&self) -> Timestamp {
        self.world(|world| world.now())
    }

    /// The id of an operation, as Microsoft writes it.
    pub fn operation_id(&self, id: Uuid) -> OperationId {
        let text = self.world(|world| world.settings().oddities.operation_id(id));
        OperationId::new(&text).expect("an id")
    }

    pub fn product<T>(&self, act: impl FnOnce(&mut Product) -> T) -> T {
        act(&mut self.product.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Draws from the seed's random numbers.
    pub fn decide<T>(&self, decide: impl FnOnce(&mut SmallRng) -> T) -> T {
        decide(&mut self.state().rng)
    }

    /// Sets which effects go wrong from now on, and starts counting effects from zero.
    pub fn set_plan(&self, plan: FaultPlan) {
        let mut state = self.state();
        state.plan = plan;
        state.effects = 0;
    }

    /// Whether nothing goes wrong by chance.
    pub fn is_calm(&self) -> bool {
        !matches!(self.state().plan, FaultPlan::Storm(_))
    }

    /// Sets whether functions take turns at each effect.
    pub fn interleave(&self, interleave: bool) {
        self.state().interleave = interleave;
    }

    pub(crate) fn begin_turn(&self, turn: Turn) {
        self.state().turn = turn;
    }

    /// When the function whose turn it is began.
    pub fn begun(&self) -> Timestamp {
        self.state().turn.begun
    }

    /// Who called the function whose turn it is.
    pub(crate) fn caller(&self) -> Caller {
        self.state().turn.caller
    }

    /// The principal of the caller of the management API.
    pub fn principal(&self) -> Option<&'static str> {
        self.state().turn.principal
    }

    /// The change that the management API is asked for.
    pub(crate) fn ask(&self) -> Option<Arc<Ask>> {
        self.state().turn.ask.clone()
    }

    /// The browser's request behind the function whose turn it is.
    pub(crate) fn visit(&self) -> Option<Arc<Visit>> {
        self.state().turn.visit.clone()
    }

    pub fn choices(&self) -> Choices {
        self.state().choices
    }

    pub fn set_choices(&self, choices: Choices) {
        self.state().choices = choices;
    }

    /// Whether the plan lets other actors overtake a function.
    pub fn plans_overtaking(&self) -> bool {
        matches!(self.state().plan, FaultPlan::Overtaken(_))
    }

    /// Whether the function that just had its turn waits for all other actors. Reading it resets
    /// it.
    pub fn was_overtaken(&self) -> bool {
        std::mem::take(&mut self.state().overtaken)
    }

    /// Reports a violation if a forged call caused this effect.
    pub fn forbid_if_forged(&self, name: impl FnOnce() -> String) {
        if self.state().turn.forged {
            self.violate(format!("a forged call reached {}", name()));
        }
    }

    /// How many effects have happened since the plan was set.
    pub fn effects(&self) -> usize {
        self.state().effects
    }

    /// Adds a line to the history, if the run keeps one.
    pub fn note(&self, what: impl FnOnce() -> String) {
        if self.state().keep_history {
            let line = format!("{} {}", self.now().strftime("%m-%d %H:%M:%S"), what());
            self.state().history.push(line);
        }
    }

    /// Counts a case that the run reached. Cases are named by their group and the case itself, such
    /// as `fault: lost`, and events by their names alone.
    pub fn count(&self, what: impl Into<Cow<'static, str>>) {
        self.state().reached.count(what);
    }

    /// What the run has reached so far.
    pub fn reached(&self) -> Reached {
        self.state().reached.clone()
    }

    /// Reports that an invariant does not hold.
    pub fn violate(&self, what: String) {
        self.note(|| format!("VIOLATION {what}"));
        self.state().violations.push(what);
    }

    pub fn violations(&self) -> Vec<String> {
        self.state().violations.clone()
    }

    pub fn history(&self) -> Vec<String> {
        self.state().history.clone()
    }

    /// Runs one effect, which times out after `timeout`. This is the only way a function reaches
    /// the world or the table.
    pub async fn effect<T>(
        &self,
        name: impl Fn() -> String + Send,
        timeout: Duration,
        effect: impl FnOnce() -> T + Send,
    ) -> Result<T, Fault> {
        self.let_others_run().await;
        if is_killed() {
            // A killed function has no further effects, even if it was running several at once.
            std::future::pending::<()>().await;
        }
        self.world(|world| world.advance(EFFECT_DURATION));
        let (fault, overtaken) = self.next_fault(&name);
        if overtaken {
            Yield::default().await;
        }
        if let Some(fault) = fault {
            self.state().faults += 1;
            self.count(format!("fault: {}", reached::words(fault)));
            self.count(format!("struck: {}", reached::call(&name())));
            self.note(|| format!("    {} !! {fault:?}", name()));
        }
        match fault {
            None => {
                let result = effect();
                self.note(|| format!("    {}", name()));
                self.let_others_run().await;
                Ok(result)
            }
            Some(Fault::KilledBefore) => killed().await,
            Some(Fault::KilledAfter) => {
                drop(effect());
                killed().await
            }
            Some(fault @ (Fault::Refused | Fault::Broken | Fault::Throttled | Fault::Denied)) => {
                Err(fault)
            }
            Some(fault @ Fault::Lost) => {
                drop(effect());
                self.let_others_run().await;
                Err(fault)
            }
            Some(fault @ Fault::TimedOutBefore) => {
                self.world(|world| world.advance(timeout));
                self.let_others_run().await;
                Err(fault)
            }
            Some(fault @ Fault::TimedOutAfter) => {
                drop(effect());
                self.world(|world| world.advance(timeout));
                self.let_others_run().await;
                Err(fault)
            }
        }
    }

    /// The fault of the next effect, and whether all other actors run before it.
    fn next_fault(&self, name: impl Fn() -> String) -> (Option<Fault>, bool) {
        let mut state = self.state();
        let state = &mut *state;
        let number = state.effects;
        state.effects += 1;
        let fault = match state.plan {
            FaultPlan::Calm => None,
            FaultPlan::At(at, fault) => (number == at).then_some(fault),
            FaultPlan::Overtaken(at) => {
                state.overtaken |= number == at;
                return (None, number == at);
            }
            FaultPlan::Storm(one_in) => strike(&mut state.rng, one_in),
            FaultPlan::Aimed(calls) => {
                let is_aimed = calls.contains(&&*reached::call(&name()));
                is_aimed.then(|| strike(&mut state.rng, 3)).flatten()
            }
        };
        (fault, false)
    }

    /// Yields to the other functions between zero and two times.
    pub async fn let_others_run(&self) {
        let times = {
            let mut state = self.state();
            if state.interleave { state.rng.random_range(0..3) } else { 0 }
        };
        for _ in 0..times {
            Yield::default().await;
        }
    }
}

/// One time in this many, any of the faults.
fn strike(rng: &mut SmallRng, one_in: u32) -> Option<Fault> {
    let faults = Fault::value_variants();
    rng.random_ratio(1, one_in).then(|| faults[rng.random_range(0..faults.len())])
}
