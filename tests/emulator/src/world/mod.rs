//! Microsoft's side as one plain value: subscriptions, operations, the clock, what is due and what goes wrong.
//!
//! Nothing in here does I/O, reads a clock or starts a task, so the same seed and the same calls give the same
//! run. The HTTP face, the delivery of webhooks and a simulation all drive this one struct.

mod api;
mod catalog;
mod clock;
mod faults;
mod identity;
mod ids;
mod lifecycle;
mod log;
mod marketplace;
mod operation;
mod people;
mod post;
mod settle;
mod subscription;
pub(crate) mod time;

pub use api::{Answer, ApiRequest, Outcome, Reply};
pub use catalog::{Offer, Plan, Purchase};
pub use faults::{Call, ErrorForm, Fault, FaultKind, Faults, Times};
pub use ids::Seeded;
pub use lifecycle::Refused;
pub use log::{CallRecord, Direction};
pub use operation::{
    AZURE, Action, CONFLICT, FAILED, IN_PROGRESS, NOT_STARTED, OperationState, PARTNER, SUCCEEDED,
};
pub use people::{
    CONTOSO_TENANT, NORTHWIND_TENANT, PERSONAL_TENANT, Person, RESELLER_TENANT, STRANGER_TENANT,
};
pub use post::{Delivery, DeliveryOutcome, Dispatch};
pub use subscription::{
    PENDING_FULFILLMENT_START, SUBSCRIBED, SUSPENDED, SubscriptionState, UNSUBSCRIBED,
};

use crate::entra::Entra;
use crate::settings::Settings;
use clock::Timer;
use jiff::Timestamp;
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;
use uuid::Uuid;

/// The whole of Microsoft's side.
#[derive(Debug)]
pub struct World {
    settings: Settings,
    entra: Entra,
    now: Timestamp,
    // How far `advance` has moved a live world ahead of the system's clock.
    ahead: Duration,
    ids: Seeded,
    offers: Vec<Offer>,
    // In order of purchase, which is the order of the list. The maps are only looked into, never walked.
    subscriptions: Vec<Subscription>,
    subscription_places: HashMap<Uuid, usize>,
    operations: Vec<OperationState>,
    operation_places: HashMap<Uuid, usize>,
    tokens: HashMap<String, (Uuid, Timestamp)>,
    timers: BTreeSet<(Timestamp, u64, Timer)>,
    timers_set: u64,
    post: post::Post,
    faults: Faults,
    log: log::CallLog,
}

/// A subscription with its past.
#[derive(Debug)]
struct Subscription {
    // Never empty; the last is the present one.
    versions: Vec<(Timestamp, SubscriptionState)>,
    // The operation that locks it (F-CHP-8, F-CAN-4).
    pending: Option<Uuid>,
    operations: Vec<Uuid>,
}

impl Subscription {
    fn state(&self) -> &SubscriptionState {
        &self.versions.last().expect("a subscription begins with one version").1
    }

    /// The state at an earlier moment; `None` before the purchase.
    fn state_at(&self, at: Timestamp) -> Option<&SubscriptionState> {
        self.versions.iter().rev().find(|(since, _)| *since <= at).map(|(_, state)| state)
    }
}

impl World {
    /// A world without purchases.
    pub fn new(settings: Settings) -> Self {
        Self {
            entra: Entra::new(&settings),
            now: settings.start,
            ahead: Duration::ZERO,
            ids: Seeded::new(settings.seed),
            offers: catalog::default_offers(),
            subscriptions: Vec::new(),
            subscription_places: HashMap::new(),
            operations: Vec::new(),
            operation_places: HashMap::new(),
            tokens: HashMap::new(),
            timers: BTreeSet::new(),
            timers_set: 0,
            post: post::Post::default(),
            faults: Faults::default(),
            log: log::CallLog::default(),
            settings,
        }
    }

    /// What the run was told.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Behaviour, oddities and addresses can be changed while it runs; identities and keys cannot.
    pub fn settings_mut(&mut self) -> &mut Settings {
        &mut self.settings
    }

    /// Entra's part of the world.
    pub fn entra(&mut self) -> &mut Entra {
        &mut self.entra
    }

    /// The faults that wait to strike.
    pub fn faults_mut(&mut self) -> &mut Faults {
        &mut self.faults
    }

    /// Every call so far, the oldest first.
    pub fn calls(&self) -> &[CallRecord] {
        self.log.calls()
    }

    /// Forgets the calls so far; their numbers go on.
    pub fn clear_calls(&mut self) {
        self.log.clear();
    }

    /// What is for sale.
    pub fn offers(&self) -> &[Offer] {
        &self.offers
    }

    /// What is for sale, to be changed.
    pub fn offers_mut(&mut self) -> &mut Vec<Offer> {
        &mut self.offers
    }

    /// The subscription as it is now.
    ///
    /// # Panics
    /// When there is no such subscription.
    pub fn subscription(&self, id: Uuid) -> SubscriptionState {
        self.find_subscription(id).expect("the subscription was bought in this world")
    }

    /// Every state a subscription has been in, the oldest first.
    pub fn history(&self, id: Uuid) -> impl Iterator<Item = &SubscriptionState> {
        self.held(id).into_iter().flat_map(|held| held.versions.iter().map(|(_, state)| state))
    }

    /// The subscription as it is now, if there is one.
    pub fn find_subscription(&self, id: Uuid) -> Option<SubscriptionState> {
        self.held(id).map(|held| held.state().clone())
    }

    /// Every subscription, in order of purchase.
    pub fn subscriptions(&self) -> impl DoubleEndedIterator<Item = &SubscriptionState> {
        self.subscriptions.iter().map(Subscription::state)
    }

    /// The operation as it is now.
    ///
    /// # Panics
    /// When there is no such operation.
    pub fn operation(&self, id: Uuid) -> OperationState {
        self.find_operation(id).cloned().expect("the operation was begun in this world")
    }

    /// The operation, if there is one.
    pub fn find_operation(&self, id: Uuid) -> Option<&OperationState> {
        self.operation_places.get(&id).map(|place| &self.operations[*place])
    }

    /// Every operation of a subscription, the oldest first.
    pub fn operations(&self, subscription: Uuid) -> Vec<Uuid> {
        self.held(subscription).map(|held| held.operations.clone()).unwrap_or_default()
    }

    /// The operations that wait for the publisher (F-OPL-1).
    pub fn outstanding(&self, subscription: Uuid) -> Vec<Uuid> {
        let waits = |id: &Uuid| {
            self.find_operation(*id).is_some_and(|operation| operation.status == IN_PROGRESS)
        };
        self.operations(subscription).into_iter().filter(waits).collect()
    }

    fn held(&self, id: Uuid) -> Option<&Subscription> {
        self.subscription_places.get(&id).map(|place| &self.subscriptions[*place])
    }

    fn held_mut(&mut self, id: Uuid) -> Option<&mut Subscription> {
        self.subscription_places.get(&id).map(|place| &mut self.subscriptions[*place])
    }

    fn operation_mut(&mut self, id: Uuid) -> Option<&mut OperationState> {
        self.operation_places.get(&id).map(|place| &mut self.operations[*place])
    }

    /// The subscription as a read shows it, which may be a while ago.
    fn readable(&self, held: &Subscription) -> Option<SubscriptionState> {
        match self.settings.behaviour.stale_reads {
            None => Some(held.state().clone()),
            Some(age) => held.state_at(time::before(self.now, age)).cloned(),
        }
    }

    /// A new version of a subscription.
    fn amend(&mut self, id: Uuid, change: impl FnOnce(&mut SubscriptionState)) {
        let now = self.now;
        if let Some(held) = self.held_mut(id) {
            let mut state = held.state().clone();
            change(&mut state);
            state.last_modified = now;
            held.versions.push((now, state));
        }
    }

    fn plan(&self, offer: &str, plan: &str) -> Option<&Plan> {
        self.offers
            .iter()
            .find(|known| known.id == offer)?
            .plans
            .iter()
            .find(|known| known.id == plan)
    }
}
