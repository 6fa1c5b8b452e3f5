//! One seed: a storm, the calm after it, and what must hold.

mod calm;
mod checks;
mod ways;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use delivery::{Driver, Failures};
use emulator::{Action, Dispatch, Settings, World};
use http::{HeaderMap, Method, Request};
use jiff::{SignedDuration, Timestamp};
use rand::Rng;
use uuid::Uuid;

use crate::io::{Io, Turn};
use crate::product::Opinion;
use crate::publisher::{Choices, Function, Publisher};
use crate::running;
use crate::store::MemoryStore;
use crate::stream::{self, Entry};
use crate::tasks::{Ended, Tasks};

/// Nothing is on its way for longer: Microsoft has given up waiting, and its token is old.
const LATEST: SignedDuration = SignedDuration::from_mins(50);

/// How often Entra has a new token. Signing is what takes most of the time: seldom enough that the
/// same tokens serve many seeds, at the price that they are good for longer than they say.
const ISSUING_INTERVAL: Duration = Duration::from_secs(6 * 60 * 60);

/// A seed in which something was that must never be.
#[derive(Debug)]
pub struct Violation {
    /// What.
    pub what: Vec<String>,
    /// What happened until then.
    pub history: Vec<String>,
}

/// What a function under way is for.
#[derive(Clone, Debug)]
pub enum Purpose {
    Visit,
    Confirm(Uuid),
    Deliver(Box<Dispatch>),
    /// A call with a forged token.
    Forged,
    /// A call with Microsoft's own token, caught somewhere, and a body of the catcher's.
    Edited,
    Activate(Uuid),
    Manage,
    /// A change with this key, which may have been sent before.
    Keyed(String),
    Reconcile,
    /// The table's stream has something to tell.
    Tell(Vec<Entry>),
    /// Whatever else is to be told is looked for by the clock.
    Sweep,
}

impl Purpose {
    fn function(&self) -> Function {
        match self {
            Self::Visit | Self::Confirm(_) => Function::Landing,
            Self::Deliver(_) | Self::Forged | Self::Edited => Function::Webhook,
            Self::Activate(_) => Function::Activation,
            Self::Manage | Self::Keyed(_) => Function::Management,
            Self::Reconcile => Function::Reconciliation,
            Self::Tell(_) | Self::Sweep => Function::Delivery,
        }
    }
}

/// A world, a publisher, and what is under way between them.
pub struct Run {
    pub(crate) io: Arc<Io>,
    pub(crate) table: MemoryStore,
    publisher: Publisher,
    tasks: Tasks<Purpose, Outcome>,
    /// Webhooks on their way, to be handed over in any order.
    pub(crate) in_transit: Vec<(Timestamp, Dispatch)>,
    /// Whose button was pressed, by somebody who was told that it worked.
    confirmed: BTreeSet<Uuid>,
    /// Changes whose call was answered with 200.
    received: BTreeSet<Uuid>,
    /// Whose activation anybody asked for at all.
    asked: BTreeSet<Uuid>,
    pub(crate) choices: Choices,
    /// The reconciliation came to the end of the list.
    finished: bool,
    /// What was started last, where it is to be overtaken by the same once more.
    pub(crate) started: Option<(Purpose, Request<Bytes>)>,
}

enum Outcome {
    Status(u16),
    Finished(bool),
    Told(Failures),
    Swept,
}

impl Run {
    /// A calm world without purchases.
    ///
    /// # Panics
    /// Never: the settings are complete.
    pub fn new(seed: u64, keep_history: bool) -> Self {
        let io = Io::new(world(), seed, keep_history);
        io.world(|world| world.entra().set_issuing_interval(ISSUING_INTERVAL));
        io.decide(|rng| io.world(|world| ways::draw(rng, world.settings_mut())));
        io.note(|| {
            io.world(|world| {
                let settings = world.settings();
                format!("{:?} {:?}", settings.behaviour, settings.oddities)
            })
        });
        let (choices, opinion) = io.decide(|rng| {
            let asks = rng.random_ratio(1, 4);
            let choices = Choices {
                rejects: rng.random_ratio(1, 3),
                by_publisher: rng.random_ratio(1, 4),
                asks,
            };
            (choices, asks.then(|| Opinion::Differs(rng.random())))
        });
        Self::with(io, choices, opinion)
    }

    /// The same with chosen settings of the publisher, and a product of that opinion.
    pub fn with(io: Arc<Io>, choices: Choices, opinion: Option<Opinion>) -> Self {
        let table = MemoryStore::default();
        let publisher = Publisher::new(&io, &table, choices);
        io.product(|product| product.opinion = opinion);
        Self {
            io,
            table,
            publisher,
            tasks: Tasks::default(),
            in_transit: Vec::new(),
            confirmed: BTreeSet::new(),
            received: BTreeSet::new(),
            asked: BTreeSet::new(),
            choices,
            finished: false,
            started: None,
        }
    }

    /// How many functions are under way.
    pub fn under_way(&self) -> usize {
        self.tasks.len()
    }

    /// Whether a reconciliation is under way. Two at once would only do the same work twice.
    pub fn reconciles(&self) -> bool {
        self.tasks.purposes().any(|purpose| matches!(purpose, Purpose::Reconcile))
    }

    /// Starts a function.
    pub(crate) fn start(&mut self, purpose: Purpose, request: Request<Bytes>) {
        self.io.note(|| format!("> {}", described(&purpose)));
        match purpose {
            Purpose::Activate(id) => drop(self.asked.insert(id)),
            // The buyer's word is not the publisher's, where that is waited for.
            Purpose::Confirm(id) if !self.choices.by_publisher => drop(self.asked.insert(id)),
            _ => {}
        }
        match purpose.function() {
            Function::Reconciliation => return self.start_slice(purpose),
            Function::Delivery => return self.start_delivery(purpose),
            Function::Landing | Function::Webhook | Function::Activation | Function::Management => {
            }
        }
        if self.io.is_to_be_overtaken() {
            self.started = Some((purpose.clone(), request.clone()));
        }
        let handler = self.publisher.handler(purpose.function());
        let handler = handler.expect("the settings are complete");
        let until = self.until(&purpose);
        self.tasks.start(purpose, until, async move {
            Outcome::Status(handler.handle(request).await.status().as_u16())
        });
    }

    fn start_slice(&mut self, purpose: Purpose) {
        let reconciliation = self.publisher.reconciliation().expect("the settings are complete");
        let until = self.until(&purpose);
        self.tasks.start(purpose, until, async move {
            Outcome::Finished(reconciliation.slice().await.is_ok_and(|report| report.finished))
        });
    }

    fn start_delivery(&mut self, purpose: Purpose) {
        let delivery = self.publisher.delivery();
        let records = match &purpose {
            Purpose::Tell(entries) => Some(stream::records(entries)),
            _ => None,
        };
        let until = self.until(&purpose);
        self.tasks.start(purpose, until, async move {
            match records {
                Some(records) => Outcome::Told(delivery.stream(&records).await),
                None => {
                    // What fails is found by the next one.
                    let _ = delivery.sweep(Driver::BesideTheStream).await;
                    Outcome::Swept
                }
            }
        });
    }

    /// When the host ends a function: the timeouts of the template.
    fn until(&self, purpose: &Purpose) -> Timestamp {
        let seconds = match purpose.function() {
            Function::Webhook => 15,
            Function::Landing => 20,
            Function::Activation | Function::Management => 29,
            Function::Delivery => 60,
            Function::Reconciliation => 300,
        };
        self.io.world(|world| world.now()) + SignedDuration::from_secs(seconds)
    }

    /// The schedule has come round.
    pub(crate) fn start_reconciliation(&mut self) {
        if !self.reconciles() {
            self.start(Purpose::Reconcile, Request::new(Bytes::new()));
        }
    }

    /// The stream hands over up to so many events, one batch after the other, as each shard does.
    pub(crate) fn start_telling(&mut self, most: usize) {
        if self.tasks.purposes().any(|purpose| matches!(purpose, Purpose::Tell(_))) {
            return;
        }
        let entries = self.table.take_stream(most);
        if !entries.is_empty() {
            self.start(Purpose::Tell(entries), Request::default());
        }
    }

    /// The delivery's own schedule has come round.
    pub(crate) fn start_sweep(&mut self) {
        self.start(Purpose::Sweep, Request::default());
    }

    /// Microsoft sends what is due; it arrives when it arrives.
    pub(crate) fn send_due(&mut self) {
        self.io.world(|world| {
            let due = world.take_due_deliveries();
            self.in_transit.extend(due.into_iter().map(|dispatch| (world.now(), dispatch)));
        });
    }

    /// A webhook arrives.
    pub(crate) fn arrive(&mut self, which: usize) {
        let (sent, dispatch) = self.in_transit.swap_remove(which);
        let late = self.io.world(|world| world.now().duration_since(sent) > LATEST);
        if late {
            self.io.world(|world| world.delivery_answered(&dispatch, None));
            return;
        }
        let request = webhook(dispatch.headers.clone(), dispatch.body.clone());
        self.start(Purpose::Deliver(Box::new(dispatch)), request);
    }

    /// One function under way goes on to its next effect, or ends.
    pub(crate) fn turn(&mut self) {
        let tasks = self.tasks.len();
        if tasks == 0 {
            return;
        }
        let which = self.io.decide(|rng| rng.random_range(0..tasks));
        self.turn_of(which);
    }

    /// That function goes on to its next effect, or ends.
    pub(crate) fn turn_of(&mut self, which: usize) {
        let now = self.io.world(|world| world.now());
        let purpose = self.tasks.purposes().nth(which);
        self.io.begin_turn(Turn {
            unproven: matches!(purpose, Some(Purpose::Forged)),
            key: match purpose {
                Some(Purpose::Keyed(key)) => Some(key.clone()),
                _ => None,
            },
        });
        match self.tasks.turn(which, now) {
            None => {}
            Some(Ended::Answered(purpose, outcome)) => self.answered(purpose, &outcome),
            Some(Ended::Killed(purpose)) => self.killed(purpose),
        }
        if self.io.was_overtaken() {
            self.let_others_pass();
        }
        self.only_asked_are_activated();
    }

    fn answered(&mut self, purpose: Purpose, outcome: &Outcome) {
        match outcome {
            Outcome::Status(status) => {
                self.io.note(|| format!("< {} {status}", described(&purpose)))
            }
            Outcome::Told(_) | Outcome::Swept => {
                self.io.note(|| format!("< {}", described(&purpose)));
            }
            Outcome::Finished(finished) => {
                self.io.note(|| format!("< {} finished: {finished}", described(&purpose)));
                self.finished = *finished;
            }
        }
        match (purpose, outcome) {
            (Purpose::Deliver(dispatch), Outcome::Status(status)) => {
                self.check_answer(&dispatch, *status);
                if *status == 200
                    && matches!(dispatch.action, Action::ChangePlan | Action::ChangeQuantity)
                {
                    self.received.insert(dispatch.operation);
                }
                self.io.world(|world| world.delivery_answered(&dispatch, Some(*status)));
            }
            (Purpose::Forged, Outcome::Status(status)) if *status != 401 && *status < 500 => {
                self.io.violate(format!("a forged call was answered with {status}"));
            }
            (Purpose::Tell(entries), Outcome::Told(failures)) => {
                self.table.put_back_to_stream(stream::again(entries, failures));
            }
            (Purpose::Confirm(id), Outcome::Status(200)) if !self.choices.by_publisher => {
                self.confirmed.insert(id);
            }
            (Purpose::Activate(id), Outcome::Status(200 | 202)) => {
                self.confirmed.insert(id);
            }
            _ => {}
        }
    }

    fn killed(&mut self, purpose: Purpose) {
        self.io.note(|| format!("< {} was killed", described(&purpose)));
        if let Purpose::Deliver(dispatch) = &purpose {
            self.io.world(|world| world.delivery_answered(dispatch, None));
        }
        self.publisher.died(purpose.function());
        // Handed over again, until the stream gives it up.
        if let Purpose::Tell(entries) = purpose
            && self.io.decide(|rng| rng.random_ratio(3, 4))
        {
            self.table.put_back_to_stream(entries);
        }
    }

    /// A purchase that activates itself counts as asked for.
    pub(crate) fn activates_itself(&mut self, id: Uuid) {
        self.asked.insert(id);
    }

    /// Everything under way comes to its end.
    pub(crate) fn finish(&mut self) {
        for _ in 0..100_000 {
            if self.tasks.len() == 0 {
                return;
            }
            self.turn();
        }
        self.io.violate(format!("{} functions never ended", self.tasks.len()));
    }

    /// What must never be and was.
    pub fn verdict(&self) -> Result<(), Violation> {
        let what = self.io.violations();
        if what.is_empty() { Ok(()) } else { Err(Violation { what, history: self.io.history() }) }
    }
}

/// Microsoft's side. Its own ids are the same in every run, so that tokens are signed once for all.
pub(crate) fn world() -> World {
    let settings = Settings {
        webhook_url: Some("http://publisher.sim/webhook".to_owned()),
        ..Settings::default()
    };
    let mut world = World::new(settings);
    world.entra().set_authority(crate::transport::ENTRA);
    world
}

/// Runs a seed from its first purchase to the calm.
pub fn simulate(seed: u64, keep_history: bool) -> Result<(), Violation> {
    running::begin(format!("--seed {seed}"));
    let mut run = Run::new(seed, keep_history);
    run.storm();
    run.calm();
    running::end();
    run.verdict()
}

/// What happens in a seed, line by line.
pub fn history(seed: u64) -> Vec<String> {
    let mut run = Run::new(seed, true);
    run.storm();
    run.calm();
    run.io.history()
}

pub(crate) fn webhook(headers: HeaderMap, body: Vec<u8>) -> Request<Bytes> {
    let mut request = Request::new(Bytes::from(body));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = http::Uri::from_static("/webhook");
    *request.headers_mut() = headers;
    request
}

fn described(purpose: &Purpose) -> String {
    match purpose {
        Purpose::Deliver(dispatch) => {
            format!(
                "webhook {} {} attempt {}",
                dispatch.action.as_str(),
                dispatch.operation,
                dispatch.attempt
            )
        }
        Purpose::Tell(entries) => format!("the stream tells of {} events", entries.len()),
        other => format!("{other:?}"),
    }
}
