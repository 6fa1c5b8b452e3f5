//! A change that was requested, and that is not in force yet.

use jiff::SignedDuration;
use shared::domain::{OwnRequest, Subscription};

use crate::purchase::Opened;

/// How long a request whose answer got lost may still turn out to be under way. After that, the
/// reconciliation has compared the subscription, or Microsoft has not received the request.
const LONGEST_DOUBT: SignedDuration = SignedDuration::from_mins(15);

pub(crate) struct UnderWay<'a> {
    /// `None` for a change that we did not ask for.
    pub(crate) request: Option<&'a OwnRequest>,
    /// Whether Microsoft has the request for certain.
    pub(crate) is_received: bool,
}

impl<'a> UnderWay<'a> {
    pub(crate) fn of(opened: &'a Opened) -> Option<Self> {
        let record = &opened.record;
        if let Some(pending) = &record.pending_operation {
            let is_it = |own: &&OwnRequest| own.operation_id.as_ref() == Some(&pending.id);
            let request = record.own_requests.iter().find(is_it);
            return Some(Self { request, is_received: true });
        }
        // The newest is the first.
        let own = record.own_requests.first().filter(|own| own.operation_id.is_none())?;
        let is_young = opened.now.duration_since(own.at) < LONGEST_DOUBT;
        let in_doubt = is_young && !is_in_force(own, &record.subscription);
        in_doubt.then_some(Self { request: Some(own), is_received: false })
    }

    /// The plan that was asked for.
    pub(crate) fn plan_id(&self) -> Option<&'a str> {
        self.request?.plan_id.as_deref()
    }
}

fn is_in_force(own: &OwnRequest, subscription: &Subscription) -> bool {
    match (&own.plan_id, own.quantity) {
        (Some(plan), _) => *plan == subscription.plan_id,
        (None, Some(seats)) => Some(seats) == subscription.quantity,
        // A cancellation, of a subscription that is shown as active.
        (None, None) => false,
    }
}
