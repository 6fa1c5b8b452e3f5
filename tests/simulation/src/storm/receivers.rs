//! The receivers of events fail and recover, and the publisher replaces its signing keys.

use std::time::Duration;

use futures_util::FutureExt as _;
use http::Method;
use jiff::Timestamp;
use rand::Rng;
use rand::seq::IndexedRandom;
use shared::domain::{Event, SubscriptionId};
use shared::publisher::cloud_event::CloudEvent;
use shared::store::{Cursor, CursorState, Outbox, Target};
use uuid::Uuid;

use crate::host::{Function, Host};
use crate::product::{BusHealth, Health, Product};
use crate::reached::words;
use crate::run::{Purpose, Run};

impl Run {
    /// One of the receivers becomes healthy or not. The others stay as they are.
    pub(super) fn receiver_health(&mut self) {
        match self.a_target() {
            target @ (Target::Endpoint | Target::Named(_)) => {
                let health = self.io.decide(|rng| {
                    let other = *Health::ALL.choose(rng).expect("there are variants");
                    if rng.random() { Health::Healthy } else { other }
                });
                self.io.count(format!("product: {}", words(health)));
                self.io.note(|| format!("* the product, {}: {health:?}", target.name()));
                self.io.product(|product| product.set_health(target, health));
            }
            Target::EventBus => {
                let health = self.io.decide(|rng| {
                    let other = *BusHealth::ALL.choose(rng).expect("there are variants");
                    if rng.random() { BusHealth::Healthy } else { other }
                });
                self.io.count(format!("bus: {}", words(health)));
                self.io.note(|| format!("* the bus: {health:?}"));
                self.io.product(|product| product.bus.health = health);
            }
        }
    }

    /// One of the configured receivers.
    fn a_target(&self) -> Target {
        let targets = self.io.product(|product| product.targets());
        self.io.decide(|rng| *targets.choose(rng).expect("there is a receiver"))
    }

    /// A receiver fails an event in the middle of a version for so long that the rest of the version
    /// is parked. It goes on failing that type of event until it recovers.
    pub(super) fn fail_inside_a_version(&mut self) {
        let target = self.a_target();
        let Some(kind) = self.type_inside_a_version(target) else { return };
        self.io.note(|| format!("* the {} fails every {kind}", target.name()));
        self.io.product(|product| {
            product.recover();
            product.inbox(target).refuses = Some(kind);
        });
        // Longer than the sweep waits for the stream.
        self.io.world(|world| world.advance(Duration::from_secs(5 * 60)));
        for _ in 0..2 {
            self.start_sweep();
            self.finish();
            let hours = 24 * u64::from(self.choices.park_after_days) + 1;
            self.io.world(|world| world.advance(Duration::from_secs(hours * 60 * 60)));
        }
    }

    /// The type of an event that this receiver has not received yet, and that isn't the first one of
    /// its version.
    fn type_inside_a_version(&self, target: Target) -> Option<String> {
        let ids = self.table.ids();
        let inside = ids.into_iter().flat_map(|id| {
            let cursor = self.cursor(id, target);
            let events = self.table.history(id, cursor.delivered.version.saturating_sub(1));
            events
                .into_iter()
                .filter(move |event| event.index > 0 && event.position() > cursor.delivered)
        });
        let inside: Vec<Event> = inside.collect();
        let event = self.io.decide(|rng| inside.choose(rng))?;
        Some(CloudEvent::new(event, "").kind)
    }

    /// While a sweep retries a subscription's events, another one is recorded, and the stream hands
    /// it to a host whose clock is still before the time of the retry.
    pub(super) fn overtake_a_delivery(&mut self) {
        let Some(id) = self.any().filter(|id| self.table.record(SubscriptionId(*id)).is_some())
        else {
            return;
        };
        let shard = self.shard_of(SubscriptionId(id));
        let stream = Host { function: Function::Delivery, environment: 1 + shard };
        let sweep = Host { environment: 0, ..stream };
        let apart = self.io.skew().of(sweep) - self.io.skew().of(stream);
        if !apart.is_positive() {
            return;
        }
        self.finish();
        self.io.product(Product::fail);
        self.record_an_event(id);
        self.deliver_shard(shard);
        let Some(at) = self.next_attempt(id) else { return };
        // The retry is due by the sweep's clock, and not yet by the other one.
        let pause = (at - self.io.skew().of(sweep)).duration_since(self.io.now()) + apart / 2;
        let Ok(pause) = Duration::try_from(pause) else { return };
        self.io.count("a delivery overtaken by a host whose clock is behind");
        self.io.product(Product::recover);
        self.io.world(|world| world.advance(pause));
        self.start_sweep();
        for _ in 0..self.io.decide(|rng| rng.random_range(4..=12)) {
            self.turn();
        }
        self.record_an_event(id);
        self.deliver_shard(shard);
        self.finish();
    }

    /// Something harmless happens at Microsoft, and the publisher asks for it. What is running waits.
    pub(super) fn record_an_event(&mut self, id: Uuid) {
        let others = self.running();
        // Refused after the end.
        let _ = self.io.world(|world| world.toggle_auto_renew(id));
        self.call(Purpose::Manage, Method::POST, &format!("{id}/observe"), "");
        self.finish_before(others);
    }

    /// The stream hands a shard's events to the delivery. What is running waits.
    pub(super) fn deliver_shard(&mut self, shard: u8) {
        let others = self.running();
        self.start_batch(shard, usize::MAX);
        self.finish_before(others);
    }

    /// When a subscription's events are sent again.
    fn next_attempt(&self, id: Uuid) -> Option<Timestamp> {
        let targets = self.io.product(|product| product.targets());
        let cursors = targets.into_iter().map(|target| self.cursor(SubscriptionId(id), target));
        cursors.into_iter().find_map(|cursor| match cursor.state {
            CursorState::Due { at, .. } => Some(at),
            CursorState::Flowing | CursorState::Parked { .. } => None,
        })
    }

    fn cursor(&self, id: SubscriptionId, target: Target) -> Cursor {
        let cursor = self.table.cursor(id, target).now_or_never();
        cursor.expect("a table in memory never waits").unwrap_or_default()
    }

    /// The publisher takes the next step of replacing its signing keys.
    pub(super) fn rotate_signing_keys(&mut self) {
        if !self.hosting.rotates_keys {
            return;
        }
        let now = self.io.now();
        let keeps_both = self.io.decide(|rng| rng.random());
        if self.io.product(|product| product.keys.proceed(now, keeps_both)) {
            self.io.count("a step of replacing the signing keys");
            self.io.note(|| "* the signing keys change".to_owned());
            self.publisher.redeployed();
        }
    }
}
