//! Every fault at every effect of every flow. The effects are counted as the code runs, so that a
//! call added later is covered unasked.

mod flow;

use std::time::Duration;

use clap::ValueEnum;
use clap::builder::PossibleValue;
use emulator::{Action, Call, FaultKind, Purchase, Refused, Times, World};
use http::Method;
use serde_json::json;
use uuid::Uuid;

use crate::io::{Fault, Io, Plan};
use crate::run::{Purpose, Run, Violation, webhook};
use crate::running;
pub use flow::Flow;

/// More turns than any function needs.
const TURNS: usize = 500;

/// How far reads lag behind, where they do.
const LATE: Duration = Duration::from_secs(20);

/// Longer than a sweep leaves new events to the stream.
const LEFT_TO_THE_STREAM: Duration = Duration::from_secs(121);

/// What happens to one effect of a flow.
#[derive(Clone, Copy, Debug)]
pub struct Trouble {
    /// The flow.
    pub flow: Flow,
    /// Its effect, counted from zero.
    pub effect: usize,
    /// What goes wrong with it; `None`: nothing, but everybody else comes first.
    pub fault: Option<Fault>,
}

/// A trouble that broke something.
#[derive(Debug)]
pub struct Broken {
    /// Which.
    pub trouble: Trouble,
    /// What must never be and was.
    pub violation: Violation,
}

impl Trouble {
    /// What it is called on the command line.
    pub fn arguments(&self) -> String {
        let name = |value: Option<PossibleValue>| value.map(|value| value.get_name().to_owned());
        let fault = self.fault.and_then(|fault| name(fault.to_possible_value()));
        let fault = fault.map_or(String::new(), |fault| format!(" --fault {fault}"));
        let flow = name(self.flow.to_possible_value()).unwrap_or_default();
        format!("--flow {flow} --effect {}{fault}", self.effect)
    }
}

/// Runs a flow once for every fault at every of its effects, and once with everybody else coming first
/// there, each followed by redelivery and reconciliation. Returns how many runs that were.
pub fn every_trouble(flow: Flow) -> Result<usize, Box<Broken>> {
    let mut runs = 0;
    for fault in Fault::value_variants().iter().copied().map(Some).chain([None]) {
        for effect in 0.. {
            let trouble = Trouble { flow, effect, fault };
            let (reached, verdict) = run(trouble, false);
            if verdict.is_err() {
                let again = run(trouble, true).1;
                let violation = again.expect_err("the same trouble is the same run");
                return Err(Box::new(Broken { trouble, violation }));
            }
            runs += 1;
            if !reached {
                break;
            }
        }
    }
    Ok(runs)
}

/// Runs a flow with one trouble.
pub fn trouble(trouble: Trouble) -> Result<(), Violation> {
    run(trouble, true).1
}

/// Also whether the flow had that effect.
fn run(trouble: Trouble, keep_history: bool) -> (bool, Result<(), Violation>) {
    running::begin(trouble.arguments());
    let Trouble { flow, effect, fault } = trouble;
    let io = Io::new(crate::run::world(), 0, keep_history || flow.reads_history());
    io.interleave(false);
    let mut run = Run::with(io, flow.choices(), flow.opinion());
    let id = run.set_up(flow);
    run.io.plan(fault.map_or(Plan::Overtaken(effect), |fault| Plan::At(effect, fault)));
    if fault.is_none() {
        run.io.world(World::duplicate_next_delivery);
    }
    run.act(flow, id);
    let reached = run.io.count() > effect;
    run.calm();
    // An answer is all that Microsoft hears there: what became of it may be noted nowhere.
    if flow != Flow::RejectByAnswer {
        run.every_no_is_told();
    }
    running::end();
    (reached, run.verdict())
}

impl Run {
    /// What has to be there before the flow begins.
    fn set_up(&mut self, flow: Flow) -> Uuid {
        let purchase = match flow {
            Flow::Subscribe => Purchase::flat_rate("auto").auto_activated(),
            Flow::ChangePlan
            | Flow::RejectPlan
            | Flow::RejectByAnswer
            | Flow::AskedPlan
            | Flow::EditedPlan
            | Flow::ChangeOfUnknown => Purchase::flat_rate("silver"),
            _ => Purchase::per_seat("team", 10),
        };
        let id = self.io.world(|world| world.purchase(purchase));
        match flow {
            Flow::Visit | Flow::Confirm | Flow::HandOver => {}
            Flow::Subscribe => self.activates_itself(id),
            Flow::Activate => {
                self.press(id);
                self.finish();
            }
            Flow::ChangeOfUnknown | Flow::ReconcileOvertaken => {
                // Activated by another deployment, whose table is not ours.
                self.press(id);
                self.finish();
                self.forget(id);
            }
            _ => {
                self.press(id);
                self.finish();
            }
        }
        match flow {
            Flow::Revert => {
                self.must(|world| world.change_quantity(id, 20));
                self.deliver();
                self.must(|world| world.revert(id));
            }
            Flow::Reinstate | Flow::ReinstateOfUnknown | Flow::Sweep => {
                self.must(|world| world.suspend(id));
                self.deliver();
                // So that nothing settles any more when the flow begins.
                self.world(|world| world.advance(Duration::from_secs(120)));
                self.must(|world| world.reinstate(id));
            }
            Flow::ReinstateOvertaken => {
                self.must(|world| world.suspend(id));
                self.must(|world| world.reinstate(id));
            }
            Flow::ChangePlan
            | Flow::RejectPlan
            | Flow::AskedPlan
            | Flow::EditedPlan
            | Flow::ChangeOfUnknown => {
                self.must(|world| world.change_plan(id, "gold"));
            }
            Flow::RejectByAnswer => {
                self.must(|world| world.change_plan(id, "gold"));
                let (call, kind) = (Call::UpdateOperation, FaultKind::DropBefore);
                let fault = emulator::Fault { call, kind, times: Times::Always };
                self.world(|world| world.faults_mut().add(fault));
            }
            Flow::ReconcileLate => {
                self.world(|world| world.advance(LATE));
                self.must(|world| world.change_quantity(id, 20));
            }
            Flow::ChangeQuantity | Flow::RejectQuantity | Flow::AskedQuantity => {
                self.must(|world| world.change_quantity(id, 20));
            }
            Flow::Renew => self.must(|world| world.renew(id)),
            Flow::Suspend => self.must(|world| world.suspend(id)),
            Flow::Unsubscribe => self.must(|world| world.unsubscribe(id)),
            Flow::Reconcile | Flow::PublisherLooks => {
                self.must(|world| world.suspend(id));
                self.world(|world| world.lose_deliveries());
            }
            _ => {}
        }
        if flow == Flow::ReinstateOfUnknown {
            self.forget(id);
        }
        if flow == Flow::Sweep {
            self.world(|world| world.lose_deliveries());
        }
        id
    }

    /// The flow itself.
    fn act(&mut self, flow: Flow, id: Uuid) {
        match flow {
            Flow::Visit => self.open(id),
            Flow::Confirm | Flow::HandOver => self.press(id),
            Flow::Activate => {
                self.call(Purpose::Activate(id), Method::POST, &format!("{id}/activate"), "")
            }
            Flow::PublisherPlan => self.ask(id, &json!({ "planId": "basic" }).to_string()),
            Flow::PublisherAsksTwice => {
                let body = json!({ "quantity": 20 }).to_string();
                self.ask_with_key(id, "the-same", &body);
                self.finish();
                self.ask_with_key(id, "the-same", &body);
            }
            Flow::PublisherLooks => {
                self.call(Purpose::Manage, Method::POST, &format!("{id}/observe"), "")
            }
            Flow::PublisherQuantity => self.ask(id, &json!({ "quantity": 20 }).to_string()),
            Flow::PublisherCancel => {
                self.call(Purpose::Manage, Method::DELETE, &id.to_string(), "")
            }
            Flow::Reconcile | Flow::Sweep => self.start_reconciliation(),
            Flow::Tell => self.start_telling(usize::MAX),
            Flow::TellLater => {
                drop(self.table.take_stream(usize::MAX));
                self.world(|world| world.advance(LEFT_TO_THE_STREAM));
                self.start_sweep();
            }
            Flow::TellAgain => {
                self.start_telling(usize::MAX);
                self.finish();
                self.redeliver(id, &json!({ "fromVersion": 1 }));
                self.finish();
                self.start_sweep();
            }
            Flow::EditedPlan => {
                self.send_edited(id, &json!({ "action": "ChangePlan", "planId": "platinum" }))
            }
            Flow::ReconcileLate => {
                self.deliver();
                self.world(|world| world.settings_mut().behaviour.stale_reads = Some(LATE));
                self.start_reconciliation();
            }
            Flow::ReconcileOvertaken => {
                self.io.interleave(true);
                self.start_reconciliation();
                self.until_it_has(&["GET /api/saas/subscriptions"]);
                self.must(|world| world.suspend(id));
                self.send_due();
                self.overtake();
            }
            Flow::ReinstateOvertaken => {
                self.io.interleave(true);
                self.send_due();
                self.in_transit.sort_by_key(|(_, dispatch)| dispatch.action != Action::Reinstate);
                self.arrive(0);
                self.until_it_has(&["load with mark", "/operations/", "subscriptions/"]);
                self.overtake();
            }
            _ => {}
        }
        self.finish();
        self.deliver();
    }

    /// The one function under way goes on until it has had these effects, or has ended.
    fn until_it_has(&mut self, effects: &[&str]) {
        let begun = self.io.history().len();
        let has = |run: &Self, effect: &str| {
            run.io.history().iter().skip(begun).any(|line| line.contains(effect))
        };
        while self.under_way() > 0 && !effects.iter().all(|effect| has(self, effect)) {
            self.turn();
        }
    }

    /// While a function waits, everybody else comes first: whoever asks for the same once more, the customer
    /// with the next change, Microsoft with what it has to say, and the delivery's schedule.
    pub(crate) fn let_others_pass(&mut self) {
        let others = self.under_way();
        if let Some((purpose, request)) = self.started.take() {
            match purpose {
                // Microsoft's own second call is on its way.
                Purpose::Deliver(_) => {}
                Purpose::Edited
                | Purpose::Forged
                | Purpose::Visit
                | Purpose::Confirm(_)
                | Purpose::Activate(_)
                | Purpose::Manage
                | Purpose::Keyed(_) => {
                    self.start(purpose, request);
                    self.go_before(others);
                }
                Purpose::Reconcile | Purpose::Tell(_) | Purpose::Sweep => {}
            }
        }
        self.world(|world| {
            let ids: Vec<Uuid> = world.subscriptions().map(|state| state.id).collect();
            for id in ids {
                // Where nothing else is under way, and there are seats.
                let _ = world.change_quantity(id, 33);
            }
        });
        self.send_due();
        // The newest first.
        self.in_transit.reverse();
        if self.in_transit.is_empty() {
            self.repeat_the_last_call();
        }
        self.overtake();
        self.start_sweep();
        self.go_before(self.under_way() - 1);
    }

    /// Microsoft repeats what it said last of each subscription, and nobody heard.
    fn repeat_the_last_call(&mut self) {
        let calls: Vec<_> = self.io.world(|world| {
            let ids: Vec<Uuid> = world.subscriptions().map(|state| state.id).collect();
            let last = ids.into_iter().filter_map(|id| world.operations(id).last().copied());
            last.collect::<Vec<_>>()
                .into_iter()
                .filter_map(|id| world.webhook_request(id))
                .collect()
        });
        for (headers, body) in calls {
            let others = self.under_way();
            self.start(Purpose::Edited, webhook(headers, body));
            self.go_before(others);
        }
    }

    /// Webhooks arrive and are dealt with from beginning to end, while another function waits.
    fn overtake(&mut self) {
        while !self.in_transit.is_empty() {
            let others = self.under_way();
            self.arrive(0);
            self.go_before(others);
        }
        self.io.interleave(false);
    }

    /// The function that was started last comes to its end before the others that were there before. It may
    /// have to wait for one of them, which has the only token.
    fn go_before(&mut self, others: usize) {
        for _ in 0..TURNS {
            if self.under_way() > others {
                self.turn_of(others);
            }
        }
    }

    /// A subscription that this deployment has never heard of.
    fn forget(&mut self, id: Uuid) {
        self.table.forget(id);
        self.io.product(|product| product.forget(id));
    }

    /// The customer or Microsoft does something, and has to be able to.
    fn must<T>(&mut self, act: impl FnOnce(&mut World) -> Result<T, Refused>) {
        drop(self.io.world(act).expect("the flow leads there"));
    }

    fn world(&mut self, act: impl FnOnce(&mut World)) {
        self.io.world(act);
    }

    /// Hands over what is due now, once each.
    fn deliver(&mut self) {
        self.send_due();
        while !self.in_transit.is_empty() {
            self.arrive(0);
            self.finish();
        }
    }

    fn ask(&mut self, id: Uuid, body: &str) {
        self.call(Purpose::Manage, Method::PATCH, &id.to_string(), body);
    }
}
