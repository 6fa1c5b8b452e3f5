//! What the table holds of one subscription.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::binding::{BindingRule, Bound, Role};
use super::event::{Cause, Event, EventKind};
use super::observe::{Change, Decision, SETTLING_WINDOW, Staleness};
use super::operation::{Action, OperationId};
use super::review::Ruling;
use super::sign_up::SignUp;
use super::subscription::{Status, Subscription, SubscriptionId};

/// How long Microsoft keeps a purchase that nobody activates. The newest of several statements
/// (F-LC-3): good enough to warn by, never to decide by.
pub const ACTIVATION_DEADLINE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// How long before the deadline its event is recorded: a working week for somebody to act.
pub const ACTIVATION_DEADLINE_NOTICE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// One subscription's record: Microsoft's copy as last known, and what we wait for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// Microsoft's copy, as last known.
    pub subscription: Subscription,
    /// Grows by one with every commit; the guard against concurrent writers.
    pub version: u64,
    /// When it was last committed.
    pub updated_at: Timestamp,
    /// When anything that is billed last changed here. A read made before can't be newer than that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) changed_at: Option<Timestamp>,
    /// Somebody asked for the activation, and Microsoft hasn't confirmed it yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activation: Option<ActivationRequest>,
    /// An operation we wait for: ours, or one whose acknowledgement may not have arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending_operation: Option<PendingOperation>,
    /// The approaching deadline of the activation was announced.
    #[serde(default)]
    pub deadline_announced: bool,
    /// Who opened the purchase last on the landing page, and how they were recognised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound: Option<Bound>,
    /// What the buyer told the publisher when confirming.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign_up: Option<SignUp>,
    /// States that were left lately.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) superseded: Vec<Superseded>,
}

/// How far a wanted activation has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "camelCase")]
pub enum ActivationRequest {
    /// The buyer confirmed; the publisher's product is to provision and to activate.
    AwaitsPublisher {
        /// When the buyer confirmed.
        since: Timestamp,
    },
    /// Microsoft is being told; the subscription will show when it has happened (F-ACT-3).
    AwaitsMicrosoft {
        /// When it was first told.
        since: Timestamp,
    },
}

/// An operation whose end the record waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PendingOperation {
    /// The operation.
    pub id: OperationId,
    /// What it does.
    pub action: Action,
    /// When the wait began.
    pub since: Timestamp,
    /// What we answered, where Microsoft may not have heard it; absent where we asked for it ourselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Ruling>,
}

/// The state a commit replaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Superseded {
    at: Timestamp,
    held: Held,
}

/// What of a subscription is billed; the part an out-of-date read would set back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Held {
    status: Status,
    plan_id: String,
    quantity: Option<u64>,
    term_start: Option<Timestamp>,
    term_end: Option<Timestamp>,
}

impl Held {
    fn of(subscription: &Subscription) -> Self {
        Self {
            status: subscription.saas_subscription_status.clone(),
            plan_id: subscription.plan_id.clone(),
            quantity: subscription.quantity,
            term_start: subscription.term.start_date,
            term_end: subscription.term.end_date,
        }
    }

    /// Whether a late read may be what speaks against `current`, which followed `former`: it shows the
    /// status or the term of `former`, or another plan or other seats than the change led to. Of those
    /// it may have met one that nobody here ever heard of; a change to them that is news has an
    /// operation to prove it.
    fn takes_back(&self, current: &Self, former: &Self) -> bool {
        fn is_back<T: PartialEq>(now: T, current: T, former: T) -> bool {
            now != current && now == former
        }
        fn is_other<T: PartialEq>(now: T, current: T, former: T) -> bool {
            now != current && current != former
        }
        let term = |held: &Self| (held.term_start, held.term_end);
        is_back(&self.status, &current.status, &former.status)
            || is_back(term(self), term(current), term(former))
            || is_other(&self.plan_id, &current.plan_id, &former.plan_id)
            || is_other(self.quantity, current.quantity, former.quantity)
    }
}

impl Record {
    /// The record of a subscription we learn of now. Committed, it becomes version 1.
    pub(super) fn unborn(subscription: Subscription, now: Timestamp) -> Self {
        Self {
            subscription,
            version: 0,
            updated_at: now,
            changed_at: None,
            activation: None,
            pending_operation: None,
            deadline_announced: false,
            bound: None,
            sign_up: None,
            superseded: Vec::new(),
        }
    }

    /// Whose record it is.
    pub fn id(&self) -> SubscriptionId {
        self.subscription.id
    }

    /// Where the subscription is in its life.
    pub fn status(&self) -> &Status {
        &self.subscription.saas_subscription_status
    }

    /// Whether `target` may be older than what the record holds: it was read before the record last
    /// changed, or so soon after a change that a late read may not show it yet, and takes that change
    /// back, beside whatever else it shows (a read that was overtaken by one change may have met
    /// another). A read known to be younger than the change (`as_of`) can't be late.
    pub(super) fn is_behind(
        &self,
        target: &Subscription,
        as_of: Option<Timestamp>,
        read_at: Timestamp,
    ) -> bool {
        let (target, current) = (Held::of(target), Held::of(&self.subscription));
        let unproven = |at: Timestamp| as_of.is_none_or(|as_of| as_of <= at);
        let overtaken = target != current
            && self
                .changed_at
                .is_some_and(|changed_at| read_at < changed_at && unproven(changed_at));
        let late = self.superseded.iter().any(|superseded| {
            target.takes_back(&current, &superseded.held)
                && read_at.duration_since(superseded.at) < SETTLING_WINDOW
                && unproven(superseded.at)
        });
        overtaken || late
    }

    /// Whether `status` was left so recently that a late read may still show it.
    pub fn left_lately(&self, status: &Status, now: Timestamp) -> bool {
        self.superseded.iter().any(|superseded| {
            superseded.held.status == *status && now.duration_since(superseded.at) < SETTLING_WINDOW
        })
    }

    /// The next version, with `subscription` in place of what it held.
    pub(super) fn succeed(&self, subscription: Subscription, now: Timestamp) -> Self {
        let mut superseded: Vec<_> = self
            .superseded
            .iter()
            .filter(|superseded| now.duration_since(superseded.at) < SETTLING_WINDOW)
            .cloned()
            .collect();
        let born = self.version == 0;
        let changes = Held::of(&self.subscription) != Held::of(&subscription);
        if changes && !born {
            superseded.push(Superseded { at: now, held: Held::of(&self.subscription) });
        }
        let pending = subscription.saas_subscription_status == Status::PendingFulfillmentStart;
        Self {
            version: self.version + 1,
            updated_at: now,
            changed_at: if changes || born { Some(now) } else { self.changed_at },
            activation: self.activation.filter(|_| pending),
            pending_operation: self.pending_operation.clone(),
            deadline_announced: self.deadline_announced,
            bound: self.bound,
            sign_up: self.sign_up.clone(),
            subscription,
            superseded,
        }
    }

    /// The same, remembering what it went through on the way: a late read may still show it.
    pub(super) fn having_passed<'a>(
        mut self,
        states: impl Iterator<Item = &'a Subscription>,
        now: Timestamp,
    ) -> Self {
        let held = Held::of(&self.subscription);
        let passed = states.map(Held::of).filter(|passed| *passed != held);
        self.superseded.extend(passed.map(|held| Superseded { at: now, held }));
        self
    }

    /// The same subscription, with something of our own noted beside it.
    pub(super) fn note(&self, now: Timestamp, note: impl FnOnce(&mut Self)) -> Change {
        let mut record = self.succeed(self.subscription.clone(), now);
        note(&mut record);
        Change { record, events: Vec::new() }
    }

    /// The same as the next version: nobody may have changed it since it was read.
    pub fn reaffirm(&self, now: Timestamp) -> Change {
        self.note(now, |_| {})
    }

    /// The same subscription, with an event.
    pub(super) fn announce(
        &self,
        kind: EventKind,
        cause: &Cause,
        now: Timestamp,
        note: impl FnOnce(&mut Self),
    ) -> Change {
        let mut change = self.note(now, note);
        change.events.push(Event {
            subscription_id: self.id(),
            version: change.record.version,
            index: 0,
            sign_up: self.sign_up.clone().filter(|_| kind.bears_sign_up()),
            kind,
            cause: cause.clone(),
            recorded_at: now,
            before: Some(self.subscription.clone()),
            subscription: self.subscription.clone(),
            decision: None,
            correlation_id: None,
        });
        change
    }

    /// The buyer confirmed, and the publisher's product is to activate: an event, once.
    pub fn request_activation(&self, cause: &Cause, now: Timestamp) -> Decision {
        if let Some(stale) = self.unless_pending() {
            return stale;
        }
        match self.activation {
            Some(_) => Decision::Unchanged,
            None => Decision::Commit(self.announce(
                EventKind::ActivationRequested,
                cause,
                now,
                |record| {
                    record.activation = Some(ActivationRequest::AwaitsPublisher { since: now });
                },
            )),
        }
    }

    /// Microsoft is about to be told. Noted beforehand, so that it is finished whatever happens.
    pub fn begin_activation(&self, now: Timestamp) -> Decision {
        if let Some(stale) = self.unless_pending() {
            return stale;
        }
        match self.activation {
            Some(ActivationRequest::AwaitsMicrosoft { .. }) => Decision::Unchanged,
            Some(ActivationRequest::AwaitsPublisher { .. }) | None => {
                Decision::Commit(self.note(now, |record| {
                    record.activation = Some(ActivationRequest::AwaitsMicrosoft { since: now });
                }))
            }
        }
    }

    /// Microsoft refused the activation for good: nothing is waited for any more.
    pub fn abandon_activation(&self, now: Timestamp) -> Decision {
        match self.activation {
            None => Decision::Unchanged,
            Some(_) => Decision::Commit(self.note(now, |record| record.activation = None)),
        }
    }

    pub(super) fn unless_pending(&self) -> Option<Decision> {
        (*self.status() != Status::PendingFulfillmentStart)
            .then_some(Decision::Stale(Staleness::Impossible))
    }

    /// The record waits for the end of an operation that we asked for.
    pub fn await_operation(&self, id: OperationId, action: &Action, now: Timestamp) -> Decision {
        self.wait(PendingOperation { id, action: action.clone(), since: now, decision: None }, now)
    }

    /// The record waits for the end of an operation that we answered, and Microsoft may not have heard
    /// the answer.
    pub fn await_answered(
        &self,
        id: OperationId,
        action: &Action,
        answer: &Ruling,
        now: Timestamp,
    ) -> Decision {
        let (action, decision) = (action.clone(), Some(answer.clone()));
        self.wait(PendingOperation { id, action, since: now, decision }, now)
    }

    fn wait(&self, operation: PendingOperation, now: Timestamp) -> Decision {
        match &self.pending_operation {
            Some(pending) if pending.id == operation.id => Decision::Unchanged,
            Some(_) | None => Decision::Commit(
                self.note(now, |record| record.pending_operation = Some(operation)),
            ),
        }
    }

    /// An operation has come to its end; nothing is waited for any more if it was this one.
    pub fn forget_operation(&self, id: OperationId, now: Timestamp) -> Decision {
        match &self.pending_operation {
            Some(pending) if pending.id == id => {
                Decision::Commit(self.note(now, |record| record.pending_operation = None))
            }
            Some(_) | None => Decision::Unchanged,
        }
    }

    /// Who opened the purchase, if the record doesn't say so already.
    pub fn bind(&self, (role, rule): (Role, BindingRule), now: Timestamp) -> Decision {
        if self.bound.is_some_and(|bound| (bound.role, bound.rule) == (role, rule)) {
            return Decision::Unchanged;
        }
        let bound = Bound { role, rule, at: now };
        Decision::Commit(self.note(now, |record| record.bound = Some(bound)))
    }

    /// An event, once, when a purchase is about to lapse (F-LC-3).
    pub fn announce_deadline(&self, cause: &Cause, now: Timestamp) -> Decision {
        let due = self.subscription.created.is_some_and(|created| {
            now.duration_since(created) >= ACTIVATION_DEADLINE - ACTIVATION_DEADLINE_NOTICE
        });
        if !due || self.deadline_announced || *self.status() != Status::PendingFulfillmentStart {
            return Decision::Unchanged;
        }
        Decision::Commit(self.announce(
            EventKind::ActivationDeadlineApproaching,
            cause,
            now,
            |record| {
                record.deadline_announced = true;
            },
        ))
    }
}

#[cfg(test)]
mod tests;
