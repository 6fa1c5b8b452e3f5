//! Approving and declining purchases: what a record notes of it, and which event says so.

use thiserror::Error;

use super::event::EventKind;
use super::own_request::{OwnRequest, Requester};
use super::purchase_decision::PurchaseDecision;
use super::record::{ActivationRequest, Record};
use super::ruling::{Ruling, Verdict};
use super::subscription::Status;

/// Why a purchase can't be declined.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum DeclineRefused {
    #[error(
        "the subscription is {0}; only a purchase that waits for its activation can be declined"
    )]
    NotPending(Status),
    #[error("Microsoft has been asked to activate the purchase")]
    BeingActivated,
}

impl OwnRequest {
    /// Whether it cancels a purchase because the publisher declines it.
    fn declines(&self) -> Option<&Ruling> {
        let is_cancellation = self.plan_id.is_none() && self.quantity.is_none();
        let by_publisher = matches!(self.requester, Requester::Publisher { .. });
        let ruling = self.ruling.as_ref().filter(|ruling| ruling.verdict == Verdict::Reject);
        ruling.filter(|_| is_cancellation && by_publisher)
    }
}

impl Record {
    /// Why the publisher declined the purchase; `None` if it did not.
    pub fn declined(&self) -> Option<&PurchaseDecision> {
        self.decision_with(Verdict::Reject)
    }

    /// The publisher's approval of the purchase.
    pub fn approved(&self) -> Option<&PurchaseDecision> {
        self.decision_with(Verdict::Accept)
    }

    fn decision_with(&self, verdict: Verdict) -> Option<&PurchaseDecision> {
        self.decision.as_ref().filter(|decision| decision.ruling.verdict == verdict)
    }

    /// Whether the purchase can be declined now. To decline it again repeats the request to Microsoft.
    ///
    /// # Errors
    /// [`DeclineRefused`]
    pub fn may_be_declined(&self) -> Result<(), DeclineRefused> {
        match (self.status(), self.activation) {
            (
                Status::PendingFulfillmentStart,
                None | Some(ActivationRequest::AwaitsPublisher { .. }),
            ) => Ok(()),
            (Status::PendingFulfillmentStart, Some(ActivationRequest::AwaitsMicrosoft { .. })) => {
                Err(DeclineRefused::BeingActivated)
            }
            (status, _) => Err(DeclineRefused::NotPending(status.clone())),
        }
    }

    /// Notes the decision that a request carries out.
    pub(super) fn note_decline(&mut self, request: &OwnRequest) {
        if let Some(ruling) = request.declines() {
            self.decision = Some(PurchaseDecision { ruling: ruling.clone(), at: request.at });
        }
    }

    /// Microsoft refused the request: the purchase is not declined.
    pub(super) fn withdraw_decline(&mut self, request: &OwnRequest) {
        if request.declines().is_some() {
            self.decision.take_if(|decision| decision.at == request.at);
        }
    }

    /// The decision that an event carries out.
    pub(super) fn ruling_of(&self, kind: &EventKind) -> Option<Ruling> {
        let decision = match kind {
            EventKind::Activated => self.approved(),
            EventKind::Unsubscribed => self.declined(),
            _ => None,
        };
        decision.map(|decision| decision.ruling.clone())
    }
}

#[cfg(test)]
mod tests;
