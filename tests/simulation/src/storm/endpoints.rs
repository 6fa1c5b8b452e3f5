//! The publisher adds and removes endpoints with names, and pauses receivers.

use std::time::Duration;

use http::Method;
use jiff::{SignedDuration, Timestamp};
use rand::Rng;
use rand::seq::IndexedRandom;
use serde_json::json;
use shared::domain::SubscriptionId;
use shared::store::Target;

use crate::host::{Function, Host};
use crate::product::{Named, Receivers};
use crate::run::{Purpose, Run};

/// How long execution environments may go on with the former settings.
const ROLLOUT: Duration = Duration::from_secs(10 * 60);

impl Run {
    /// The settings name another endpoint, or one less, or let one take more events. Some execution environments
    /// go on without knowing it.
    pub(super) fn change_endpoints(&mut self) {
        if self.choices.receivers != Receivers::Several {
            return;
        }
        let now = self.io.now();
        let widens = self.io.decide(|rng| rng.random_bool(0.4));
        if widens && self.widen_a_filter() {
            let keeps = self.io.decide(|rng| rng.random_bool(0.8));
            if keeps {
                self.roll_out_beside_a_delivery(now + ROLLOUT);
            } else {
                self.publisher.receivers_changed(None);
            }
            return;
        }
        let names =
            self.io.product(|product| product.named.iter().map(Named::target).collect::<Vec<_>>());
        let target = self.io.decide(|rng| *names.choose(rng).expect("there are names"));
        let hours = self.io.decide(|rng| rng.random_bool(0.5).then(|| rng.random_range(1..100)));
        let from = hours.map(|hours| now - SignedDuration::from_hours(hours));
        let is_added = self.io.product(|product| {
            let mut named = product.named.iter_mut();
            let named = named.find(|named| named.target() == target).expect("it is there");
            if named.is_configured {
                named.is_configured = false;
            } else {
                named.add(from);
            }
            named.is_configured
        });
        self.io.count(match (is_added, from) {
            (false, _) => "an endpoint removed",
            (true, None) => "an endpoint added",
            (true, Some(_)) => "an endpoint added from a time",
        });
        self.io.note(|| format!("* {} is configured: {is_added}, from {from:?}", target.name()));
        let keeps = self.io.decide(|rng| rng.random_bool(0.5));
        self.publisher.receivers_changed(keeps.then_some(now + ROLLOUT));
    }

    /// While the stream's delivery is under way with the former settings, the sweep's begins with the new ones.
    /// Each of them goes on for a while, and events are recorded meanwhile.
    fn roll_out_beside_a_delivery(&mut self, until: Timestamp) {
        let known = self.any().filter(|id| self.table.record(SubscriptionId(*id)).is_some());
        let Some(id) = known else { return self.publisher.receivers_changed(Some(until)) };
        let shard = self.shard_of(SubscriptionId(id));
        self.finish();
        // The stream's environment is warm.
        self.record_an_event(id);
        self.deliver_shard(shard);
        self.record_an_event(id);
        self.start_batch(shard, usize::MAX);
        for _ in 0..self.io.decide(|rng| rng.random_range(0..=4)) {
            self.turn();
        }
        self.publisher.receivers_changed(Some(until));
        self.publisher.killed(Host { function: Function::Delivery, environment: 0 });
        self.start_sweep();
        for _ in 0..3 {
            for _ in 0..self.io.decide(|rng| rng.random_range(0..=6)) {
                self.turn();
            }
            self.record_an_event(id);
            self.start_batch(shard, usize::MAX);
        }
        self.finish();
    }

    fn widen_a_filter(&mut self) -> bool {
        let widened = self.io.product(|product| {
            let mut named = product.named.iter_mut().filter(|named| named.is_configured);
            named.find_map(|named| named.widen().then(|| named.target()))
        });
        if let Some(target) = widened {
            self.io.count("a filter widened");
            self.io.note(|| format!("* {} takes more events", target.name()));
        }
        widened.is_some()
    }

    /// An operator pauses a receiver, or resumes it.
    pub(super) fn pause_receiver(&mut self) {
        let targets = self.io.product(|product| product.targets());
        let target = self.io.decide(|rng| *targets.choose(rng).expect("there is a receiver"));
        let resumes = self.io.decide(|rng| rng.random_bool(0.6));
        if resumes { self.resume_receiver(target) } else { self.request_pause(target) }
    }

    fn request_pause(&mut self, target: Target) {
        let body = json!({ "note": "it is being mended" }).to_string();
        self.call_at(Purpose::Manage, Method::POST, &pausing(target, "pause"), &body);
    }

    pub(crate) fn resume_receiver(&mut self, target: Target) {
        self.call_at(Purpose::Manage, Method::POST, &pausing(target, "resume"), "");
    }
}

fn pausing(target: Target, what: &str) -> String {
    format!("/receivers/{}/{what}", target.name())
}
