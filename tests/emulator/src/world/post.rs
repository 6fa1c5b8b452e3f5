//! Webhooks on their way: queued, sent, retried, given up (6.1).

use super::clock::Timer;
use super::faults::Call;
use super::log::{CallRecord, Direction};
use super::operation::{Action, IN_PROGRESS};
use super::subscription::SubscriptionState;
use super::{World, time};
use http::{HeaderMap, HeaderValue, header};
use jiff::Timestamp;
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

/// A webhook that has not been received yet.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Its place in the run, from 1.
    pub number: u64,
    /// The operation it tells of.
    pub operation: Uuid,
    /// The subscription.
    pub subscription: Uuid,
    /// The action.
    pub action: Action,
    /// When it is to be sent.
    pub due: Timestamp,
    /// How often it was sent.
    pub attempts: u32,
    /// When it was sent first.
    pub first_attempt: Option<Timestamp>,
    body: Value,
    in_flight: bool,
    opened_window: bool,
}

/// A webhook to be sent now. The sender reports the end with [`World::delivery_answered`].
#[derive(Clone, Debug)]
pub struct Dispatch {
    /// The delivery's number.
    pub number: u64,
    /// The operation.
    pub operation: Uuid,
    /// The action.
    pub action: Action,
    /// 1 for the first attempt.
    pub attempt: u32,
    /// Where to.
    pub url: Option<String>,
    /// The headers, the token among them.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

/// How one attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryOutcome {
    /// The operation.
    pub operation: Uuid,
    /// The action.
    pub action: Action,
    /// 1 for the first attempt.
    pub attempt: u32,
    /// The publisher's answer; `None` when there was none.
    pub status: Option<u16>,
}

/// The queue, in sending order.
#[derive(Debug, Default)]
pub(super) struct Post {
    queue: Vec<Delivery>,
    count: u64,
    held: BTreeSet<Uuid>,
    duplicate_next: bool,
    bodies: HashMap<Uuid, Value>,
}

impl World {
    /// The webhooks not received yet, in sending order.
    pub fn deliveries(&self) -> &[Delivery] {
        &self.post.queue
    }

    /// The next webhook to be sent is sent twice (F-WHD-5).
    pub fn duplicate_next_delivery(&mut self) {
        self.post.duplicate_next = true;
    }

    /// What waits is sent in the opposite order (F-WHD-5).
    pub fn reverse_pending(&mut self) {
        self.post.queue.reverse();
    }

    /// An operation's webhook is not sent until [`World::release`].
    pub fn hold(&mut self, operation: Uuid) {
        self.post.held.insert(operation);
    }

    /// Ends [`World::hold`].
    pub fn release(&mut self, operation: Uuid) {
        self.post.held.remove(&operation);
    }

    /// Everything due goes out, is received by something that is not the publisher, and never comes again.
    pub fn lose_deliveries(&mut self) {
        for dispatch in self.take_due_deliveries() {
            self.post.queue.retain(|delivery| delivery.number != dispatch.number);
        }
    }

    /// When the next webhook is to be sent; now or earlier when one is due.
    pub fn next_delivery_due(&self) -> Option<Timestamp> {
        self.post
            .queue
            .iter()
            .filter(|delivery| self.is_sendable(delivery))
            .map(|delivery| delivery.due)
            .min()
    }

    fn is_sendable(&self, delivery: &Delivery) -> bool {
        !delivery.in_flight && !self.post.held.contains(&delivery.operation)
    }

    /// Everything to be sent now, each once, marked as under way.
    pub fn take_due_deliveries(&mut self) -> Vec<Dispatch> {
        self.run_due();
        let due: Vec<u64> = self
            .post
            .queue
            .iter()
            .filter(|delivery| delivery.due <= self.now && self.is_sendable(delivery))
            .map(|delivery| delivery.number)
            .collect();
        let mut dispatches = Vec::new();
        for number in due {
            dispatches.extend(self.dispatch(number));
            if std::mem::take(&mut self.post.duplicate_next) {
                let copy = self.copy_of(number);
                dispatches.extend(copy.and_then(|number| self.dispatch(number)));
            }
        }
        dispatches
    }

    fn copy_of(&mut self, number: u64) -> Option<u64> {
        let place = self.post.queue.iter().position(|delivery| delivery.number == number)?;
        self.post.count += 1;
        let copy = Delivery {
            number: self.post.count,
            attempts: 0,
            first_attempt: None,
            in_flight: false,
            opened_window: false,
            ..self.post.queue[place].clone()
        };
        self.post.queue.insert(place + 1, copy);
        Some(self.post.count)
    }

    fn dispatch(&mut self, number: u64) -> Option<Dispatch> {
        let now = self.now;
        let place = self.post.queue.iter().position(|delivery| delivery.number == number)?;
        let delivery = &mut self.post.queue[place];
        delivery.in_flight = true;
        delivery.attempts += 1;
        delivery.first_attempt.get_or_insert(now);
        let (operation, attempt) = (delivery.operation, delivery.attempts);
        // The window to refuse counts from the notification (F-WHA-10).
        if self.open_window(operation) {
            self.post.queue[place].opened_window = true;
        }
        let delivery = self.post.queue[place].clone();
        Some(Dispatch {
            number,
            operation,
            action: delivery.action,
            attempt,
            url: self.settings.webhook_url.clone(),
            headers: self.webhook_headers(),
            body: delivery.body.to_string().into_bytes(),
        })
    }

    fn open_window(&mut self, id: Uuid) -> bool {
        let (now, window) = (self.now, self.settings.behaviour.acknowledgement_window);
        let Some(operation) = self.operation_mut(id) else {
            return false;
        };
        if operation.status != IN_PROGRESS || operation.notified_at.is_some() {
            return false;
        }
        operation.notified_at = Some(now);
        self.set_timer(time::after(now, window), Timer::Window(id));
        true
    }

    fn webhook_headers(&mut self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let mut put = |name, value: String| {
            headers.insert(
                name,
                HeaderValue::try_from(value).expect("tokens and GUIDs are visible ASCII"),
            );
        };
        put(header::CONTENT_TYPE, "application/json; charset=utf-8".to_owned());
        put(
            header::AUTHORIZATION,
            format!("Bearer {}", self.entra.webhook_token(self.settings.behaviour.webhook_token)),
        );
        put(http::HeaderName::from_static("x-ms-requestid"), self.ids.uuid().to_string());
        put(http::HeaderName::from_static("x-ms-correlationid"), self.ids.uuid().to_string());
        headers
    }

    /// An operation's signed webhook, without sending it or changing anything but the ids.
    pub fn webhook_request(&mut self, operation: Uuid) -> Option<(HeaderMap, Vec<u8>)> {
        self.run_due();
        let body = self.post.bodies.get(&operation)?.to_string().into_bytes();
        Some((self.webhook_headers(), body))
    }

    /// The end of an attempt: the publisher's status, or `None` when no answer came.
    /// 2xx is receipt; 4xx on a change inside the window refuses it (F-WHA-3); other 4xx ends the matter;
    /// everything else is tried again (F-WHD-4).
    pub fn delivery_answered(
        &mut self,
        dispatch: &Dispatch,
        status: Option<u16>,
    ) -> DeliveryOutcome {
        self.log_delivery(dispatch, status);
        let outcome = DeliveryOutcome {
            operation: dispatch.operation,
            action: dispatch.action.clone(),
            attempt: dispatch.attempt,
            status,
        };
        let Some(place) =
            self.post.queue.iter().position(|delivery| delivery.number == dispatch.number)
        else {
            return outcome;
        };
        self.post.queue[place].in_flight = false;
        match status {
            Some(200..=299) => {
                self.post.queue.remove(place);
                if dispatch.action == Action::Reinstate && self.waits(dispatch.operation) {
                    self.succeed(dispatch.operation);
                }
            }
            Some(400..=499) => {
                self.post.queue.remove(place);
                if dispatch.action.is_change() && self.waits(dispatch.operation) {
                    self.fail(dispatch.operation, "The publisher refused the change.");
                }
            }
            _ => self.try_again(place, status.is_none()),
        }
        outcome
    }

    fn waits(&self, operation: Uuid) -> bool {
        self.find_operation(operation).is_some_and(|known| known.status == IN_PROGRESS)
    }

    fn try_again(&mut self, place: usize, unreached: bool) {
        let behaviour = &self.settings.behaviour;
        let next = time::after(self.now, behaviour.retry_interval);
        let delivery = &mut self.post.queue[place];
        let operation = delivery.operation;
        let give_up =
            time::after(delivery.first_attempt.unwrap_or(self.now), behaviour.retry_window);
        delivery.due = next;
        if unreached && std::mem::take(&mut delivery.opened_window) {
            // Nobody was notified, so the window has not begun.
            if let Some(operation) = self.operation_mut(operation) {
                operation.notified_at = None;
            }
        }
        if next > give_up {
            self.post.queue.remove(place);
            if self.waits(operation) {
                self.fail(operation, "The webhook was never accepted.");
            }
        }
    }

    pub(super) fn notify(&mut self, operation: Uuid) {
        if let Some(known) = self.find_operation(operation) {
            let state = self.subscription(known.subscription_id);
            self.notify_with(operation, &state);
        }
    }

    /// Queues an operation's webhook with this snapshot. The body does not change until it is received.
    pub(super) fn notify_with(&mut self, operation: Uuid, snapshot: &SubscriptionState) {
        let Some(known) = self.find_operation(operation) else {
            return;
        };
        let form = self.settings.behaviour.webhook_form;
        let body = known.wire_notification(snapshot, form, &self.settings.oddities);
        let action = known.action.clone();
        self.post.count += 1;
        self.post.bodies.insert(operation, body.clone());
        self.post.queue.push(Delivery {
            number: self.post.count,
            operation,
            subscription: snapshot.id,
            action,
            due: self.now,
            attempts: 0,
            first_attempt: None,
            body,
            in_flight: false,
            opened_window: false,
        });
    }

    fn log_delivery(&mut self, dispatch: &Dispatch, status: Option<u16>) {
        let text = |name: &str| {
            dispatch.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
        };
        let url = dispatch.url.as_deref().and_then(|url| url::Url::parse(url).ok());
        let record = CallRecord {
            number: 0,
            at: self.now,
            direction: Direction::ToPublisher,
            call: Call::Webhook,
            method: "POST".to_owned(),
            path: url
                .map_or_else(|| "(no webhook address)".to_owned(), |url| url.path().to_owned()),
            status,
            request_id: text("x-ms-requestid"),
            correlation_id: text("x-ms-correlationid"),
            request_body: serde_json::from_slice(&dispatch.body).ok(),
            response_body: None,
            summary: format!("{}, attempt {}", dispatch.action.as_str(), dispatch.attempt),
        };
        self.log.add(record, self.settings.behaviour.log_limit);
    }
}
