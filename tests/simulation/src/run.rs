//! One seed: a storm, the calm after it, and the checks.

mod asks;
mod behaviour;
mod browse;
mod calm;
mod checks;
mod draw;
mod erasing;
mod examined;
mod hosting;
mod outcome;
mod purpose;
mod start;
mod stream;
mod ways;

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use emulator::{Action, Dispatch};
use http::Request;
use jiff::Timestamp;
use memory_store::MemoryStore;
use rand::Rng;
use reconciliation::Report;
use shared::store::Round;
use uuid::Uuid;

use crate::browser::Browser;
use crate::choices::Choices;
use crate::io::{Io, Turn};
use crate::product::{Named, Opinion, Receivers};
use crate::publisher::Publisher;
use crate::reached::Reached;
use crate::reproduce;
use crate::storm::Theme;
use crate::tasks::{Ended, Tasks};

pub(crate) use behaviour::world;
use hosting::Hosting;
use outcome::Outcome;
pub(crate) use purpose::Purpose;
pub(crate) use start::webhook;

/// The broken invariants of a run.
#[derive(Debug)]
pub struct Violation {
    pub what: Vec<String>,
    /// Everything that happened in the run, line by line.
    pub history: Vec<String>,
}

/// A world, a publisher, and the work in progress between them.
pub struct Run {
    pub(crate) io: Arc<Io>,
    pub(crate) table: MemoryStore,
    pub(crate) publisher: Publisher,
    tasks: Tasks<Purpose, Outcome>,
    /// Webhook calls that Microsoft has sent, with the time. They arrive in any order.
    pub(crate) in_transit: Vec<(Timestamp, Dispatch)>,
    /// Purchases whose buyer or publisher was answered that the activation succeeded or is under
    /// way.
    confirmed: BTreeSet<Uuid>,
    /// Changes whose webhook call was answered with 200.
    received: BTreeSet<Uuid>,
    /// Operations whose webhook call was answered with 200 or 400, so that Microsoft calls no more.
    answered: BTreeSet<Uuid>,
    /// Subscriptions whose erasure was answered with 200.
    erased: BTreeSet<Uuid>,
    /// Purchases that we were asked to activate.
    activation_requested: BTreeSet<Uuid>,
    pub(crate) choices: Choices,
    /// What the storm is about, if it is no ordinary one.
    pub(crate) theme: Option<Theme>,
    /// The browsers of the people who visit the landing page, with sign-in on.
    pub(crate) browsers: Vec<Browser>,
    pub(crate) hosting: Hosting,
    /// When Microsoft's reads ceased to be late.
    pub(crate) fresh_since: Timestamp,
    /// Whether the reconciliation runs after the storm.
    reconciles: bool,
    /// The last slice of the reconciliation reached the end of the list.
    finished: bool,
    /// How many subscriptions the reconciliation that is under way has to compare.
    to_examine: usize,
    /// When that one began.
    run_begun: Timestamp,
    /// Since when a page that fails has hidden subscriptions, as far as a slice could meet it.
    pub(crate) hidden_since: Option<Timestamp>,
    /// The last walk through the whole list that the checkpoint claims.
    claimed: Option<Round>,
    /// The last request, if the plan sends it a second time to overtake the first.
    pub(crate) last_request: Option<(Purpose, Request<Bytes>)>,
}

impl Run {
    /// Starts a run with these settings of the publisher and this opinion of the product.
    pub fn with(io: Arc<Io>, choices: Choices, opinion: Option<Opinion>) -> Self {
        let table = MemoryStore::default();
        let publisher = Publisher::new(&io, &table, choices);
        io.product(|product| {
            product.opinion = opinion;
            product.receivers = choices.receivers;
            if choices.receivers == Receivers::Several {
                product.named = Named::all();
            }
        });
        io.set_choices(choices);
        Self {
            io,
            table,
            publisher,
            tasks: Tasks::default(),
            in_transit: Vec::new(),
            confirmed: BTreeSet::new(),
            received: BTreeSet::new(),
            answered: BTreeSet::new(),
            erased: BTreeSet::new(),
            activation_requested: BTreeSet::new(),
            choices,
            browsers: Vec::new(),
            hosting: Hosting::default(),
            fresh_since: Timestamp::default(),
            reconciles: true,
            finished: false,
            to_examine: 0,
            run_begun: Timestamp::default(),
            hidden_since: None,
            claimed: None,
            last_request: None,
            theme: None,
        }
    }

    /// How many functions are running.
    pub fn running(&self) -> usize {
        self.tasks.len()
    }

    /// A random running function continues to its next effect, or ends.
    pub(crate) fn turn(&mut self) {
        let tasks = self.tasks.len();
        if tasks == 0 {
            return;
        }
        let index = self.io.decide(|rng| rng.random_range(0..tasks));
        self.turn_of(index);
    }

    /// This running function continues to its next effect, or ends.
    pub(crate) fn turn_of(&mut self, index: usize) {
        let now = self.io.now();
        let task = self.tasks.number(index).unwrap_or_default();
        let purpose = self.tasks.purposes().nth(index);
        self.io.begin_turn(Turn {
            forged: matches!(purpose, Some(Purpose::Forged)),
            task,
            ask: purpose.and_then(Purpose::ask),
            visit: purpose.and_then(Purpose::visit),
            caller: purpose.map(Purpose::caller).unwrap_or_default(),
            principal: purpose.and_then(Purpose::principal),
            begun: self.tasks.begun(index).unwrap_or_default(),
        });
        let ended = self.tasks.turn(index, now);
        let has_ended = ended.is_some();
        match ended {
            None => {}
            Some(Ended::Answered(purpose, outcome)) => self.answered(purpose, &outcome),
            Some(Ended::Killed(purpose)) => {
                self.io.count(format!("killed: {}", purpose.name()));
                self.killed(purpose);
            }
            Some(Ended::TimedOut(purpose)) => {
                self.io.count(format!("timed out: {}", purpose.name()));
                self.killed(purpose);
            }
        }
        if has_ended {
            self.io.end_deeds(task);
        }
        if self.io.was_overtaken() {
            self.run_others_first();
        }
        self.check_activations_were_requested();
    }

    fn answered(&mut self, purpose: Purpose, outcome: &Outcome) {
        self.io.count(outcome.case(&purpose));
        match outcome {
            Outcome::Answer(answer) => {
                self.io.note(|| format!("< {} {}", purpose.describe(), answer.status().as_u16()));
            }
            Outcome::Stream(_) | Outcome::Sweep => {
                self.io.note(|| format!("< {}", purpose.describe()));
            }
            Outcome::Slice(Report { finished, full_round, examined, .. }) => {
                self.io.note(|| format!("< {} finished: {finished}", purpose.describe()));
                self.finished = *finished;
                if *full_round {
                    self.check_all_examined(*examined);
                }
                self.check_round();
            }
        }
        let status = match outcome {
            Outcome::Answer(answer) => answer.status().as_u16(),
            Outcome::Slice(_) | Outcome::Stream(_) | Outcome::Sweep => 0,
        };
        match (purpose, outcome) {
            (Purpose::Deliver(dispatch), Outcome::Answer(_)) => {
                if dispatch.attempt > 1 {
                    self.io.count(format!("webhook, repeated: {status}"));
                }
                self.check_webhook_answer(&dispatch, status);
                if matches!(status, 200 | 400) {
                    self.answered.insert(dispatch.operation);
                }
                if status == 200
                    && matches!(dispatch.action, Action::ChangePlan | Action::ChangeQuantity)
                {
                    self.received.insert(dispatch.operation);
                }
                self.io.world(|world| world.delivery_answered(&dispatch, Some(status)));
                if status == 200 {
                    self.check_call_shows(&dispatch);
                }
            }
            (Purpose::Browse(visit), Outcome::Answer(answer)) => {
                self.visit_answered(&visit, answer);
            }
            (Purpose::Erase(id), _) if status == 200 => self.check_erased(id),
            (Purpose::Ask(ask), Outcome::Answer(answer)) => self.check_ask_answer(&ask, answer),
            (Purpose::Forged, Outcome::Answer(_)) if status != 401 && status < 500 => {
                self.io.violate(format!("a forged call was answered with {status}"));
            }
            (Purpose::Stream(batch), Outcome::Stream(failures)) => {
                self.batch_ended(batch, failures);
            }
            (Purpose::Confirm(id), _) if status == 200 && !self.choices.by_publisher => {
                self.confirmed.insert(id);
            }
            (Purpose::Activate(id), _) if matches!(status, 200 | 202) => {
                self.confirmed.insert(id);
                if status == 200 {
                    self.check_is_active(id);
                }
            }
            _ => {}
        }
    }

    fn killed(&mut self, purpose: Purpose) {
        self.io.note(|| format!("< {} was killed", purpose.describe()));
        if let Purpose::Deliver(dispatch) = &purpose {
            self.io.world(|world| world.delivery_answered(dispatch, None));
        }
        self.publisher.killed(purpose.host());
        // Most batches are delivered again; some the stream gives up.
        if let Purpose::Stream(batch) = purpose
            && self.io.decide(|rng| rng.random_ratio(3, 4))
        {
            self.table.put_back_to_stream(batch.entries);
        }
    }

    /// Notes a purchase that Microsoft activates itself.
    pub(crate) fn activated_by_microsoft(&mut self, id: Uuid) {
        self.activation_requested.insert(id);
    }

    /// Runs all functions to their end.
    pub(crate) fn finish(&mut self) {
        for _ in 0..100_000 {
            if self.tasks.len() == 0 {
                return;
            }
            self.turn();
        }
        self.io.violate(format!("{} functions never ended", self.tasks.len()));
    }

    /// What the run reached so far, or the violations as an error.
    pub fn verdict(&self) -> Result<Reached, Violation> {
        let what = self.io.violations();
        if what.is_empty() {
            let mut reached = self.io.reached();
            self.io.world(|world| {
                for (way, times) in world.occurred() {
                    reached.add(format!("way: {way}"), *times);
                }
            });
            Ok(reached)
        } else {
            Err(Violation { what, history: self.io.history() })
        }
    }
}

/// Runs a seed: a storm, the calm after it, and the checks. Returns what the seed reached.
pub fn simulate(seed: u64, keep_history: bool) -> Result<Reached, Violation> {
    reproduce::begin(format!("--seed {seed}"));
    let run = whole(seed, keep_history);
    reproduce::end();
    run.verdict()
}

/// Everything that happens in a seed, line by line.
pub fn history(seed: u64) -> Vec<String> {
    whole(seed, true).io.history()
}

/// A storm, and the calm after it.
fn whole(seed: u64, keep_history: bool) -> Run {
    let mut run = Run::new(seed, keep_history);
    run.storm();
    run.reconciles = run.io.decide(|rng| rng.random_ratio(3, 4));
    run.calm();
    run
}
