//! Injects every fault at every effect of every flow. The effects are counted while the code runs,
//! so a call that is added later is covered automatically.

mod flow;
mod lag;
mod overtaking;
mod script;

use clap::ValueEnum;
use clap::builder::PossibleValue;
use emulator::World;

use crate::fault::{Fault, FaultPlan};
use crate::io::Io;
use crate::reproduce;
use crate::run::{Run, Violation};
pub use flow::Flow;

/// What happens to one effect of a flow.
#[derive(Clone, Copy, Debug)]
pub struct Injection {
    pub flow: Flow,
    /// The effect's number, counted from zero.
    pub effect: usize,
    /// `None`: the effect succeeds, but all other actors run before it.
    pub fault: Option<Fault>,
}

/// An injection that broke an invariant.
#[derive(Debug)]
pub struct BrokenFlow {
    pub injection: Injection,
    pub violation: Violation,
}

impl Injection {
    /// The command-line arguments that run it.
    pub fn arguments(&self) -> String {
        let name = |value: Option<PossibleValue>| value.map(|value| value.get_name().to_owned());
        let fault = self.fault.and_then(|fault| name(fault.to_possible_value()));
        let fault = fault.map_or(String::new(), |fault| format!(" --fault {fault}"));
        let flow = name(self.flow.to_possible_value()).unwrap_or_default();
        format!("--flow {flow} --effect {}{fault}", self.effect)
    }
}

/// Runs a flow once for each fault at each of its effects, and once for each effect with all other
/// actors running before it. Redelivery and reconciliation follow every run. Returns the number of
/// runs.
pub fn inject_everywhere(flow: Flow) -> Result<usize, Box<BrokenFlow>> {
    let mut runs = 0;
    for fault in Fault::value_variants().iter().copied().map(Some).chain([None]) {
        for effect in 0.. {
            let injection = Injection { flow, effect, fault };
            let (reached, verdict) = run(injection, false);
            if verdict.is_err() {
                let again = run(injection, true).1;
                let violation = again.expect_err("the same injection is the same run");
                return Err(Box::new(BrokenFlow { injection, violation }));
            }
            runs += 1;
            if !reached {
                break;
            }
        }
    }
    Ok(runs)
}

/// Runs a flow with one injection.
pub fn inject(injection: Injection) -> Result<(), Violation> {
    run(injection, true).1
}

/// Returns whether the flow has that effect, and the verdict.
fn run(injection: Injection, keep_history: bool) -> (bool, Result<(), Violation>) {
    reproduce::begin(injection.arguments());
    let Injection { flow, effect, fault } = injection;
    let io = Io::new(crate::run::world(), 0, keep_history || flow.reads_history());
    io.interleave(false);
    let mut run = Run::with(io, flow.choices(), flow.opinion());
    let id = run.set_up(flow);
    run.io
        .set_plan(fault.map_or(FaultPlan::Overtaken(effect), |fault| FaultPlan::At(effect, fault)));
    if fault.is_none() {
        run.io.world(World::duplicate_next_delivery);
    }
    run.act(flow, id);
    let reached = run.io.effects() > effect;
    run.calm();
    // If the acknowledgement never arrives, only a note tells us later that the change was refused.
    // The fault may have hit that note.
    if !(reached && matches!(flow, Flow::RejectByAnswer | Flow::RejectThenChange)) {
        run.check_every_refusal_is_recorded();
    }
    reproduce::end();
    (reached, run.verdict().map(drop))
}
