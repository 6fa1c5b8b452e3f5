//! How operations begin and end, and what they do to the subscription.

use super::operation::{Action, NewOperation, OperationState};
use super::state::World;
use super::time;
use super::timer::Timer;
use super::way;
use super::words::{
    CONFLICT, FAILED, IN_PROGRESS, PENDING_FULFILLMENT_START, SUBSCRIBED, SUCCEEDED, SUSPENDED,
    UNSUBSCRIBED,
};
use std::time::Duration;
use uuid::Uuid;

impl World {
    pub(super) fn open_operation(&mut self, new: NewOperation<'_>) {
        let operation = OperationState {
            id: new.id,
            activity_id: self.ids.uuid(),
            subscription_id: new.subscription.id,
            publisher_id: new.subscription.publisher_id.clone(),
            offer_id: new.subscription.offer_id.clone(),
            plan_id: new.plan_id,
            quantity: new.quantity,
            action: new.action,
            time_stamp: self.now,
            status: new.status,
            source: new.source,
            error_message: String::new(),
            notified_at: None,
            settled_at: (new.status == SUCCEEDED).then_some(self.now),
        };
        self.add_operation(operation);
    }

    /// Opens an operation that the publisher requested. It stays `NotStarted` for a moment
    /// (F-CHP-6).
    pub(super) fn open_partner_operation(&mut self, new: NewOperation<'_>) {
        let id = new.id;
        self.open_operation(new);
        let start = time::after(self.now, self.settings.behaviour.operation_start_delay);
        self.set_timer(start, Timer::Start(id));
    }

    pub(super) fn start_operation(&mut self, id: Uuid) {
        let Some(operation) = self.find_operation(id).cloned() else {
            return;
        };
        match operation.action {
            Action::Unsubscribe => {
                self.amend(operation.subscription_id, |state| {
                    state.status = UNSUBSCRIBED;
                    state.suspended_at = None;
                    state.activating = false;
                });
                self.close(id, SUCCEEDED, "");
            }
            _ => {
                if let Some(operation) = self.operation_mut(id) {
                    operation.status = IN_PROGRESS;
                }
            }
        }
        let is_late = self.settings.behaviour.operation_start_delay > Duration::ZERO;
        self.count_if(is_late, way::LATE_START);
        self.notify(id);
    }

    /// The publisher has accepted the operation, so it takes effect.
    pub(super) fn succeed(&mut self, id: Uuid) {
        let Some(operation) = self.find_operation(id).cloned() else {
            return;
        };
        let subscription = operation.subscription_id;
        if self.settings.behaviour.conflict_in_force && self.is_in_force(&operation) {
            self.count(way::CONFLICT);
            self.end_in_conflict(id);
            return;
        }
        match &operation.action {
            Action::ChangePlan => {
                let unit = self
                    .find_subscription(subscription)
                    .and_then(|state| self.plan(state.catalog_offer(), &operation.plan_id))
                    .map(|plan| plan.term_unit.clone());
                let today = time::day(self.now);
                self.amend(subscription, |state| {
                    if state.plan_id == operation.plan_id {
                        return;
                    }
                    state.plan_id.clone_from(&operation.plan_id);
                    // A new term begins if the plan has another term unit.
                    if let Some(unit) = unit.filter(|unit| *unit != state.term_unit) {
                        state.term_unit = unit;
                        state.begin_term(today);
                    }
                });
                self.set_term_timer(subscription);
            }
            Action::ChangeQuantity => {
                self.amend(subscription, |state| state.quantity = operation.quantity)
            }
            Action::Reinstate => self.restore(subscription),
            Action::Subscribe
            | Action::Renew
            | Action::Suspend
            | Action::Unsubscribe
            | Action::Other(_) => {}
        }
        self.close(id, SUCCEEDED, "");
    }

    /// Ends a suspension, unless that has happened already.
    pub(super) fn restore(&mut self, id: Uuid) {
        let today = time::day(self.now);
        if self.find_subscription(id).is_none_or(|state| state.status != SUSPENDED) {
            return;
        }
        self.amend(id, |state| {
            state.status = SUBSCRIBED;
            state.suspended_at = None;
            if state.term_end.is_none_or(|last_day| last_day < today) {
                state.begin_term(today);
            }
        });
        self.set_term_timer(id);
    }

    fn is_in_force(&self, operation: &OperationState) -> bool {
        let state = self.find_subscription(operation.subscription_id);
        state.is_some_and(|state| match operation.action {
            Action::ChangePlan => state.plan_id == operation.plan_id,
            Action::ChangeQuantity => state.quantity == operation.quantity,
            _ => false,
        })
    }

    /// The publisher refused the operation or never accepted it, so it takes no effect.
    pub(super) fn fail(&mut self, id: Uuid, message: &str) {
        self.close(id, FAILED, message);
    }

    /// Ends an operation because the subscription has its value already (F-OP-2).
    pub fn end_in_conflict(&mut self, id: Uuid) {
        self.close(id, CONFLICT, "The subscription has this value already.");
    }

    pub(super) fn fail_pending(&mut self, subscription: Uuid, message: &str) {
        if let Some(pending) = self.stored(subscription).and_then(|stored| stored.pending) {
            self.fail(pending, message);
        }
    }

    fn close(&mut self, id: Uuid, status: &'static str, message: &str) {
        let now = self.now;
        let Some(operation) = self.operation_mut(id) else {
            return;
        };
        if !operation.is_pending() {
            return;
        }
        operation.status = status;
        operation.error_message = message.to_owned();
        operation.settled_at = Some(now);
        let subscription = operation.subscription_id;
        if let Some(stored) = self.stored_mut(subscription)
            && stored.pending == Some(id)
        {
            stored.pending = None;
        }
    }

    /// An accepted activation takes effect: the term begins (F-ACT-6), or the subscription ends
    /// (F-ACT-3).
    pub(super) fn complete_activation(&mut self, id: Uuid) {
        let Some(state) = self.find_subscription(id) else {
            return;
        };
        if state.status != PENDING_FULFILLMENT_START {
            return;
        }
        let number = self.subscription_places.get(&id).map_or(0, |place| place + 1);
        let every = self.settings.behaviour.activation_fails_every;
        let is_chosen = every.is_some_and(|every| number.is_multiple_of(every.get()));
        if state.activation_fails || (is_chosen && state.activating) {
            self.count(way::FAILED_ACTIVATION);
            self.end(id);
            return;
        }
        let today = time::day(self.now);
        self.amend(id, |state| {
            state.status = SUBSCRIBED;
            state.activating = false;
            state.begin_term(today);
        });
        self.set_term_timer(id);
    }
}
