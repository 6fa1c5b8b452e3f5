//! What a subscription's status, plan and pending operation permit.

use super::operation::Change;
use super::state::World;
use super::subscription::SubscriptionState;
use super::words::SUBSCRIBED;
use uuid::Uuid;

/// Why Microsoft refuses a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("there is no such subscription")]
    UnknownSubscription,
    /// The status does not permit the request (F-LC-5).
    #[error("the subscription is {0}")]
    InStatus(&'static str),
    #[error("another operation is pending")]
    Pending,
    /// The offer has no such plan for this customer.
    #[error("the plan {0} is not available")]
    UnknownPlan(String),
    /// The requested plan or number of seats is the current one.
    #[error("the subscription has this value already")]
    SameValue,
    #[error("the plan permits {0} to {1} seats")]
    SeatsOutOfRange(u32, u32),
    #[error("the plan has no seats")]
    NotPerSeat,
    #[error("no change was refused")]
    NothingToRevert,
}

impl World {
    /// The subscription, if it permits this change now (F-CHP-8).
    pub(super) fn changeable(
        &self,
        id: Uuid,
        change: &Change,
    ) -> Result<SubscriptionState, Refused> {
        let state = self.unlocked_and_subscribed(id)?;
        match change {
            Change::Plan(plan) => self.check_plan(&state, plan)?,
            Change::Quantity(seats) => self.check_quantity(&state, *seats)?,
        }
        Ok(state)
    }

    pub(super) fn unlocked_and_subscribed(&self, id: Uuid) -> Result<SubscriptionState, Refused> {
        let state = self.in_status(id, &[SUBSCRIBED])?;
        self.unlocked(id)?;
        Ok(state)
    }

    pub(super) fn unlocked(&self, id: Uuid) -> Result<(), Refused> {
        let is_locked = self.stored(id).is_some_and(|stored| stored.pending.is_some());
        if is_locked { Err(Refused::Pending) } else { Ok(()) }
    }

    pub(super) fn in_status(
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

    fn check_plan(&self, state: &SubscriptionState, plan: &str) -> Result<(), Refused> {
        let known = self.plan(state.catalog_offer(), plan);
        if !known.is_some_and(|known| known.is_open_to(state.beneficiary.tenant_id)) {
            return Err(Refused::UnknownPlan(plan.to_owned()));
        }
        if state.plan_id == plan { Err(Refused::SameValue) } else { Ok(()) }
    }

    // F-CHQ-3.
    fn check_quantity(&self, state: &SubscriptionState, quantity: u32) -> Result<(), Refused> {
        let seats = self.plan(state.catalog_offer(), &state.plan_id).and_then(|plan| plan.seats);
        let (least, most) = seats.ok_or(Refused::NotPerSeat)?;
        if !(least..=most).contains(&quantity) {
            return Err(Refused::SeatsOutOfRange(least, most));
        }
        if state.quantity == Some(quantity) { Err(Refused::SameValue) } else { Ok(()) }
    }
}
