//! What an operation and an observation prove about each other.

use jiff::{SignedDuration, Timestamp};

use super::event::Cause;
use super::observation::Observation;
use super::operation::{Action, Operation, OperationStatus};
use super::operation_id::OperationId;
use super::own_request::OwnRequest;
use super::record::Record;
use super::subscription::{Status, SubscriptionId};

/// For how long after its time an operation or a purchase may be missing from Microsoft's reads
/// (F-OPG-5, F-GET-4). If this is shorter, a genuine call is given up too early. If it is longer,
/// Microsoft repeats a call for longer that nothing will ever confirm.
const YOUNG: SignedDuration = SignedDuration::from_mins(15);

/// Whether Microsoft's reads may not show yet what happened at this time. `None` counts as long
/// ago.
pub fn is_young(at: Option<Timestamp>, now: Timestamp) -> bool {
    at.is_some_and(|at| now.duration_since(at) < YOUNG)
}

/// An operation that Microsoft told us of, and what we could find out about it.
#[derive(Debug)]
pub struct Requested {
    pub subscription: SubscriptionId,
    pub id: OperationId,
    pub action: Action,
    /// What Get Operation returned; `None` where we did not ask, or Microsoft does not know it.
    pub operation: Option<Operation>,
    /// How we learned of it.
    pub cause: Cause,
}

impl Requested {
    /// Our own request, where Microsoft made this operation of it.
    pub fn own_request<'a>(&self, record: &'a Record, now: Timestamp) -> Option<&'a OwnRequest> {
        let operation = self.operation.as_ref();
        let asked = operation.and_then(|operation| operation.time_stamp).unwrap_or(now);
        let led_here = |own: &&OwnRequest| own.led_to(&self.id, &self.action, operation, asked);
        // The id proves more than equal values.
        let doubt =
            |own: &&OwnRequest| (own.operation_id.is_none(), asked.duration_since(own.at).abs());
        record.own_requests.iter().filter(led_here).min_by_key(doubt)
    }

    /// Whether the operation that the record waits for has ended, if it is this one. A notice's id is
    /// not verified: without an operation of Microsoft's, the subscription has to show the end of
    /// what the record waits for.
    pub fn ends_wait_of(&self, record: &Record, observed: &Observation, now: Timestamp) -> bool {
        match (&self.operation, &record.pending_operation) {
            (Some(operation), _) => operation.is_settled(),
            (None, Some(pending)) => {
                pending.action == self.action && self.action.led_to(observed, now)
            }
            (None, None) => false,
        }
    }

    /// How we learned of it, and who requested it as far as Microsoft's operation and the record
    /// say so.
    pub fn cause_on(&self, record: Option<&Record>, now: Timestamp) -> Cause {
        let mut cause = self.cause.clone();
        if let Cause::Webhook { source, requester, .. } = &mut cause {
            let operation = self.operation.as_ref();
            *source = operation.and_then(|operation| operation.operation_request_source.clone());
            let own = record.and_then(|record| self.own_request(record, now));
            *requester = own.map(|own| own.requester.clone());
        }
        cause
    }
}

impl Action {
    /// Whether the subscription is in a state that the action leads to, or in a later one.
    pub fn led_to(&self, observed: &Observation, now: Timestamp) -> bool {
        let status = observed.status();
        match self {
            Self::Suspend => matches!(status, Some(Status::Suspended | Status::Unsubscribed)),
            Self::Unsubscribe => status == Some(&Status::Unsubscribed),
            Self::Subscribe => status != Some(&Status::PendingFulfillmentStart),
            Self::Renew => match status {
                // An ended subscription keeps the dates of its last term.
                Some(Status::Unsubscribed) => true,
                // Without an activation there is no term to renew.
                Some(Status::PendingFulfillmentStart) => false,
                _ => observed.term_ends_after(now),
            },
            // A reinstatement may be followed by the next suspension. Plan and seat changes are
            // decided by their own values.
            Self::Reinstate | Self::ChangePlan | Self::ChangeQuantity | Self::Other(_) => true,
        }
    }
}

impl Operation {
    /// Whether the subscription shows exactly the value or status that this operation brings about.
    pub fn is_visible_in(&self, observed: &Observation) -> bool {
        let status = observed.status();
        match &self.action {
            Some(Action::ChangePlan) => self.plan_id.is_some() && self.plan_id == observed.plan_id,
            Some(Action::ChangeQuantity) => {
                self.quantity.is_some() && self.quantity == observed.quantity
            }
            Some(Action::Subscribe | Action::Reinstate) => status == Some(&Status::Subscribed),
            Some(Action::Renew) => {
                status == Some(&Status::Subscribed)
                    && self.time_stamp.is_none_or(|at| observed.term_ends_after(at))
            }
            Some(Action::Suspend) => status == Some(&Status::Suspended),
            Some(Action::Unsubscribe) => status == Some(&Status::Unsubscribed),
            Some(Action::Other(_)) | None => false,
        }
    }

    pub fn has_failed(&self) -> bool {
        self.status == Some(OperationStatus::Failed)
    }
}

/// Dates an observation: one that shows the result of a succeeded operation is at least as young as
/// that operation. A renewal proves nothing: the term before it may last as long.
pub fn proven_by(operation: Option<&Operation>, observed: Observation) -> Observation {
    let proof = operation.filter(|operation| {
        operation.status == Some(OperationStatus::Succeeded)
            && operation.action != Some(Action::Renew)
            && operation.is_visible_in(&observed)
    });
    let as_of = proof.and_then(|operation| operation.time_stamp);
    observed.as_of(as_of)
}

/// Whether an operation has succeeded and Microsoft's copy may not show its result yet.
///
/// An operation says when it was requested, and it may have settled hours later. So the window
/// begins when we first saw that it had settled, which the record remembers
/// ([`Record::note_settled`]). Without a record, the time of the request has to do.
pub fn is_settling(operation: &Operation, record: Option<&Record>, now: Timestamp) -> bool {
    let succeeded = operation.status == Some(OperationStatus::Succeeded);
    succeeded
        && match (record, &operation.id) {
            (Some(record), Some(id)) => record.may_lack_result_of(id, now),
            (None, _) | (_, None) => is_young(operation.time_stamp, now),
        }
}

#[cfg(test)]
mod tests;
