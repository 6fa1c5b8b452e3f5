//! How operations begin and end, and what they do to the subscription.

use super::clock::Timer;
use super::operation::{
    Action, CONFLICT, FAILED, IN_PROGRESS, NOT_STARTED, OperationState, PARTNER, SUCCEEDED,
};
use super::subscription::{PENDING_FULFILLMENT_START, SUBSCRIBED, SubscriptionState, UNSUBSCRIBED};
use super::{World, time};
use uuid::Uuid;

impl World {
    // Each of these is one field of the new operation; a struct of them would be the operation itself.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn open_operation(
        &mut self,
        id: Uuid,
        state: &SubscriptionState,
        action: Action,
        plan: &str,
        quantity: Option<u32>,
        source: &'static str,
        status: &'static str,
    ) {
        let operation = OperationState {
            id,
            activity_id: self.ids.uuid(),
            subscription_id: state.id,
            publisher_id: state.publisher_id.clone(),
            offer_id: state.offer_id.clone(),
            plan_id: plan.to_owned(),
            quantity,
            action,
            time_stamp: self.now,
            status,
            source,
            error_message: String::new(),
            notified_at: None,
            settled_at: (status == SUCCEEDED).then_some(self.now),
        };
        let is_pending = operation.is_pending();
        self.operation_places.insert(id, self.operations.len());
        self.operations.push(operation);
        if let Some(held) = self.held_mut(state.id) {
            held.operations.push(id);
            if is_pending {
                held.pending = Some(id);
            }
        }
    }

    /// An operation the publisher asked for: it stays `NotStarted` for a moment (F-CHP-6).
    pub(super) fn open_partner_operation(
        &mut self,
        id: Uuid,
        state: &SubscriptionState,
        action: Action,
        plan: &str,
        quantity: Option<u32>,
    ) {
        self.open_operation(id, state, action, plan, quantity, PARTNER, NOT_STARTED);
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
        self.notify(id);
    }

    /// The operation is accepted: its effect is applied.
    pub(super) fn succeed(&mut self, id: Uuid) {
        let Some(operation) = self.find_operation(id).cloned() else {
            return;
        };
        let subscription = operation.subscription_id;
        match &operation.action {
            Action::ChangePlan => {
                let unit = self.plan(
                    operation.offer_id.strip_suffix("-preview").unwrap_or(&operation.offer_id),
                    &operation.plan_id,
                );
                let unit = unit.map(|plan| plan.term_unit.clone());
                let today = time::day(self.now);
                self.amend(subscription, |state| {
                    if state.plan_id == operation.plan_id {
                        return;
                    }
                    state.plan_id.clone_from(&operation.plan_id);
                    // A plan with another term begins its own.
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
            Action::Reinstate => {
                let today = time::day(self.now);
                self.amend(subscription, |state| {
                    state.status = SUBSCRIBED;
                    state.suspended_at = None;
                    if state.term_end.is_none_or(|last_day| last_day < today) {
                        state.begin_term(today);
                    }
                });
                self.set_term_timer(subscription);
            }
            Action::Subscribe
            | Action::Renew
            | Action::Suspend
            | Action::Unsubscribe
            | Action::Other(_) => {}
        }
        self.close(id, SUCCEEDED, "");
    }

    /// The operation is refused, or was never accepted: nothing changes.
    pub(super) fn fail(&mut self, id: Uuid, message: &str) {
        self.close(id, FAILED, message);
    }

    /// The operation ends because its value is the present one already (F-OP-2).
    pub fn end_in_conflict(&mut self, id: Uuid) {
        self.close(id, CONFLICT, "The requested value is the present one.");
    }

    pub(super) fn fail_pending(&mut self, subscription: Uuid, message: &str) {
        if let Some(pending) = self.held(subscription).and_then(|held| held.pending) {
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
        if let Some(held) = self.held_mut(subscription)
            && held.pending == Some(id)
        {
            held.pending = None;
        }
    }

    /// An accepted activation takes effect: the term begins (F-ACT-6), or all ends (F-ACT-3).
    pub(super) fn complete_activation(&mut self, id: Uuid) {
        let Some(state) = self.find_subscription(id) else {
            return;
        };
        if state.status != PENDING_FULFILLMENT_START {
            return;
        }
        if state.activation_fails {
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
