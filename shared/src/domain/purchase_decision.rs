//! What the publisher decides about a purchase that waits for its activation: to activate it, or to decline
//! it. Microsoft has no word for declining; a cancellation in that state is one (F-CAN-6), and bills nothing
//! (F-ACT-6).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::event::EventKind;
use super::own_request::{OwnRequest, Requester};
use super::record::{ActivationRequest, Record};
use super::ruling::{DecidedBy, LONGEST_REASON, Ruling, Verdict};
use super::subscription::Status;

/// The decision about a purchase, as the record keeps it.
///
/// Serialised in stored records and in answers of the API: members are only added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PurchaseDecision {
    #[serde(flatten)]
    pub ruling: Ruling,
    pub at: Timestamp,
}

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

impl Ruling {
    /// The publisher's decision about a purchase, for the buyer to read: the reason stays as it is.
    pub fn about_purchase(
        verdict: Verdict,
        reason: Option<String>,
        principal: Option<String>,
    ) -> Self {
        Self { verdict, by: DecidedBy::Publisher, reason, principal }
    }
}

/// A reason for a buyer, without blanks around it: one line of plain text. `None` if it is none.
pub fn purchase_reason(text: &str) -> Option<String> {
    let reason = text.trim();
    let fits = (1..=LONGEST_REASON).contains(&reason.chars().count());
    (fits && !reason.contains(char::is_control)).then(|| reason.to_owned())
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

impl PurchaseDecision {
    /// The same without the reason, which may name a person.
    #[must_use]
    pub(super) fn without_reason(self) -> Self {
        Self { ruling: Ruling { reason: None, ..self.ruling }, ..self }
    }
}

#[cfg(test)]
mod tests;
