//! How Microsoft sends webhooks, retries them and gives up (6.1).

use super::operation::Action;
use super::state::World;
use super::subscription::SubscriptionState;
use super::time;
use super::timer::Timer;
use super::way;
use super::webhook_queue::{Delivery, DeliveryOutcome, Dispatch};
use super::words::IN_PROGRESS;
use crate::settings::WebhookForm;
use http::{HeaderMap, HeaderValue, header};
use jiff::Timestamp;
use uuid::Uuid;

impl World {
    /// The webhooks that the publisher has not received yet, in sending order.
    pub fn deliveries(&self) -> &[Delivery] {
        &self.webhooks.deliveries
    }

    /// Sends the next webhook twice (F-WHD-5).
    pub fn duplicate_next_delivery(&mut self) {
        self.webhooks.duplicate_next = true;
    }

    /// Sends the waiting webhooks in the opposite order (F-WHD-5).
    pub fn reverse_pending(&mut self) {
        self.webhooks.deliveries.reverse();
    }

    /// Sends no webhook of this operation until [`World::release`].
    pub fn hold(&mut self, operation: Uuid) {
        self.webhooks.on_hold.insert(operation);
    }

    /// Ends [`World::hold`].
    pub fn release(&mut self, operation: Uuid) {
        self.webhooks.on_hold.remove(&operation);
    }

    /// Sends every due webhook to a receiver that is not the publisher. Microsoft considers it
    /// delivered and does not retry.
    pub fn lose_deliveries(&mut self) {
        for dispatch in self.take_due_deliveries() {
            self.webhooks.deliveries.retain(|delivery| delivery.number != dispatch.number);
        }
    }

    /// When the next webhook is due; now or earlier if one is due already.
    pub fn next_delivery_due(&self) -> Option<Timestamp> {
        self.webhooks.next_due()
    }

    /// The webhooks to be sent now. Marks them as in flight, so that each is sent only once.
    pub fn take_due_deliveries(&mut self) -> Vec<Dispatch> {
        self.run_due();
        let mut dispatches = Vec::new();
        for number in self.webhooks.due(self.now) {
            dispatches.extend(self.dispatch(number));
            if std::mem::take(&mut self.webhooks.duplicate_next) {
                let copy = self.webhooks.duplicate(number);
                dispatches.extend(copy.and_then(|number| self.dispatch(number)));
            }
        }
        dispatches
    }

    fn dispatch(&mut self, number: u64) -> Option<Dispatch> {
        let now = self.now;
        let place = self.webhooks.place_of(number)?;
        let delivery = &mut self.webhooks.deliveries[place];
        delivery.in_flight = true;
        delivery.attempts += 1;
        delivery.first_attempt.get_or_insert(now);
        let (operation, attempt) = (delivery.operation, delivery.attempts);
        // The time to refuse counts from the notification (F-WHA-10).
        if self.open_window(operation) {
            self.webhooks.deliveries[place].opened_window = true;
        }
        let delivery = self.webhooks.deliveries[place].clone();
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

    /// An operation's signed webhook. Does not send it, and changes nothing but the next ids.
    pub fn webhook_request(&mut self, operation: Uuid) -> Option<(HeaderMap, Vec<u8>)> {
        self.run_due();
        let body = self.webhooks.body_of(operation)?.to_string().into_bytes();
        Some((self.webhook_headers(), body))
    }

    /// Takes the publisher's status, or `None` if no answer came.
    ///
    /// A 2xx acknowledges the webhook. A 4xx refuses a change while the publisher can refuse it
    /// (F-WHA-3), and ends the delivery in any case. Microsoft retries after everything else
    /// (F-WHD-4).
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
        let Some(place) = self.webhooks.place_of(dispatch.number) else {
            return outcome;
        };
        self.webhooks.deliveries[place].in_flight = false;
        match status {
            Some(200..=299) => {
                self.webhooks.deliveries.remove(place);
                if dispatch.action == Action::Reinstate
                    && self.waits_for_publisher(dispatch.operation)
                {
                    self.succeed(dispatch.operation);
                }
            }
            Some(400..=499) => {
                self.webhooks.deliveries.remove(place);
                if dispatch.action.is_change() && self.waits_for_publisher(dispatch.operation) {
                    self.fail(dispatch.operation, "The publisher refused the change.");
                }
            }
            _ => self.retry(place, status.is_none()),
        }
        outcome
    }

    fn retry(&mut self, place: usize, unreached: bool) {
        let behaviour = &self.settings.behaviour;
        let next = time::after(self.now, behaviour.retry_interval);
        let delivery = &mut self.webhooks.deliveries[place];
        let operation = delivery.operation;
        let give_up =
            time::after(delivery.first_attempt.unwrap_or(self.now), behaviour.retry_window);
        delivery.due = next;
        if unreached && std::mem::take(&mut delivery.opened_window) {
            // The publisher was not notified, so its time to refuse has not begun.
            if let Some(operation) = self.operation_mut(operation) {
                operation.notified_at = None;
            }
        }
        if next > give_up {
            self.webhooks.deliveries.remove(place);
            if self.waits_for_publisher(operation) {
                self.fail(operation, "The webhook was never accepted.");
            }
        }
    }

    /// Queues an operation's webhook with the subscription's current state.
    pub(super) fn notify(&mut self, operation: Uuid) {
        if let Some(operation_state) = self.find_operation(operation) {
            let subscription = self.subscription(operation_state.subscription_id);
            self.notify_with(operation, &subscription);
        }
    }

    /// Queues an operation's webhook with this snapshot of the subscription.
    pub(super) fn notify_with(&mut self, operation: Uuid, snapshot: &SubscriptionState) {
        let Some(operation_state) = self.find_operation(operation) else {
            return;
        };
        let form = self.settings.behaviour.webhook_form;
        let body = operation_state.wire_notification(snapshot, form, &self.settings.oddities);
        let action = operation_state.action.clone();
        self.count_if(form == WebhookForm::VeryOld, way::VERY_OLD_BODY);
        self.count_if(matches!(action, Action::Other(_)), way::UNKNOWN_ACTION);
        self.webhooks.add(operation, snapshot.id, action, self.now, body);
    }
}
