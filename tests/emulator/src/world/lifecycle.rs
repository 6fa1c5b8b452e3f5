//! What customers, resellers and Microsoft itself do with a subscription (section 7).

use super::catalog::Purchase;
use super::clock::Timer;
use super::operation::{AZURE, Action, FAILED, IN_PROGRESS, SUCCEEDED};
use super::people::Person;
use super::subscription::{
    PENDING_FULFILLMENT_START, SUBSCRIBED, SUSPENDED, SubscriptionState, UNSUBSCRIBED,
};
use super::{Subscription, World, time};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use uuid::Uuid;

/// Why something cannot be done on Microsoft's side.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No such subscription.
    #[error("there is no such subscription")]
    UnknownSubscription,
    /// The status does not permit it (F-LC-5).
    #[error("the subscription is {0}")]
    InStatus(&'static str),
    /// Another operation is pending.
    #[error("another operation is pending")]
    Pending,
    /// The offer has no such plan for this customer.
    #[error("the plan {0} is not available")]
    UnknownPlan(String),
    /// It is the present plan or number of seats.
    #[error("the subscription has this value already")]
    SameValue,
    /// Not a number of seats the plan permits.
    #[error("the plan permits {0} to {1} seats")]
    SeatsOutOfRange(u32, u32),
    /// The plan has no seats.
    #[error("the plan has no seats")]
    NotPerSeat,
    /// No change was refused before.
    #[error("no change was refused")]
    NothingToRevert,
}

impl World {
    /// Somebody buys. The publisher hears of it at the landing page only, except for auto-activated plans.
    ///
    /// # Panics
    /// When the plan does not exist, or the seats do not fit it: a test that asks for this is wrong.
    pub fn purchase(&mut self, purchase: Purchase) -> Uuid {
        let plan = self
            .plan(&purchase.offer, &purchase.plan)
            .expect("the plan is in the catalogue")
            .clone();
        match (plan.seats, purchase.quantity) {
            (None, None) => {}
            (Some((least, most)), Some(seats)) if (least..=most).contains(&seats) => {}
            _ => panic!("{:?} seats do not fit the plan {}", purchase.quantity, plan.id),
        }
        let by_reseller = purchase.purchaser.tenant_id != purchase.beneficiary.tenant_id;
        let auto_activated = purchase.auto_activated || plan.auto_activated;
        let id = self.ids.uuid();
        let state = SubscriptionState {
            id,
            name: purchase.name,
            publisher_id: self.settings.publisher_id.clone(),
            offer_id: if purchase.preview {
                format!("{}-preview", purchase.offer)
            } else {
                purchase.offer
            },
            plan_id: purchase.plan,
            quantity: purchase.quantity,
            status: PENDING_FULFILLMENT_START,
            beneficiary: purchase.beneficiary,
            purchaser: purchase.purchaser,
            term_unit: purchase.term_unit.unwrap_or(plan.term_unit),
            term_start: None,
            term_end: None,
            auto_renew: true,
            is_test: purchase.test,
            is_free_trial: purchase.free_trial,
            allowed_customer_operations: if by_reseller {
                vec!["Read"]
            } else {
                vec!["Delete", "Update", "Read"]
            },
            created: self.now,
            last_modified: self.now,
            suspended_at: None,
            private_offer: purchase.private_offer.then(|| self.ids.uuid()),
            activating: false,
            activation_fails: false,
        };
        self.subscription_places.insert(id, self.subscriptions.len());
        self.subscriptions.push(Subscription {
            versions: vec![(self.now, state)],
            pending: None,
            operations: Vec::new(),
        });
        if auto_activated {
            self.complete_activation(id);
            self.report(id, Action::Subscribe);
        } else if let Some(deadline) = self.settings.behaviour.activation_deadline {
            self.set_timer(time::after(self.now, deadline), Timer::Deadline(id));
        }
        id
    }

    /// A new purchase token, as the landing page receives it after decoding (F-RES-2). Any status has one.
    ///
    /// # Panics
    /// When there is no such subscription.
    pub fn purchase_token(&mut self, id: Uuid) -> String {
        assert!(self.held(id).is_some(), "the subscription was bought in this world");
        let token = self.ids.purchase_token();
        self.tokens.insert(token.clone(), (id, self.now));
        token
    }

    /// The address behind "Configure account" and "Manage account", with a new token (F-LP-1).
    pub fn landing_link(&mut self, id: Uuid) -> String {
        let token = self.purchase_token(id);
        let base =
            self.settings.landing_url.as_deref().unwrap_or("https://publisher.example/landing");
        let separator = if base.contains('?') { '&' } else { '?' };
        format!("{base}{separator}token={}", utf8_percent_encode(&token, NON_ALPHANUMERIC))
    }

    /// The people who can sign in.
    pub fn people(&self) -> Vec<Person> {
        Person::everybody()
    }

    /// The customer chooses another plan. The change waits for the publisher (F-WHA-3).
    pub fn change_plan(&mut self, id: Uuid, plan: &str) -> Result<Uuid, Refused> {
        let state = self.changeable(id)?;
        self.check_plan(&state, plan)?;
        Ok(self.request(&state, Action::ChangePlan, plan, state.quantity))
    }

    /// The customer chooses another number of seats. The change waits for the publisher (F-WHA-4).
    pub fn change_quantity(&mut self, id: Uuid, quantity: u32) -> Result<Uuid, Refused> {
        let state = self.changeable(id)?;
        self.check_quantity(&state, quantity)?;
        Ok(self.request(&state, Action::ChangeQuantity, &state.plan_id, Some(quantity)))
    }

    /// After a refused change: asks again, for the value the subscription has anyway (F-WHA-14).
    pub fn revert(&mut self, id: Uuid) -> Result<Uuid, Refused> {
        let state = self.changeable(id)?;
        let refused =
            self.operations(id).into_iter().rev().map(|operation| self.operation(operation));
        let action = refused
            .filter(|operation| operation.status == FAILED && operation.action.is_change())
            .map(|operation| operation.action)
            .next()
            .ok_or(Refused::NothingToRevert)?;
        Ok(self.request(&state, action, &state.plan_id, state.quantity))
    }

    /// The term is over and paid for: the next one begins (F-LC-7). A trial becomes a paid subscription (F-LC-9).
    pub fn renew(&mut self, id: Uuid) -> Result<Uuid, Refused> {
        self.in_status(id, &[SUBSCRIBED])?;
        Ok(self.begin_next_term(id))
    }

    /// Payment failed. The state changes first, then the publisher is told (F-LC-6).
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

    /// Payment came. The subscription stays suspended until the publisher was told (F-WHA-7).
    pub fn reinstate(&mut self, id: Uuid) -> Result<Uuid, Refused> {
        let state = self.in_status(id, &[SUSPENDED])?;
        self.unlocked(id)?;
        Ok(self.request(&state, Action::Reinstate, &state.plan_id, state.quantity))
    }

    /// The customer, the reseller or Microsoft ends it.
    pub fn unsubscribe(&mut self, id: Uuid) -> Result<Uuid, Refused> {
        self.in_status(id, &[PENDING_FULFILLMENT_START, SUBSCRIBED, SUSPENDED])?;
        Ok(self.end(id))
    }

    /// The customer switches automatic renewal on or off (F-OBJ-9). The publisher is not told.
    pub fn toggle_auto_renew(&mut self, id: Uuid) -> Result<bool, Refused> {
        let state = self.in_status(id, &[PENDING_FULFILLMENT_START, SUBSCRIBED, SUSPENDED])?;
        self.amend(id, |state| state.auto_renew = !state.auto_renew);
        Ok(!state.auto_renew)
    }

    /// The next activation of this subscription will be accepted and then fail (F-ACT-3).
    pub fn let_activation_fail(&mut self, id: Uuid) {
        self.amend(id, |state| state.activation_fails = true);
    }

    /// Tells the publisher of an action nobody documented (F-WHA-9).
    pub fn queue_unknown_action(&mut self, id: Uuid, action: &str) -> Result<Uuid, Refused> {
        self.held(id).ok_or(Refused::UnknownSubscription)?;
        Ok(self.report(id, Action::Other(action.to_owned())))
    }

    /// Tells the publisher once more of something that is no news (F-WHA-19: `Subscribe` beside a renewal).
    pub fn queue_notice(&mut self, id: Uuid, action: Action) -> Result<Uuid, Refused> {
        self.held(id).ok_or(Refused::UnknownSubscription)?;
        Ok(self.report(id, action))
    }

    /// Whether this plan can be changed to.
    pub(super) fn check_plan(&self, state: &SubscriptionState, plan: &str) -> Result<(), Refused> {
        let known = self.plan(state.catalog_offer(), plan);
        if !known.is_some_and(|known| known.is_open_to(state.beneficiary.tenant_id)) {
            return Err(Refused::UnknownPlan(plan.to_owned()));
        }
        if state.plan_id == plan { Err(Refused::SameValue) } else { Ok(()) }
    }

    /// Whether this number of seats can be changed to (F-CHQ-3).
    pub(super) fn check_quantity(
        &self,
        state: &SubscriptionState,
        quantity: u32,
    ) -> Result<(), Refused> {
        let seats = self.plan(state.catalog_offer(), &state.plan_id).and_then(|plan| plan.seats);
        let (least, most) = seats.ok_or(Refused::NotPerSeat)?;
        if !(least..=most).contains(&quantity) {
            return Err(Refused::SeatsOutOfRange(least, most));
        }
        if state.quantity == Some(quantity) { Err(Refused::SameValue) } else { Ok(()) }
    }

    fn changeable(&self, id: Uuid) -> Result<SubscriptionState, Refused> {
        let state = self.in_status(id, &[SUBSCRIBED])?;
        self.unlocked(id)?;
        Ok(state)
    }

    fn unlocked(&self, id: Uuid) -> Result<(), Refused> {
        let is_locked = self.held(id).is_some_and(|held| held.pending.is_some());
        if is_locked { Err(Refused::Pending) } else { Ok(()) }
    }

    fn in_status(
        &self,
        id: Uuid,
        permitted: &[&'static str],
    ) -> Result<SubscriptionState, Refused> {
        let state = self.find_subscription(id).ok_or(Refused::UnknownSubscription)?;
        if permitted.contains(&state.status) {
            Ok(state)
        } else {
            Err(Refused::InStatus(state.status))
        }
    }

    /// A change that waits for the publisher.
    fn request(
        &mut self,
        state: &SubscriptionState,
        action: Action,
        plan: &str,
        quantity: Option<u32>,
    ) -> Uuid {
        let id = self.ids.uuid();
        self.open_operation(id, state, action, plan, quantity, AZURE, IN_PROGRESS);
        self.notify(id);
        id
    }

    /// Something that has happened already.
    pub(super) fn report(&mut self, id: Uuid, action: Action) -> Uuid {
        let state = self.subscription(id);
        let operation = self.ids.uuid();
        self.open_operation(
            operation,
            &state,
            action,
            &state.plan_id,
            state.quantity,
            AZURE,
            SUCCEEDED,
        );
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
        self.open_operation(
            operation,
            &state,
            Action::Renew,
            &state.plan_id,
            state.quantity,
            AZURE,
            SUCCEEDED,
        );
        let old_term = self.settings.behaviour.renew_carries_old_term;
        self.notify_with(operation, if old_term { &before } else { &state });
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
