//! Delivers every event to the publisher's product at least once, and the events of a subscription
//! in order. It retries until the product has accepted an event.
//!
//! An entry of the table's stream only names a subscription. The events themselves are read from
//! the table, where they stay. A sweep finds the events that the stream lost and those whose next
//! attempt is due. Each subscription has its own cursors, so one that fails holds up no other.

mod answer_text;
mod attempts;
mod back_off;
mod catch_up;
mod deliver;
mod endpoint;
mod event_bus;
mod pace;
mod receiver;
mod silence;
mod states;
mod stream;
mod summary;
mod sweep;

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use jiff::{SignedDuration, Timestamp};
use shared::config::{self, DeliverySettings, Dependencies};
use shared::domain::SubscriptionId;
use shared::flows::noting::Noting;
use shared::host::clock::{Clock, SystemClock};
use shared::host::environment::{ConfigError, Environment};
use shared::host::{correlation, deadline};
use shared::publisher::receiver::ReceiverSettings;
use shared::store::{AnnotationStore, Outbox, Receivers, Store, StoreError, Target};
use tracing::field::Empty;
use tracing::{error, info_span};

use attempts::AttemptLog;
use deliver::Attempted;
use endpoint::Endpoint;
use event_bus::EventBus;
use pace::Pace;
use receiver::Receiver;
use silence::Silence;
use states::States;
pub use stream::{Failed, Failures, Records};
pub use summary::Report;

/// The function starts no request later than this after its own start. The last one then ends, and
/// is recorded, within the function's timeout.
const SEND_BUDGET: SignedDuration = SignedDuration::from_secs(30);

/// How long an invocation by the stream waits for a receiver with a rate limit. The sweep waits longer. If
/// this were longer, a burst of events would hold the stream up until Lambda gives its records up.
const STREAM_PATIENCE: SignedDuration = SignedDuration::from_secs(1);

/// No request lasts longer than this after the function's start.
const REQUEST_DEADLINE: SignedDuration = SignedDuration::from_secs(50);

/// How many subscriptions are delivered concurrently. One that hangs occupies only its own slot.
const MAX_CONCURRENT: usize = 8;

/// How often a process notes that it swept.
const NOTED_EVERY: SignedDuration = SignedDuration::from_mins(5);

pub struct Delivery {
    outlets: Vec<Outlet>,
    receivers: Arc<dyn Receivers>,
    store: Arc<dyn Store>,
    outbox: Arc<dyn Outbox>,
    annotations: Arc<dyn AnnotationStore>,
    attempts: AttemptLog,
    clock: Arc<dyn Clock>,
    source: String,
    park_after: SignedDuration,
    /// `None`: events are sent as fast as the receivers accept them.
    pace: Option<Pace>,
    noting: Noting,
    silence: Silence,
}

/// A receiver, and which events it takes.
struct Outlet {
    settings: ReceiverSettings,
    receiver: Box<dyn Receiver>,
}

impl Outlet {
    fn target(&self) -> Target {
        self.settings.target
    }
}

/// A subscription with events to deliver.
struct Trigger {
    id: SubscriptionId,
    /// The versions known to carry the pending mark.
    pending: BTreeSet<u64>,
    /// When a slot of a receiver with a rate limit begins too late.
    slots_until: Timestamp,
    /// The one receiver that they are delivered to; `None`: to all.
    only: Option<Target>,
}

/// Until when an invocation works.
#[derive(Clone, Copy)]
struct Limits {
    /// No request starts later.
    last_start: Timestamp,
    /// Every request ends by then.
    end: Timestamp,
}

impl Limits {
    fn of(begun: Timestamp) -> Self {
        Self { last_start: begun + SEND_BUDGET, end: begun + REQUEST_DEADLINE }
    }
}

/// How deliveries are started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Driver {
    /// The table's stream starts the function for every new event. The sweep delivers the rest.
    BesideTheStream,
    /// There is no stream. The sweep delivers everything.
    Alone,
}

impl Delivery {
    pub fn from_environment(environment: &Environment) -> Result<Self, ConfigError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let transport = config::transport(&clock);
        let settings = DeliverySettings::require(environment, &transport, clock.clone())?;
        Ok(Self::new(settings, clock))
    }

    /// Delivery in a process that runs other functions, too; `None` if no receiver is
    /// configured.
    pub fn beside(
        environment: &Environment,
        dependencies: &Dependencies,
    ) -> Result<Option<Self>, ConfigError> {
        let Dependencies { transport, clock, .. } = dependencies;
        let settings = DeliverySettings::read(environment, transport, clock.clone())?;
        Ok(settings.map(|settings| Self::new(settings, clock.clone())))
    }

    pub fn new(settings: DeliverySettings, clock: Arc<dyn Clock>) -> Self {
        let DeliverySettings {
            source,
            endpoints,
            event_bus,
            park_after,
            rate_limit,
            store,
            receivers,
            outbox,
            annotations,
            attempts,
            keeps_attempt_text,
            sightings,
        } = settings;
        let mut outlets = Vec::new();
        for endpoint in endpoints {
            let settings = endpoint.receiver.clone();
            let receiver = Box::new(Endpoint::new(endpoint, clock.clone()));
            outlets.push(Outlet { settings, receiver });
        }
        if let Some(event_bus) = event_bus {
            let settings = ReceiverSettings::of_all(Target::EventBus);
            let receiver = Box::new(EventBus::new(event_bus, clock.clone()));
            outlets.push(Outlet { settings, receiver });
        }
        let noting = Noting::new(sightings, clock.clone(), NOTED_EVERY);
        let pace = rate_limit.map(|limit| Pace::new(limit, clock.clone()));
        let silence = Silence::new(clock.clone());
        let attempts = AttemptLog::new(attempts, store.clone(), keeps_attempt_text, clock.clone());
        Self {
            outlets,
            receivers,
            store,
            outbox,
            annotations,
            attempts,
            clock,
            source,
            park_after,
            pace,
            noting,
            silence,
        }
    }

    /// Delivers the events that the table's stream names. An event that a receiver does not accept
    /// is not a failure here: its cursor schedules the next attempt. Only a subscription whose
    /// items can't be read or written is left to the stream's own retry.
    pub async fn stream(&self, records: &Records) -> Failures {
        let begun = self.clock.now();
        let slots_until = begun + STREAM_PATIENCE;
        let triggers = records.subscriptions();
        let triggers =
            triggers.map(|(id, pending)| Trigger { id, pending, slots_until, only: None });
        let triggers: Vec<_> = triggers.collect();
        let ids = triggers.iter().map(|trigger| trigger.id).collect();
        let span = info_span!("delivery", correlation_id = Empty);
        let work = async {
            let limits = Limits::of(begun);
            match deadline::with_deadline(limits.end, self.states()).await {
                Ok(states) => self.deliver_all(triggers, &states, limits).await.failed,
                Err(error) => {
                    error!(
                        %error, class = error.class().name(),
                        "could not read the states of the receivers; the events stay due"
                    );
                    ids
                }
            }
        };
        let failed = correlation::in_span(self.clock.new_id(), span, work).await;
        records.failures(&failed)
    }

    /// Delivers what is due: failed events whose pause is over, events whose redelivery was requested,
    /// and events that the stream lost.
    pub async fn sweep(&self, driver: Driver) -> Result<Report, StoreError> {
        let span = info_span!("delivery", correlation_id = Empty);
        let work = async {
            self.sweep_all(driver).await.inspect_err(|error| {
                error!(
                    %error, class = error.class().name(),
                    "could not read which events are due; they stay due"
                );
            })
        };
        correlation::in_span(self.clock.new_id(), span, work).await
    }

    /// Delivers the events of each subscription, up to [`MAX_CONCURRENT`] at a time.
    async fn deliver_all(&self, triggers: Vec<Trigger>, states: &States, limits: Limits) -> Done {
        let mut done = Done::default();
        let mut in_flight = FuturesUnordered::new();
        for trigger in triggers {
            // A receiver with a rate limit leaves many of them when the time is over.
            if self.is_over(limits) {
                done.cut_short += 1;
                continue;
            }
            if in_flight.len() >= MAX_CONCURRENT
                && let Some(one) = in_flight.next().await
            {
                done.add(one);
            }
            in_flight.push(async move {
                let delivered = self.deliver(&trigger, states, limits);
                (trigger.id, deadline::with_deadline(limits.end, delivered).await)
            });
        }
        while let Some(one) = in_flight.next().await {
            done.add(one);
        }
        done
    }

    /// Whether it is too late to start another request.
    fn is_over(&self, limits: Limits) -> bool {
        self.clock.now() >= limits.last_start
    }
}

/// The result for many subscriptions.
#[derive(Default)]
struct Done {
    delivered: u64,
    refused: u64,
    cut_short: u64,
    failed: BTreeSet<SubscriptionId>,
    /// Whether the table failed, so that another attempt may succeed.
    is_table_away: bool,
}

impl Done {
    fn add(&mut self, (id, one): (SubscriptionId, Result<Attempted, StoreError>)) {
        match one {
            Ok(Attempted { delivered, refused, is_cut_short }) => {
                self.delivered += delivered;
                self.refused += refused;
                self.cut_short += u64::from(is_cut_short);
            }
            Err(error) => {
                error!(
                    subscription.id = %id, %error, class = error.class().name(),
                    "could not deliver events; they stay due"
                );
                self.failed.insert(id);
                self.is_table_away |= !matches!(error, StoreError::Corrupt { .. });
            }
        }
    }
}
