//! The webhooks that the publisher has not received yet.

use super::operation::Action;
use http::HeaderMap;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

/// A webhook that the publisher has not received yet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Delivery {
    /// Counts the webhooks of a run, from 1.
    pub number: u64,
    pub operation: Uuid,
    pub subscription: Uuid,
    pub action: Action,
    /// When Microsoft sends it next.
    pub due: Timestamp,
    /// How often Microsoft sent it.
    pub attempts: u32,
    pub first_attempt: Option<Timestamp>,
    pub(super) body: Value,
    // What was in flight when a run ended is sent again.
    #[serde(skip)]
    pub(super) in_flight: bool,
    // This delivery started the time in which the publisher can refuse the change.
    pub(super) opened_window: bool,
}

/// A webhook to be sent now. The sender reports the result with `World::delivery_answered`.
#[derive(Clone, Debug)]
pub struct Dispatch {
    /// The [`Delivery`]'s number.
    pub number: u64,
    pub operation: Uuid,
    pub action: Action,
    /// 1 for the first attempt.
    pub attempt: u32,
    pub url: Option<String>,
    /// With the token.
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// How one attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryOutcome {
    pub operation: Uuid,
    pub action: Action,
    /// 1 for the first attempt.
    pub attempt: u32,
    /// The publisher's answer; `None` without one.
    pub status: Option<u16>,
}

/// The deliveries in sending order.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct WebhookQueue {
    pub(super) deliveries: Vec<Delivery>,
    count: u64,
    // Operations whose webhooks stay in the queue.
    pub(super) on_hold: BTreeSet<Uuid>,
    pub(super) duplicate_next: bool,
    // The body of every operation's webhook, also after its delivery.
    bodies: HashMap<Uuid, Value>,
}

impl WebhookQueue {
    /// Adds an operation's webhook. Its body stays the same in all attempts.
    pub(super) fn add(
        &mut self,
        operation: Uuid,
        subscription: Uuid,
        action: Action,
        due: Timestamp,
        body: Value,
    ) {
        self.count += 1;
        self.bodies.insert(operation, body.clone());
        self.deliveries.push(Delivery {
            number: self.count,
            operation,
            subscription,
            action,
            due,
            attempts: 0,
            first_attempt: None,
            body,
            in_flight: false,
            opened_window: false,
        });
    }

    pub(super) fn body_of(&self, operation: Uuid) -> Option<&Value> {
        self.bodies.get(&operation)
    }

    pub(super) fn place_of(&self, number: u64) -> Option<usize> {
        self.deliveries.iter().position(|delivery| delivery.number == number)
    }

    pub(super) fn is_sendable(&self, delivery: &Delivery) -> bool {
        !delivery.in_flight && !self.on_hold.contains(&delivery.operation)
    }

    /// The numbers of the deliveries to be sent now.
    pub(super) fn due(&self, now: Timestamp) -> Vec<u64> {
        self.deliveries
            .iter()
            .filter(|delivery| delivery.due <= now && self.is_sendable(delivery))
            .map(|delivery| delivery.number)
            .collect()
    }

    /// When the next delivery is due.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.deliveries
            .iter()
            .filter(|delivery| self.is_sendable(delivery))
            .map(|delivery| delivery.due)
            .min()
    }

    /// Adds a second delivery of the same webhook right after the first. Returns its number.
    pub(super) fn duplicate(&mut self, number: u64) -> Option<u64> {
        let place = self.place_of(number)?;
        self.count += 1;
        let copy = Delivery {
            number: self.count,
            attempts: 0,
            first_attempt: None,
            in_flight: false,
            opened_window: false,
            ..self.deliveries[place].clone()
        };
        self.deliveries.insert(place + 1, copy);
        Some(self.count)
    }
}
