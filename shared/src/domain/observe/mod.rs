//! From a fact to a decision: what an observation or an accepted operation makes of a record.

mod walk;

use std::iter;

use jiff::Timestamp;

use self::walk::advance;
use super::decision::{Decision, Staleness};
use super::event::Cause;
use super::observation::{IncompleteObservation, Observation};
use super::operation::{Action, Operation};
use super::record::Record;
use super::subscription::Status;

/// Adopts Microsoft's state. The events are the difference between record and observation.
pub fn observe(
    current: Option<&Record>,
    observed: &Observation,
    cause: &Cause,
    now: Timestamp,
) -> Result<Decision, IncompleteObservation> {
    // Microsoft still knows the people of a subscription after we have erased them.
    if current.is_some_and(Record::is_erased) {
        return Ok(Decision::Unchanged);
    }
    let target = observed.onto(current.map(|record| &record.subscription))?;
    if current.is_some_and(|record| {
        record.is_stale_for(&target, observed.as_of, observed.read_at.unwrap_or(now))
    }) {
        return Ok(Decision::Stale(Staleness::Settling));
    }
    Ok(advance(current, target, cause, now))
}

/// Applies an operation that we accepted: the requested value is in force (F-CHP-7).
pub fn apply(current: &Record, operation: &Operation, cause: &Cause, now: Timestamp) -> Decision {
    let mut target = current.subscription.clone();
    match (&operation.action, &operation.plan_id, operation.quantity) {
        (Some(Action::ChangePlan), Some(plan_id), _) => target.plan_id.clone_from(plan_id),
        (Some(Action::ChangeQuantity), _, Some(quantity)) => target.quantity = Some(quantity),
        // We accepted it, and the operation leaves the value out: the subscription will show it.
        (Some(action @ (Action::ChangePlan | Action::ChangeQuantity)), _, _) => {
            return match &operation.id {
                Some(id) => current.await_operation(id, action, now),
                None => Decision::Unchanged,
            };
        }
        // Every other action is a notice: Get Subscription says what became of the subscription.
        (
            Some(
                Action::Subscribe
                | Action::Renew
                | Action::Suspend
                | Action::Reinstate
                | Action::Unsubscribe
                | Action::Other(_),
            )
            | None,
            _,
            _,
        ) => {}
    }
    let decision = match advance(Some(current), target, cause, now) {
        Decision::Unchanged => replaces_unheard(current, operation, now),
        decision => decision,
    };
    match &operation.id {
        Some(id) => decision.no_longer_awaiting(id, current, now),
        None => decision,
    }
}

/// The record holds the requested value already. Either it never heard of the value that this
/// operation replaces, and a late read may still show that; or the operation replaces nothing
/// (F-WHA-14). No plan or no seats stand for a value that we don't know: every other value then
/// counts as late.
fn replaces_unheard(current: &Record, operation: &Operation, now: Timestamp) -> Decision {
    let mut replaced = current.subscription.clone();
    match (current.status(), &operation.action) {
        (Status::Unsubscribed, _) => return Decision::Unchanged,
        (_, Some(Action::ChangePlan)) => replaced.plan_id.clear(),
        (_, Some(Action::ChangeQuantity)) => replaced.quantity = None,
        (_, Some(_) | None) => return Decision::Unchanged,
    }
    let mut next = current.reaffirm(now);
    next.record = next.record.remember(iter::once(&replaced), now);
    Decision::Commit(next)
}

/// Adopts Microsoft's copy as a change of plan or seats left it. If the record never heard of the value that
/// the change replaced, another function may still hold a read that shows it.
pub fn followed(
    current: Option<&Record>,
    observed: &Observation,
    operation: &Operation,
    cause: &Cause,
    now: Timestamp,
) -> Result<Decision, IncompleteObservation> {
    Ok(match (observe(current, observed, cause, now)?, current) {
        (Decision::Unchanged, Some(record)) if operation.is_visible_in(observed) => {
            replaces_unheard(record, operation, now)
        }
        (decision, _) => decision,
    })
}

/// Restores access: a Reinstate that its operation confirms. Microsoft's own copy changes only
/// after the acknowledgement (F-LC-5).
pub fn reinstate(current: &Record, cause: &Cause, now: Timestamp) -> Decision {
    match current.status() {
        Status::Suspended => {
            let mut target = current.subscription.clone();
            target.saas_subscription_status = Status::Subscribed;
            advance(Some(current), target, cause, now)
        }
        // The record never heard of the suspension. A late read may still show it.
        Status::Subscribed => {
            let mut suspended = current.subscription.clone();
            suspended.saas_subscription_status = Status::Suspended;
            let mut next = current.reaffirm(now);
            next.record = next.record.remember(iter::once(&suspended), now);
            Decision::Commit(next)
        }
        Status::PendingFulfillmentStart | Status::Unsubscribed | Status::Other(_) => {
            Decision::Stale(Staleness::Impossible)
        }
    }
}

/// Adopts Microsoft's copy as a reinstatement left it. If the record never heard of the suspension,
/// another function may still hold a read that shows it.
pub fn reinstated(
    current: Option<&Record>,
    observed: &Observation,
    cause: &Cause,
    now: Timestamp,
) -> Result<Decision, IncompleteObservation> {
    Ok(match (observe(current, observed, cause, now)?, current) {
        (Decision::Unchanged, Some(record)) if *record.status() == Status::Subscribed => {
            reinstate(record, cause, now)
        }
        (decision, _) => decision,
    })
}

#[cfg(test)]
mod tests;
