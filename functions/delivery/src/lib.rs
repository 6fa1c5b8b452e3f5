//! Tells the publisher's product of every event: at least once, in the order of a subscription, until
//! it has taken them.
//!
//! A record of the table's stream only says whose events to look for; the events themselves are read
//! from the table, where they stay. What the stream lost, and what a receiver didn't take, a sweep
//! looks for by the clock. Each subscription goes its own way: one whose events nobody takes holds up
//! no other.

mod back_off;
mod carry;
mod channel;
mod endpoint;
mod event_bus;
mod stream;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use shared::config::{ConfigError, DeliverySettings, Environment};
use shared::deadline::{self, Punctual};
use shared::domain::SubscriptionId;
use shared::outbound::{Https, Transport};
use shared::store::{Due, LEFT_TO_THE_STREAM, Outbox, StoreError};
use shared::system::{RealSystem, System};
use shared::telemetry;
use tracing::field::Empty;
use tracing::{error, info, info_span};

use channel::Channel;
use endpoint::Endpoint;
use event_bus::EventBus;
pub use stream::{Failed, Failures, Records};

/// Nothing is sent later than this after the function began. What is under way then ends, and is
/// noted, within the function's own timeout.
const LAST_SEND: SignedDuration = SignedDuration::from_secs(30);

/// No request outlasts this, counted from the function's beginning.
const DEADLINE: SignedDuration = SignedDuration::from_secs(50);

/// How many subscriptions are carried at once. One that hangs costs the others an eighth.
const AT_ONCE: usize = 8;

/// The delivery.
pub struct Delivery {
    channels: Vec<Box<dyn Channel>>,
    outbox: Arc<dyn Outbox>,
    system: Arc<dyn System>,
    source: String,
    park_after: SignedDuration,
}

/// Whose events are to be carried, and what says so.
struct Wake {
    id: SubscriptionId,
    /// The versions that are known to bear a sign.
    signed: BTreeSet<u64>,
}

/// Who else carries events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Driver {
    /// The table's stream wakes the function as soon as something happens; a sweep looks after what
    /// was left behind.
    BesideTheStream,
    /// Nobody: where there is no stream, the sweep carries everything.
    Alone,
}

/// What a sweep came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Nothing that was due is left but what the next attempt waits for.
    pub finished: bool,
    /// Subscriptions with something due.
    pub subscriptions: u64,
    /// Events that were taken.
    pub delivered: u64,
    /// Subscriptions whose items of the table could not be read or written.
    pub failed: u64,
}

impl Delivery {
    /// The function as its settings describe it.
    pub fn from_environment(environment: &Environment) -> Result<Self, ConfigError> {
        let system: Arc<dyn System> = Arc::new(RealSystem);
        let transport = transport(&system);
        let settings = DeliverySettings::require(environment, &transport, system.clone())?;
        Ok(Self::new(settings, system))
    }

    /// The same beside other functions; `None` where the settings name nobody to tell.
    pub fn beside(
        environment: &Environment,
        system: &Arc<dyn System>,
    ) -> Result<Option<Self>, ConfigError> {
        let settings = DeliverySettings::read(environment, &transport(system), system.clone())?;
        Ok(settings.map(|settings| Self::new(settings, system.clone())))
    }

    /// The function with these settings.
    pub fn new(settings: DeliverySettings, system: Arc<dyn System>) -> Self {
        let DeliverySettings { source, endpoint, event_bus, park_after, outbox } = settings;
        let mut channels: Vec<Box<dyn Channel>> = Vec::new();
        if let Some(endpoint) = endpoint {
            channels.push(Box::new(Endpoint::new(endpoint, system.clone())));
        }
        if let Some(event_bus) = event_bus {
            channels.push(Box::new(EventBus::new(event_bus)));
        }
        Self { channels, outbox, system, source, park_after }
    }

    /// Carries what records of the table's stream tell of. What a receiver doesn't take is noted and
    /// no failure; only what the table couldn't be asked about is tried again by the stream.
    pub async fn stream(&self, records: &Records) -> Failures {
        let begun = self.system.now();
        let wakes = records.subscriptions().map(|(id, versions)| Wake { id, signed: versions });
        let span = info_span!("delivery", correlation_id = Empty);
        let work = self.carry_all(wakes.collect(), begun);
        let done = telemetry::within(self.system.new_id(), span, work).await;
        records.failures(&done.failed)
    }

    /// Carries what is due: what a receiver didn't take before, what somebody asked for again, and
    /// what the stream lost.
    pub async fn sweep(&self, driver: Driver) -> Result<Report, StoreError> {
        let span = info_span!("delivery", correlation_id = Empty);
        telemetry::within(self.system.new_id(), span, self.sweep_all(driver)).await
    }

    async fn sweep_all(&self, driver: Driver) -> Result<Report, StoreError> {
        let begun = self.system.now();
        let by = match driver {
            Driver::BesideTheStream => begun,
            Driver::Alone => begun + LEFT_TO_THE_STREAM,
        };
        let mut report = Report::default();
        let mut next = None;
        loop {
            let page = self.outbox.due(by, next.as_deref()).await?;
            let wakes = self.wakes(page.items);
            report.subscriptions += wakes.len() as u64;
            let done = self.carry_all(wakes, begun).await;
            report.delivered += done.delivered;
            report.failed += done.failed.len() as u64;
            next = page.next;
            if next.is_none() || self.is_over(begun) {
                break;
            }
        }
        report.finished = next.is_none() && !self.is_over(begun);
        info!(
            finished = report.finished,
            subscriptions = report.subscriptions,
            delivered = report.delivered,
            failed = report.failed,
            "swept what was due"
        );
        Ok(report)
    }

    /// What is due, by subscription.
    fn wakes(&self, due: Vec<Due>) -> Vec<Wake> {
        let mut wakes = BTreeMap::<_, BTreeSet<u64>>::new();
        for due in due {
            match due {
                Due::Signed(id, version) => drop(wakes.entry(id).or_default().insert(version)),
                // A target that was given up has no claim.
                Due::Cursor(id, target) if self.tells(target) => drop(wakes.entry(id).or_default()),
                Due::Cursor(..) => {}
            }
        }
        wakes.into_iter().map(|(id, signed)| Wake { id, signed }).collect()
    }

    /// Carries the events of each, some at once.
    async fn carry_all(&self, wakes: Vec<Wake>, begun: Timestamp) -> Done {
        let mut done = Done::default();
        let mut under_way = FuturesUnordered::new();
        for wake in wakes {
            if under_way.len() >= AT_ONCE
                && let Some(one) = under_way.next().await
            {
                done.add(one);
            }
            under_way.push(async move {
                let carried = self.carry(&wake, begun);
                (wake.id, deadline::until(begun + DEADLINE, carried).await)
            });
        }
        while let Some(one) = under_way.next().await {
            done.add(one);
        }
        done
    }

    /// Whether it's too late to send anything.
    fn is_over(&self, begun: Timestamp) -> bool {
        self.system.now().duration_since(begun) >= LAST_SEND
    }
}

/// What came of many subscriptions.
#[derive(Default)]
struct Done {
    delivered: u64,
    failed: BTreeSet<SubscriptionId>,
}

impl Done {
    fn add(&mut self, (id, one): (SubscriptionId, Result<u64, StoreError>)) {
        match one {
            Ok(delivered) => self.delivered += delivered,
            Err(error) => {
                error!(subscription.id = %id, %error, "events could not be carried; they stay due");
                self.failed.insert(id);
            }
        }
    }
}

fn transport(system: &Arc<dyn System>) -> Arc<dyn Transport> {
    Arc::new(Punctual::new(Https::default(), system.clone()))
}
