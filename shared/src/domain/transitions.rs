//! What we note on a record ourselves: activations, operations we wait for, the buyer's answers,
//! who opened the purchase, what the plan is called, and the approaching deadline.

use jiff::{SignedDuration, Timestamp};

use super::decision::{Decision, NextVersion, Staleness};
use super::event::{Cause, Event, EventKind};
use super::identification::{Identification, IdentifiedAs};
use super::operation::Action;
use super::operation_id::OperationId;
use super::own_request::OwnRequest;
use super::purchase_decision::PurchaseDecision;
use super::record::{ActivationRequest, PendingOperation, Record};
use super::ruling::Ruling;
use super::seen_plan::SeenPlan;
use super::sign_up::SignUp;
use super::subscription::Status;

/// How long Microsoft keeps a purchase that is not activated. Microsoft's documents disagree, and
/// this is the newest statement (F-LC-3): good enough to warn by, never to decide by.
pub const ACTIVATION_DEADLINE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// How long before the deadline its event is recorded: a working week to act.
pub const ACTIVATION_DEADLINE_NOTICE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// How many requests of ours a record keeps: the one that Microsoft is at work on, and those that were
/// made meanwhile. Microsoft refuses those, but a function that is killed can't withdraw its own. If
/// the list is too short, it loses the request that Microsoft accepted, and with it who asked.
const OWN_REQUESTS: usize = 10;

impl Record {
    /// The next version: the same subscription, with something noted beside it.
    pub(super) fn noted(&self, now: Timestamp, note: impl FnOnce(&mut Self)) -> NextVersion {
        let mut record = self.next_version(self.subscription.clone(), now);
        note(&mut record);
        NextVersion::of(record, Vec::new())
    }

    /// The next version: the same subscription, with an event.
    pub(super) fn announce(
        &self,
        kind: EventKind,
        cause: &Cause,
        now: Timestamp,
        note: impl FnOnce(&mut Self),
    ) -> NextVersion {
        let mut next = self.noted(now, note);
        let event = next.record.event(kind, cause, now);
        next.events.push(Event {
            before: Some(self.subscription.clone()),
            subscription: self.subscription.clone(),
            ..event
        });
        next
    }

    /// The first event of this version, which changes nothing of the subscription.
    pub(super) fn event(&self, kind: EventKind, cause: &Cause, now: Timestamp) -> Event {
        Event {
            subscription_id: self.id(),
            version: self.version,
            index: 0,
            sign_up: self.sign_up.clone().filter(|_| kind.carries_sign_up()),
            ruling: self.ruling_of(&kind),
            kind,
            cause: cause.clone(),
            recorded_at: now,
            before: Some(self.subscription.clone()),
            subscription: self.subscription.clone(),
            unclaimed: self.is_unclaimed(),
            correlation_id: None,
            only_receiver: None,
        }
    }

    /// The next version without a change. Committing it proves that no one else changed the record
    /// since we read it.
    pub fn reaffirm(&self, now: Timestamp) -> NextVersion {
        self.noted(now, |_| {})
    }

    /// A purchase that the publisher has declined is not confirmed and not activated any more.
    fn stale_unless_pending_fulfillment(&self) -> Option<Decision> {
        let is_open =
            *self.status() == Status::PendingFulfillmentStart && self.declined().is_none();
        (!is_open).then_some(Decision::Stale(Staleness::Impossible))
    }

    /// The buyer confirmed, so we ask the publisher's product to activate. The event is recorded only
    /// once.
    pub fn request_activation(&self, cause: &Cause, now: Timestamp) -> Decision {
        if let Some(stale) = self.stale_unless_pending_fulfillment() {
            return stale;
        }
        match self.activation {
            Some(_) => Decision::Unchanged,
            None => {
                let kind = EventKind::ActivationRequested;
                Decision::Commit(self.announce(kind, cause, now, |record| {
                    record.activation = Some(ActivationRequest::AwaitsPublisher { since: now });
                }))
            }
        }
    }

    /// Notes that we are about to activate at Microsoft, so that the reconciliation can finish it if
    /// we are interrupted. A second attempt is a version of its own: the first one sees it, should
    /// Microsoft refuse the first one because of it.
    pub fn begin_activation(&self, now: Timestamp) -> Decision {
        self.begin_approved_activation(None, now)
    }

    /// The same, with the publisher's approval of the purchase.
    pub fn begin_approved_activation(&self, approval: Option<&Ruling>, now: Timestamp) -> Decision {
        if let Some(stale) = self.stale_unless_pending_fulfillment() {
            return stale;
        }
        Decision::Commit(self.noted(now, |record| {
            record.activation = Some(ActivationRequest::AwaitsMicrosoft { since: now });
            if let Some(ruling) = approval {
                record.decision = Some(PurchaseDecision { ruling: ruling.clone(), at: now });
            }
        }))
    }

    /// Microsoft refused the attempt that began with `version`. One that began earlier, at `since`,
    /// may be under way.
    pub fn resume_activation(&self, version: u64, since: Timestamp, now: Timestamp) -> Decision {
        match self.activation {
            Some(ActivationRequest::AwaitsMicrosoft { since: noted })
                if self.version == version && noted != since =>
            {
                Decision::Commit(self.noted(now, |record| {
                    record.activation = Some(ActivationRequest::AwaitsMicrosoft { since });
                }))
            }
            Some(_) | None => Decision::Unchanged,
        }
    }

    /// Microsoft refused the activation for good. `version` is the one that the attempt began with:
    /// another attempt that began since may be under way.
    pub fn abandon_activation(&self, version: u64, now: Timestamp) -> Decision {
        match self.activation {
            None => Decision::Unchanged,
            Some(_) if self.version != version => Decision::Unchanged,
            Some(_) => Decision::Commit(self.noted(now, |record| {
                record.activation = None;
                record.decision = None;
            })),
        }
    }

    /// Keeps the buyer's answers until the product or Microsoft has been told. After that, a
    /// second browser tab can't change them.
    pub fn keep_sign_up(&self, sign_up: &SignUp, now: Timestamp) -> Decision {
        if let Some(stale) = self.stale_unless_pending_fulfillment() {
            return stale;
        }
        if self.activation.is_some() || self.sign_up.as_ref() == Some(sign_up) {
            return Decision::Unchanged;
        }
        Decision::Commit(self.noted(now, |record| record.sign_up = Some(sign_up.clone())))
    }

    /// Notes what we are about to ask Microsoft for.
    pub fn note_request(&self, request: &OwnRequest, now: Timestamp) -> Decision {
        Decision::Commit(self.noted(now, |record| {
            record.own_requests.insert(0, request.clone());
            record.own_requests.truncate(OWN_REQUESTS);
            record.note_decline(request);
        }))
    }

    /// Microsoft refused our request: no operation will come of it. An equal request that another
    /// function made at the same moment stays.
    pub fn withdraw_request(&self, request: &OwnRequest, now: Timestamp) -> Decision {
        match self.own_requests.iter().position(|own| own == request) {
            None => Decision::Unchanged,
            Some(place) => Decision::Commit(self.noted(now, |record| {
                record.own_requests.remove(place);
                record.withdraw_decline(request);
            })),
        }
    }

    /// Microsoft made this operation of our request: waits until it ends. If the webhook has
    /// recognised it already, there is nothing left to wait for.
    pub fn await_request(
        &self,
        id: &OperationId,
        request: &OwnRequest,
        now: Timestamp,
    ) -> Decision {
        if self.own_requests.iter().any(|own| own.operation_id.as_ref() == Some(id)) {
            return Decision::Unchanged;
        }
        match self.await_operation(id, &request.action, now) {
            Decision::Unchanged => Decision::Commit(self.noted(now, |_| {})),
            decision => decision,
        }
        .recognising(id, request)
    }

    /// Notes an operation that we requested, until it ends.
    pub(super) fn await_operation(
        &self,
        id: &OperationId,
        action: &Action,
        now: Timestamp,
    ) -> Decision {
        self.note_pending(
            PendingOperation { id: id.clone(), action: action.clone(), since: now, ruling: None },
            now,
        )
    }

    /// Notes an operation that we answered, until it ends: Microsoft may not have received the
    /// answer.
    pub fn await_answered(
        &self,
        id: &OperationId,
        action: &Action,
        answer: &Ruling,
        now: Timestamp,
    ) -> Decision {
        let (id, action, ruling) = (id.clone(), action.clone(), Some(answer.clone()));
        self.note_pending(PendingOperation { id, action, since: now, ruling }, now)
    }

    fn note_pending(&self, operation: PendingOperation, now: Timestamp) -> Decision {
        match &self.pending_operation {
            Some(pending) if pending.id == operation.id => Decision::Unchanged,
            // Our ruling would be lost. The new operation is recognised by its source (F-OP-3).
            Some(pending) if pending.ruling.is_some() && operation.ruling.is_none() => {
                Decision::Unchanged
            }
            Some(_) | None => Decision::Commit(
                self.noted(now, |record| record.pending_operation = Some(operation)),
            ),
        }
    }

    /// The operation has ended. Ends the wait, if the record waits for this one.
    pub fn forget_operation(&self, id: &OperationId, now: Timestamp) -> Decision {
        match &self.pending_operation {
            Some(pending) if pending.id == *id => {
                Decision::Commit(self.noted(now, |record| record.pending_operation = None))
            }
            Some(_) | None => Decision::Unchanged,
        }
    }

    /// Notes that this operation has settled, and that Microsoft's copy doesn't show its result.
    pub fn note_settled(&self, id: &OperationId, now: Timestamp) -> Decision {
        match self.settled_operations.seen_at(id) {
            Some(_) => Decision::Unchanged,
            None => {
                Decision::Commit(self.noted(now, |record| record.settled_operations.see(id, now)))
            }
        }
    }

    /// Notes who opened the purchase, unless the record says so already.
    fn identify_as(&self, found: Identification, now: Timestamp) -> Decision {
        if self.identified_as.is_some_and(|known| known.matches(found)) {
            return Decision::Unchanged;
        }
        Decision::Commit(self.noted(now, |record| record.identified_as = Some(found.at(now))))
    }

    /// Remembers what Microsoft says of the plan in force. Another plan may have come into force since
    /// Microsoft was asked.
    pub fn see_plan(&self, seen: &SeenPlan, now: Timestamp) -> Decision {
        if seen.plan_id != self.subscription.plan_id || self.seen_plan() == Some(seen) {
            return Decision::Unchanged;
        }
        Decision::Commit(self.noted(now, |record| record.seen_plan = Some(seen.clone())))
    }

    /// When the deadline of a purchase is announced; `None` if it was, or if there is none.
    pub(super) fn deadline_due(&self) -> Option<Timestamp> {
        let is_pending = *self.status() == Status::PendingFulfillmentStart;
        if self.deadline_announced || !is_pending || self.declined().is_some() {
            return None;
        }
        self.subscription
            .created?
            .checked_add(ACTIVATION_DEADLINE - ACTIVATION_DEADLINE_NOTICE)
            .ok()
    }

    /// Records an event, once, when a purchase is about to lapse (F-LC-3).
    pub fn announce_deadline(&self, cause: &Cause, now: Timestamp) -> Decision {
        if self.deadline_due().is_none_or(|due| now < due) {
            return Decision::Unchanged;
        }
        let kind = EventKind::ActivationDeadlineApproaching;
        Decision::Commit(self.announce(kind, cause, now, |record| record.deadline_announced = true))
    }
}

impl Identification {
    fn at(self, at: Timestamp) -> IdentifiedAs {
        IdentifiedAs { role: self.role, matched_by: self.matched_by, at }
    }
}

impl Decision {
    /// This decision, which also stops awaiting the operation.
    #[must_use]
    pub fn no_longer_awaiting(self, id: &OperationId, current: &Record, now: Timestamp) -> Self {
        match self {
            Self::Commit(mut next) => {
                next.record.pending_operation.take_if(|pending| pending.id == *id);
                Self::Commit(next)
            }
            Self::Unchanged => current.forget_operation(id, now),
            Self::Stale(staleness) => Self::Stale(staleness),
        }
    }

    /// This decision, which also connects our request with the operation that Microsoft made of
    /// it.
    #[must_use]
    pub fn recognising(mut self, id: &OperationId, request: &OwnRequest) -> Self {
        if let Self::Commit(next) = &mut self
            && let Some(own) = next.record.own_requests.iter_mut().find(|own| *own == request)
        {
            own.operation_id = Some(id.clone());
        }
        self
    }

    /// This decision, which also records who opened the purchase.
    #[must_use]
    pub fn identifying(
        self,
        found: Identification,
        current: Option<&Record>,
        now: Timestamp,
    ) -> Self {
        match (self, current) {
            (Self::Commit(mut next), _) => {
                if next.record.identified_as.is_none_or(|known| !known.matches(found)) {
                    next.record.identified_as = Some(found.at(now));
                }
                Self::Commit(next)
            }
            (Self::Unchanged, Some(record)) => record.identify_as(found, now),
            (Self::Unchanged, None) => Self::Unchanged,
            (Self::Stale(staleness), _) => Self::Stale(staleness),
        }
    }
}

#[cfg(test)]
mod tests;
