//! Everything that Microsoft's side holds.

use super::catalog::{self, Offer, Plan};
use super::faults::Faults;
use super::log::CallLog;
use super::operation::OperationState;
use super::subscription::SubscriptionState;
use super::time;
use super::timer::Timer;
use super::webhook_queue::WebhookQueue;
use super::words::IN_PROGRESS;
use crate::entra::Entra;
use crate::seeded::Seeded;
use crate::settings::Settings;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;
use uuid::Uuid;

/// The whole of Microsoft's side.
#[derive(Debug)]
pub struct World {
    pub(super) settings: Settings,
    pub(super) entra: Entra,
    pub(super) now: Timestamp,
    // How far `advance` has moved a live world ahead of the system's clock.
    pub(super) ahead: Duration,
    pub(super) ids: Seeded,
    pub(super) offers: Vec<Offer>,
    // In the order of purchase, which is the order of the list. Iterating over the maps would make
    // a run unrepeatable, so they only serve look-ups.
    pub(super) subscriptions: Vec<StoredSubscription>,
    pub(super) subscription_places: HashMap<Uuid, usize>,
    pub(super) operations: Vec<OperationState>,
    pub(super) operation_places: HashMap<Uuid, usize>,
    // Purchase tokens: the subscription, and when the token was issued.
    pub(super) tokens: HashMap<String, (Uuid, Timestamp)>,
    // The number keeps timers of the same moment in the order in which they were set.
    pub(super) timers: BTreeSet<(Timestamp, u64, Timer)>,
    pub(super) timers_set: u64,
    pub(super) webhooks: WebhookQueue,
    pub(super) faults: Faults,
    pub(super) log: CallLog,
    // How often List was called while its order was unstable.
    pub(super) lists: u64,
    // See `World::occurred`.
    pub(super) occurred: BTreeMap<&'static str, u64>,
}

/// A subscription with its past.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct StoredSubscription {
    // Never empty. The last version is the current one.
    versions: Vec<(Timestamp, SubscriptionState)>,
    // The operation that locks the subscription (F-CHP-8, F-CAN-4).
    pub(super) pending: Option<Uuid>,
    operations: Vec<Uuid>,
}

impl StoredSubscription {
    pub(super) fn state(&self) -> &SubscriptionState {
        &self.versions.last().expect("a subscription begins with one version").1
    }

    /// The state at an earlier moment; `None` before the purchase.
    pub(super) fn state_at(&self, at: Timestamp) -> Option<&SubscriptionState> {
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
            webhooks: WebhookQueue::default(),
            faults: Faults::default(),
            log: CallLog::default(),
            lists: 0,
            occurred: BTreeMap::new(),
            settings,
        }
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Changes take effect at once. Only Entra reads its part when the world starts, and has
    /// setters of its own.
    pub fn settings_mut(&mut self) -> &mut Settings {
        &mut self.settings
    }

    pub fn entra(&mut self) -> &mut Entra {
        &mut self.entra
    }

    pub fn faults_mut(&mut self) -> &mut Faults {
        &mut self.faults
    }

    pub fn offers(&self) -> &[Offer] {
        &self.offers
    }

    pub fn offers_mut(&mut self) -> &mut Vec<Offer> {
        &mut self.offers
    }

    pub(super) fn plan(&self, offer: &str, plan: &str) -> Option<&Plan> {
        self.offers
            .iter()
            .find(|known| known.id == offer)?
            .plans
            .iter()
            .find(|known| known.id == plan)
    }

    /// The subscription's current state.
    ///
    /// # Panics
    /// If there is no such subscription.
    pub fn subscription(&self, id: Uuid) -> SubscriptionState {
        self.find_subscription(id).expect("the subscription was bought in this world")
    }

    pub fn find_subscription(&self, id: Uuid) -> Option<SubscriptionState> {
        self.stored(id).map(|stored| stored.state().clone())
    }

    /// Every state that a subscription has been in, the oldest first.
    pub fn history(&self, id: Uuid) -> impl Iterator<Item = &SubscriptionState> {
        self.stored(id)
            .into_iter()
            .flat_map(|stored| stored.versions.iter().map(|(_, state)| state))
    }

    /// Every subscription's current state, in the order of purchase.
    pub fn subscriptions(&self) -> impl DoubleEndedIterator<Item = &SubscriptionState> {
        self.subscriptions.iter().map(StoredSubscription::state)
    }

    pub(super) fn stored(&self, id: Uuid) -> Option<&StoredSubscription> {
        self.subscription_places.get(&id).map(|place| &self.subscriptions[*place])
    }

    pub(super) fn stored_mut(&mut self, id: Uuid) -> Option<&mut StoredSubscription> {
        self.subscription_places.get(&id).map(|place| &mut self.subscriptions[*place])
    }

    /// The state that a read shows. It is out of date if the settings say so.
    pub(super) fn readable(&self, stored: &StoredSubscription) -> Option<SubscriptionState> {
        self.readable_after(stored, self.settings.behaviour.stale_reads)
    }

    /// The state that the list shows, which may be further behind.
    pub(super) fn listable(&self, stored: &StoredSubscription) -> Option<SubscriptionState> {
        let behaviour = &self.settings.behaviour;
        self.readable_after(stored, behaviour.stale_reads.max(behaviour.stale_list))
    }

    fn readable_after(
        &self,
        stored: &StoredSubscription,
        age: Option<Duration>,
    ) -> Option<SubscriptionState> {
        match age {
            None => Some(stored.state().clone()),
            Some(age) => stored.state_at(time::before(self.now, age)).cloned(),
        }
    }

    pub(super) fn add_subscription(&mut self, state: SubscriptionState) {
        self.subscription_places.insert(state.id, self.subscriptions.len());
        self.subscriptions.push(StoredSubscription {
            versions: vec![(self.now, state)],
            pending: None,
            operations: Vec::new(),
        });
    }

    /// Adds a version to a subscription.
    pub(super) fn amend(&mut self, id: Uuid, change: impl FnOnce(&mut SubscriptionState)) {
        let now = self.now;
        if let Some(stored) = self.stored_mut(id) {
            let mut state = stored.state().clone();
            change(&mut state);
            state.last_modified = now;
            stored.versions.push((now, state));
        }
    }

    /// The operation's current state.
    ///
    /// # Panics
    /// If there is no such operation.
    pub fn operation(&self, id: Uuid) -> OperationState {
        self.find_operation(id).cloned().expect("the operation was begun in this world")
    }

    pub fn find_operation(&self, id: Uuid) -> Option<&OperationState> {
        self.operation_places.get(&id).map(|place| &self.operations[*place])
    }

    pub(super) fn operation_mut(&mut self, id: Uuid) -> Option<&mut OperationState> {
        self.operation_places.get(&id).map(|place| &mut self.operations[*place])
    }

    /// Adds an operation. A pending one locks its subscription.
    pub(super) fn add_operation(&mut self, operation: OperationState) {
        let (id, subscription) = (operation.id, operation.subscription_id);
        let is_pending = operation.is_pending();
        self.operation_places.insert(id, self.operations.len());
        self.operations.push(operation);
        if let Some(stored) = self.stored_mut(subscription) {
            stored.operations.push(id);
            if is_pending {
                stored.pending = Some(id);
            }
        }
    }

    /// The ids of a subscription's operations, the oldest first.
    pub fn operations(&self, subscription: Uuid) -> Vec<Uuid> {
        self.stored(subscription).map(|stored| stored.operations.clone()).unwrap_or_default()
    }

    /// The ids of the operations that wait for the publisher (F-OPL-1).
    pub fn outstanding(&self, subscription: Uuid) -> Vec<Uuid> {
        self.operations(subscription)
            .into_iter()
            .filter(|operation| self.waits_for_publisher(*operation))
            .collect()
    }

    pub(super) fn waits_for_publisher(&self, operation: Uuid) -> bool {
        self.find_operation(operation).is_some_and(|operation| operation.status == IN_PROGRESS)
    }
}
