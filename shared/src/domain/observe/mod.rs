//! From a fact to a decision: what an observation or an accepted operation makes of a record.

use jiff::{SignedDuration, Timestamp};

use super::binding::{BindingRule, Bound, Role};
use super::event::{Cause, Event, EventKind};
use super::lifecycle::{Step, path};
use super::observation::{IncompleteObservation, Observation};
use super::operation::{Action, Operation, OperationId};
use super::record::Record;
use super::subscription::{Status, Subscription};

/// How long after a commit an observation that would take any of it back is taken for a late read.
///
/// Microsoft's reads come from replicas, and a change that we acknowledged shows at the latest when
/// the ten seconds of F-WHA-10 are over. Shorter, and a late read undoes a change that was just
/// made; longer, and a change that really was taken back is seen that much later, though never
/// missed: the next look after the window adopts it.
pub const SETTLING_WINDOW: SignedDuration = SignedDuration::from_secs(60);

/// What to do about a fact.
#[expect(clippy::large_enum_variant, reason = "one is made per request, and used up at once")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The record says so already.
    Unchanged,
    /// The record changes; all of it in one transaction.
    Commit(Change),
    /// Not to be believed, now or ever.
    Stale(Staleness),
}

/// The record's next version, and the events that lead to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The record as it is to be; replaces the version before it.
    pub record: Record,
    /// What happened, in order.
    pub events: Vec<Event>,
}

/// Why a fact isn't adopted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Staleness {
    /// It shows what the record held moments ago, or was read before the record changed: a late read,
    /// or a change taken back at once. Ask again after [`SETTLING_WINDOW`].
    Settling,
    /// It can't follow what the record holds (F-LC).
    Impossible,
}

/// Adopts Microsoft's state. The events are the difference between record and observation.
pub fn observe(
    current: Option<&Record>,
    observed: &Observation,
    cause: &Cause,
    now: Timestamp,
) -> Result<Decision, IncompleteObservation> {
    let target = observed.onto(current.map(|record| &record.subscription))?;
    if current.is_some_and(|record| {
        record.is_behind(&target, observed.as_of, observed.read_at.unwrap_or(now))
    }) {
        return Ok(Decision::Stale(Staleness::Settling));
    }
    Ok(advance(current, target, cause, now))
}

/// Applies an operation that was accepted: the requested value is in force (F-CHP-7).
pub fn apply(current: &Record, operation: &Operation, cause: &Cause, now: Timestamp) -> Decision {
    let mut target = current.subscription.clone();
    match &operation.action {
        Some(Action::ChangePlan) if operation.plan_id.is_some() => {
            target.plan_id = operation.plan_id.clone().unwrap_or_default();
        }
        Some(Action::ChangeQuantity) if operation.quantity.is_some() => {
            target.quantity = operation.quantity;
        }
        // Accepted, and what was accepted isn't said: the subscription will show it.
        Some(action @ (Action::ChangePlan | Action::ChangeQuantity)) => {
            return match operation.id.map(OperationId) {
                Some(id) => current.await_operation(id, action, now),
                None => Decision::Unchanged,
            };
        }
        // Every other action is a notice: Get Subscription says what it made of the subscription.
        Some(
            Action::Subscribe
            | Action::Renew
            | Action::Suspend
            | Action::Reinstate
            | Action::Unsubscribe
            | Action::Other(_),
        )
        | None => {}
    }
    let decision = advance(Some(current), target, &cause.told_by(operation), now);
    match operation.id.map(OperationId) {
        Some(id) => decision.no_longer_awaiting(id, current, now),
        None => decision,
    }
}

/// Restores access: a Reinstate that its operation confirms, while Microsoft's own copy changes
/// only once it has been answered (F-LC-5).
pub fn reinstate(current: &Record, cause: &Cause, now: Timestamp) -> Decision {
    match current.status() {
        Status::Suspended => {
            let mut target = current.subscription.clone();
            target.saas_subscription_status = Status::Subscribed;
            advance(Some(current), target, cause, now)
        }
        Status::Subscribed => Decision::Unchanged,
        Status::PendingFulfillmentStart | Status::Unsubscribed | Status::Other(_) => {
            Decision::Stale(Staleness::Impossible)
        }
    }
}

impl Decision {
    /// The same decision, and `current` no longer waits for the operation.
    #[must_use]
    pub fn no_longer_awaiting(self, id: OperationId, current: &Record, now: Timestamp) -> Self {
        match self {
            Self::Commit(mut change) => {
                change.record.pending_operation.take_if(|pending| pending.id == id);
                Self::Commit(change)
            }
            Self::Unchanged => current.forget_operation(id, now),
            Self::Stale(staleness) => Self::Stale(staleness),
        }
    }

    /// The same decision about `current`, and who opened the purchase is recorded with it.
    #[must_use]
    pub fn binding(
        self,
        found: (Role, BindingRule),
        current: Option<&Record>,
        now: Timestamp,
    ) -> Self {
        match (self, current) {
            (Self::Commit(mut change), _) => {
                let (role, rule) = found;
                if change.record.bound.is_none_or(|bound| (bound.role, bound.rule) != found) {
                    change.record.bound = Some(Bound { role, rule, at: now });
                }
                Self::Commit(change)
            }
            (Self::Unchanged, Some(record)) => record.bind(found, now),
            (Self::Unchanged, None) => Self::Unchanged,
            (Self::Stale(staleness), _) => Self::Stale(staleness),
        }
    }
}

/// Walks from what the record holds to `target`, an event for each step.
fn advance(
    current: Option<&Record>,
    target: Subscription,
    cause: &Cause,
    now: Timestamp,
) -> Decision {
    let mut walk = match current {
        Some(record) => Walk { at: record.subscription.clone(), events: Vec::new() },
        None => Walk::from_purchase(&target),
    };
    let from = walk.at.saas_subscription_status.clone();
    let had_begun = walk.at.term.start_date.is_some();
    let was_billed = had_begun || target.term.start_date.is_some();
    let Some(steps) = path(&from, &target.saas_subscription_status, had_begun, was_billed) else {
        return Decision::Stale(Staleness::Impossible);
    };
    // An end is final (F-LC-8): whatever Microsoft still edits there is nobody's business.
    if from == Status::Unsubscribed {
        return Decision::Unchanged;
    }

    if steps.contains(&Step::Activate) {
        walk.activate(&target);
    }
    walk.change_plan(&target);
    walk.change_quantity(&target);
    walk.renew(&target);
    if !steps.contains(&Step::Unsubscribe) {
        walk.change_details(&target, steps.contains(&Step::Adopt));
    }
    for step in steps {
        match step {
            Step::Suspend => walk.turn(&target, Status::Suspended, EventKind::Suspended),
            Step::Reinstate => walk.turn(&target, Status::Subscribed, EventKind::Reinstated),
            Step::Unsubscribe => walk.turn(&target, Status::Unsubscribed, EventKind::Unsubscribed),
            // Taken above, where they stand in the order of events.
            Step::Activate | Step::Adopt => {}
        }
    }
    walk.decide(current, cause, now)
}

/// The way from one subscription to another, with what happened on it.
struct Walk {
    at: Subscription,
    events: Vec<(EventKind, Subscription)>,
}

impl Walk {
    /// Every life begins with a purchase, however late we hear of it.
    fn from_purchase(target: &Subscription) -> Self {
        let mut at = target.clone();
        if let Status::Other(_) = target.saas_subscription_status {
            // A status without a place in the life cycle has no beginning to reconstruct.
        } else {
            at.saas_subscription_status = Status::PendingFulfillmentStart;
            at.term.start_date = None;
            at.term.end_date = None;
        }
        let mut walk = Self { at, events: Vec::new() };
        walk.happened(EventKind::Purchased);
        walk
    }

    fn happened(&mut self, kind: EventKind) {
        self.events.push((kind, self.at.clone()));
    }

    fn activate(&mut self, target: &Subscription) {
        self.at.saas_subscription_status = Status::Subscribed;
        self.at.term.clone_from(&target.term);
        self.happened(EventKind::Activated);
    }

    fn change_plan(&mut self, target: &Subscription) {
        if self.at.plan_id != target.plan_id {
            let from = std::mem::replace(&mut self.at.plan_id, target.plan_id.clone());
            self.happened(EventKind::PlanChanged { from, to: target.plan_id.clone() });
        }
    }

    fn change_quantity(&mut self, target: &Subscription) {
        if self.at.quantity != target.quantity {
            let from = std::mem::replace(&mut self.at.quantity, target.quantity);
            self.happened(EventKind::QuantityChanged { from, to: target.quantity });
        }
    }

    /// A term that begins where the former one ended is a renewal (F-OBJ-6, F-LC-7). Other changes
    /// of dates are corrections, or come with another plan.
    fn renew(&mut self, target: &Subscription) {
        let (Some(end), Some(start)) = (self.at.term.end_date, target.term.start_date) else {
            return;
        };
        let later = self.at.term.start_date.is_none_or(|former| start > former);
        if later && start >= end {
            self.at.term.clone_from(&target.term);
            self.happened(EventKind::Renewed);
        }
    }

    fn change_details(&mut self, target: &Subscription, adopt_status: bool) {
        let mut next = target.clone();
        if !adopt_status {
            next.saas_subscription_status = self.at.saas_subscription_status.clone();
        }
        if self.at != next {
            self.at = next;
            self.happened(EventKind::DetailsChanged);
        }
    }

    fn turn(&mut self, target: &Subscription, status: Status, kind: EventKind) {
        self.at = target.clone();
        self.at.saas_subscription_status = status;
        self.happened(kind);
    }

    fn decide(self, current: Option<&Record>, cause: &Cause, now: Timestamp) -> Decision {
        if self.events.is_empty() {
            return Decision::Unchanged;
        }
        let passed = self.events.iter().map(|(_, subscription)| subscription);
        let record = match current {
            Some(record) => record.succeed(self.at, now),
            None => Record::unborn(self.at.clone(), now).succeed(self.at, now),
        }
        .having_passed(passed, now);
        let mut before = current.map(|record| record.subscription.clone());
        let events = (0..)
            .zip(self.events)
            .map(|(index, (kind, subscription))| Event {
                subscription_id: record.id(),
                version: record.version,
                index,
                sign_up: record.sign_up.clone().filter(|_| kind.bears_sign_up()),
                kind,
                cause: cause.clone(),
                recorded_at: now,
                before: before.replace(subscription.clone()),
                subscription,
                decision: None,
                correlation_id: None,
            })
            .collect();
        Decision::Commit(Change { record, events })
    }
}

#[cfg(test)]
mod tests;
