//! What customers, resellers and Microsoft itself do with a subscription (section 7).

use super::checks::Refused;
use super::operation::{Action, Change, NewOperation};
use super::state::World;
use super::subscription::SubscriptionState;
use super::time;
use super::timer::Timer;
use super::way;
use super::words::{FAILED, PENDING_FULFILLMENT_START, SUBSCRIBED, SUSPENDED, UNSUBSCRIBED};
use uuid::Uuid;

impl World {
    /// The customer chooses another plan. The change waits for the publisher (F-WHA-3).
    pub fn change_plan(&mut self, id: Uuid, plan: &str) -> Result<Uuid, Refused> {
        self.request_change(id, Change::Plan(plan.to_owned()))
    }

    /// The customer chooses another number of seats. The change waits for the publisher (F-WHA-4).
    pub fn change_quantity(&mut self, id: Uuid, quantity: u32) -> Result<Uuid, Refused> {
        self.request_change(id, Change::Quantity(quantity))
    }

    fn request_change(&mut self, id: Uuid, change: Change) -> Result<Uuid, Refused> {
        let state = self.changeable(id, &change)?;
        let operation = self.ids.uuid();
        let request = NewOperation::request(operation, &state, change.action());
        self.open_operation(request.changing(change));
        self.notify(operation);
        Ok(operation)
    }

    /// After a refused change, Microsoft requests a change to the current value (F-WHA-14).
    pub fn revert(&mut self, id: Uuid) -> Result<Uuid, Refused> {
        let state = self.unlocked_and_subscribed(id)?;
        let refused = self
            .operations(id)
            .into_iter()
            .rev()
            .map(|operation| self.operation(operation))
            .find(|operation| operation.status == FAILED && operation.action.is_change())
            .ok_or(Refused::NothingToRevert)?;
        Ok(self.request(&state, refused.action))
    }

    /// The next term begins, paid for (F-LC-7). A trial becomes a paid subscription (F-LC-9).
    pub fn renew(&mut self, id: Uuid) -> Result<Uuid, Refused> {
        self.in_status(id, &[SUBSCRIBED])?;
        Ok(self.begin_next_term(id))
    }

    /// The customer has not paid. The status changes before the publisher gets the webhook
    /// (F-LC-6).
    pub fn suspend(&mut self, id: Uuid) -> Result<Uuid, Refused> {
        self.in_status(id, &[SUBSCRIBED])?;
        self.fail_pending(id, "The subscription was suspended.");
        let now = self.now;
        self.amend(id, |state| {
            state.status = SUSPENDED;
            state.suspended_at = Some(now);
        });
        self.set_timer(
            time::after(now, self.settings.behaviour.suspension_grace),
            Timer::Grace(id),
        );
        Ok(self.report(id, Action::Suspend))
    }

    /// The customer has paid. The subscription stays suspended until the publisher has received the
    /// webhook (F-WHA-7), unless the settings say otherwise.
    pub fn reinstate(&mut self, id: Uuid) -> Result<Uuid, Refused> {
        let state = self.in_status(id, &[SUSPENDED])?;
        self.unlocked(id)?;
        if self.settings.behaviour.reinstates_early {
            self.restore(id);
            self.count(way::EARLY_REINSTATEMENT);
        }
        Ok(self.request(&state, Action::Reinstate))
    }

    /// The customer, the reseller or Microsoft ends the subscription.
    pub fn unsubscribe(&mut self, id: Uuid) -> Result<Uuid, Refused> {
        self.in_status(id, &[PENDING_FULFILLMENT_START, SUBSCRIBED, SUSPENDED])?;
        Ok(self.end(id))
    }

    /// The customer gives the subscription another name. The publisher gets no webhook.
    pub fn rename(&mut self, id: Uuid, name: &str) -> Result<(), Refused> {
        self.in_status(id, &[PENDING_FULFILLMENT_START, SUBSCRIBED, SUSPENDED])?;
        self.amend(id, |state| name.clone_into(&mut state.name));
        Ok(())
    }

    /// The customer switches automatic renewal on or off (F-OBJ-9). Microsoft sends no webhook.
    pub fn toggle_auto_renew(&mut self, id: Uuid) -> Result<bool, Refused> {
        let state = self.in_status(id, &[PENDING_FULFILLMENT_START, SUBSCRIBED, SUSPENDED])?;
        self.amend(id, |state| state.auto_renew = !state.auto_renew);
        Ok(!state.auto_renew)
    }

    /// Microsoft accepts the next activation of this subscription and then fails it (F-ACT-3).
    pub fn let_activation_fail(&mut self, id: Uuid) {
        self.amend(id, |state| state.activation_fails = true);
    }

    /// Sends a webhook with an undocumented action (F-WHA-9).
    pub fn queue_unknown_action(&mut self, id: Uuid, action: &str) -> Result<Uuid, Refused> {
        self.queue_notice(id, Action::Other(action.to_owned()))
    }

    /// Sends a webhook although nothing has changed (F-WHA-19: `Subscribe` beside a renewal).
    pub fn queue_notice(&mut self, id: Uuid, action: Action) -> Result<Uuid, Refused> {
        self.stored(id).ok_or(Refused::UnknownSubscription)?;
        Ok(self.report(id, action))
    }

    /// Opens an operation that waits for the publisher, and notifies the publisher.
    fn request(&mut self, state: &SubscriptionState, action: Action) -> Uuid {
        let operation = self.ids.uuid();
        self.open_operation(NewOperation::request(operation, state, action));
        self.notify(operation);
        operation
    }

    /// Notifies the publisher of something that has happened already.
    pub(super) fn report(&mut self, id: Uuid, action: Action) -> Uuid {
        let state = self.subscription(id);
        let operation = self.ids.uuid();
        self.open_operation(NewOperation::notice(operation, &state, action));
        self.notify(operation);
        operation
    }

    pub(super) fn begin_next_term(&mut self, id: Uuid) -> Uuid {
        let before = self.subscription(id);
        let today = time::day(self.now);
        self.amend(id, |state| {
            let start =
                state.term_end.and_then(|last_day| last_day.tomorrow().ok()).unwrap_or(today);
            state.begin_term(start);
            state.is_free_trial = false;
        });
        self.set_term_timer(id);
        let state = self.subscription(id);
        let operation = self.ids.uuid();
        self.open_operation(NewOperation::notice(operation, &state, Action::Renew));
        let old_term = self.settings.behaviour.renew_carries_old_term;
        self.notify_with(operation, if old_term { &before } else { &state });
        if let Some(word) = self.settings.oddities.notice_beside_renewal.clone() {
            self.report(id, Action::from_word(&word));
        }
        operation
    }

    pub(super) fn end(&mut self, id: Uuid) -> Uuid {
        self.fail_pending(id, "The subscription has ended.");
        self.amend(id, |state| {
            state.status = UNSUBSCRIBED;
            state.suspended_at = None;
            state.activating = false;
        });
        self.report(id, Action::Unsubscribe)
    }
}
