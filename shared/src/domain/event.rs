//! What happened to a subscription, in the order it happened.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::claim::Claimant;
use super::operation::{Action, OperationSource};
use super::operation_id::OperationId;
use super::own_request::Requester;
use super::requested_change::RequestedChange;
use super::ruling::Ruling;
use super::sign_up::SignUp;
use super::subscription::{Subscription, SubscriptionId};

/// One transition of one subscription, recorded with the record that shows its result.
///
/// Serialised in the table and in answers of the API: members are only added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    pub subscription_id: SubscriptionId,
    /// The version of the record that this event led to.
    pub version: u64,
    /// Its place among the events of that version, from zero.
    pub index: u8,
    #[serde(flatten)]
    pub kind: EventKind,
    pub cause: Cause,
    pub recorded_at: Timestamp,
    /// The subscription before this event; `None` for a purchase, for an imported subscription, where a
    /// record is restated after a restore, where personal data was erased, and in events recorded before
    /// this member existed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Subscription>,
    /// The subscription after this event.
    pub subscription: Subscription,
    /// The buyer's answers, on the events that lead a product to set an account up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign_up: Option<SignUp>,
    /// Who accepted or rejected a requested change, and why.
    #[serde(default, rename = "decision", skip_serializing_if = "Option::is_none")]
    pub ruling: Option<Ruling>,
    /// Microsoft had activated it by itself, and no person had claimed it yet (F-WHD-7). The event that a
    /// person claims it with doesn't say so any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unclaimed: bool,
    /// The correlation id of the work that recorded it, as sent to Microsoft (F-GEN-5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<Uuid>,
    /// The name of the one receiver that it is for; `None`: every one. Of a test event alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only_receiver: Option<String>,
}

impl Event {
    /// Its position among all events of its subscription.
    pub fn position(&self) -> Position {
        Position { version: self.version, index: self.index }
    }

    /// Stable, ordered and never reused: subscription, version, index.
    pub fn id(&self) -> String {
        format!("{}-{}-{}", self.subscription_id, self.version, self.index)
    }
}

/// A position among the events of a subscription. The default comes before the first event.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Position {
    pub version: u64,
    pub index: u8,
}

impl Position {
    /// The first position after this one.
    #[must_use]
    pub fn next(self) -> Self {
        match self.index.checked_add(1) {
            Some(index) => Self { index, ..self },
            None => Self { version: self.version.saturating_add(1), index: 0 },
        }
    }

    /// The last position before this one.
    #[must_use]
    pub fn previous(self) -> Self {
        match self.index.checked_sub(1) {
            Some(index) => Self { index, ..self },
            None if self.version == 0 => self,
            None => Self { version: self.version - 1, index: u8::MAX },
        }
    }
}

/// What happened. The publisher's product receives an event of each kind, if it [is
/// announced](EventKind::is_announced).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub enum EventKind {
    /// The customer bought it.
    Purchased,
    /// The deployment's first full round found a customer from before its first start.
    Imported {
        /// Whether the product is sent it.
        announced: bool,
    },
    /// The buyer confirmed; the product is to provision and then to activate (`by-publisher`).
    ActivationRequested,
    /// Billing began.
    Activated,
    /// The first person whom Microsoft names came for a subscription that it had activated by itself.
    Claimed { claimant: Claimant },
    /// A buyer filled in the form for such a subscription.
    SignedUp,
    /// Another plan came into force.
    PlanChanged { from: String, to: String },
    /// Another number of seats came into force.
    QuantityChanged {
        /// `None` on a flat-rate plan.
        from: Option<u64>,
        to: Option<u64>,
    },
    /// A requested change was rejected. Nothing else changed. If Microsoft makes the change anyway,
    /// its own event follows (F-WHA-12).
    ChangeRejected { change: RequestedChange },
    /// A new term began.
    Renewed,
    /// Something else changed: the name, the people, the renewal, what the customer may do, or a
    /// status that this program does not know. Or a record is restated after a restore.
    DetailsChanged,
    /// Payment failed.
    Suspended,
    /// Payment is back, and so is access.
    Reinstated,
    /// The subscription ended, for good. Only the erasure of its personal data follows.
    Unsubscribed,
    /// The purchase lapses soon unless it is activated (F-LC-3).
    ActivationDeadlineApproaching,
    /// The personal data of an ended subscription was erased. No event follows it.
    PersonalDataErased,
    /// Nothing happened: an operator asks whether events arrive. See [`Event::test`].
    Test,
}

impl EventKind {
    /// Whether the buyer's answers travel with it: only where a product sets an account up.
    pub(super) fn carries_sign_up(&self) -> bool {
        matches!(
            self,
            Self::ActivationRequested
                | Self::ActivationDeadlineApproaching
                | Self::Activated
                | Self::SignedUp
        )
    }

    /// Whether the product is sent it. Every other event counts as delivered once a cursor meets it.
    pub fn is_announced(&self) -> bool {
        !matches!(self, Self::Imported { announced: false })
    }

    /// As serialised.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Purchased => "Purchased",
            Self::Imported { .. } => "Imported",
            Self::ActivationRequested => "ActivationRequested",
            Self::Activated => "Activated",
            Self::Claimed { .. } => "Claimed",
            Self::SignedUp => "SignedUp",
            Self::PlanChanged { .. } => "PlanChanged",
            Self::QuantityChanged { .. } => "QuantityChanged",
            Self::ChangeRejected { .. } => "ChangeRejected",
            Self::Renewed => "Renewed",
            Self::DetailsChanged => "DetailsChanged",
            Self::Suspended => "Suspended",
            Self::Reinstated => "Reinstated",
            Self::Unsubscribed => "Unsubscribed",
            Self::ActivationDeadlineApproaching => "ActivationDeadlineApproaching",
            Self::PersonalDataErased => "PersonalDataErased",
            Self::Test => "Test",
        }
    }
}

/// How we learned of a transition.
///
/// Serialised in stored events and in answers of the API: members are only added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Cause {
    /// A visit to the landing page.
    Landing,
    /// The activation of a purchase.
    Activation {
        /// The caller, as AWS names it; `None` where the host doesn't say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        principal: Option<String>,
    },
    /// A webhook call.
    Webhook {
        /// The action that the call named.
        action: Action,
        /// The operation that the call named, if any.
        #[serde(skip_serializing_if = "Option::is_none")]
        operation_id: Option<OperationId>,
        /// Who requested the change, where Microsoft's operation says so (F-OP-3).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        source: Option<OperationSource>,
        /// Who wanted the change, where we asked Microsoft for it ourselves.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        requester: Option<Requester>,
    },
    /// A call of the publisher's API.
    Management {
        /// As for an activation.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        principal: Option<String>,
    },
    /// The scheduled comparison with Microsoft's copy.
    Reconciliation,
}

impl Cause {
    /// Its serialised member `by`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Landing => "landing",
            Self::Activation { .. } => "activation",
            Self::Webhook { .. } => "webhook",
            Self::Management { .. } => "management",
            Self::Reconciliation => "reconciliation",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(version: u64, index: u8) -> Position {
        Position { version, index }
    }

    #[test]
    fn positions_step_forward_and_back_across_versions() {
        assert_eq!(Position::default().next(), at(0, 1));
        assert_eq!(at(7, 2).next(), at(7, 3));
        assert_eq!(at(7, 2).previous(), at(7, 1));
        assert_eq!(at(7, u8::MAX).next(), at(8, 0));
        assert_eq!(at(8, 0).previous(), at(7, u8::MAX));
        assert_eq!(Position::default().previous(), Position::default());
        assert!(at(7, 3) < at(8, 0) && at(8, 0) < at(8, 1));
    }

    #[test]
    fn an_event_without_the_newer_members_is_read() {
        let text = r#"{
            "subscriptionId": "6f1d5a2e-0c57-4d0a-9a53-3b8c1e7f0a11", "version": 3, "index": 0,
            "type": "PlanChanged", "from": "silver", "to": "gold",
            "cause": { "by": "webhook", "action": "ChangePlan",
                       "operationId": "c0a1e9d4-7b1f-4a53-8f9e-2d6b5a4c3e22" },
            "recordedAt": "2026-03-10T12:00:00Z",
            "subscription": { "id": "6f1d5a2e-0c57-4d0a-9a53-3b8c1e7f0a11", "offerId": "offer",
                              "planId": "gold", "saasSubscriptionStatus": "Subscribed" }
        }"#;
        let event: Event = serde_json::from_str(text).expect("an event");
        for (by, expected) in [
            ("activation", Cause::Activation { principal: None }),
            ("management", Cause::Management { principal: None }),
        ] {
            let cause = serde_json::json!({ "by": by });
            assert_eq!(serde_json::to_value(&expected).expect("JSON"), cause);
            assert_eq!(serde_json::from_value::<Cause>(cause).expect("a cause"), expected);
        }
        assert_eq!(event.position(), at(3, 0));
        assert_eq!((event.before, event.correlation_id, event.ruling), (None, None, None));
        assert!(
            matches!(event.cause, Cause::Webhook { source: None, requester: None, .. }),
            "{:?}",
            event.cause
        );
    }
}
