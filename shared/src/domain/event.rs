//! What happened to a subscription, in the order it happened.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::operation::{Action, Operation, OperationId, OperationSource};
use super::review::{RequestedChange, Ruling};
use super::sign_up::SignUp;
use super::subscription::{Subscription, SubscriptionId};

/// One transition of one subscription, recorded with the record that shows its result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// Whose.
    pub subscription_id: SubscriptionId,
    /// The version of the record this event is part of.
    pub version: u64,
    /// Its place among the events of that version, from zero.
    pub index: u8,
    /// What happened.
    #[serde(flatten)]
    pub kind: EventKind,
    /// How we learned of it.
    pub cause: Cause,
    /// When we recorded it.
    pub recorded_at: Timestamp,
    /// The subscription before this event; `None` for a purchase, and where it wasn't recorded yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Subscription>,
    /// The subscription after this event.
    pub subscription: Subscription,
    /// What the buyer told the publisher, with the events that a product sets an account up by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign_up: Option<SignUp>,
    /// By whose word a requested change was accepted or rejected, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Ruling>,
    /// The correlation id of the piece of work that recorded it, as Microsoft was sent it (F-GEN-5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<Uuid>,
}

impl Event {
    /// Its place among all events of its subscription.
    pub fn position(&self) -> Position {
        Position { version: self.version, index: self.index }
    }

    /// Stable, ordered and never reused: subscription, version, index.
    pub fn id(&self) -> String {
        format!("{}-{}-{}", self.subscription_id, self.version, self.index)
    }
}

/// A place among the events of a subscription. The default is the one before the first event.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Position {
    /// The version of the record.
    pub version: u64,
    /// The place among the events of that version.
    pub index: u8,
}

impl Position {
    /// The place right after this one, where an event may stand.
    #[must_use]
    pub fn next(self) -> Self {
        match self.index.checked_add(1) {
            Some(index) => Self { index, ..self },
            None => Self { version: self.version.saturating_add(1), index: 0 },
        }
    }

    /// The place right before this one.
    #[must_use]
    pub fn previous(self) -> Self {
        match self.index.checked_sub(1) {
            Some(index) => Self { index, ..self },
            None if self.version == 0 => self,
            None => Self { version: self.version - 1, index: u8::MAX },
        }
    }
}

/// The transitions a publisher's product hears of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub enum EventKind {
    /// We learned of the purchase.
    Purchased,
    /// The buyer confirmed; the product is to provision and then to activate (`by-publisher`).
    ActivationRequested,
    /// Billing began.
    Activated,
    /// Another plan is in force.
    PlanChanged {
        /// The plan before.
        from: String,
        /// The plan now.
        to: String,
    },
    /// Another number of seats is in force.
    QuantityChanged {
        /// Seats before; `None` on a flat-rate plan.
        from: Option<u64>,
        /// Seats now.
        to: Option<u64>,
    },
    /// A change was asked for and rejected. Nothing else has changed; should Microsoft make it in
    /// spite of that, the event of the change follows (F-WHA-12).
    ChangeRejected {
        /// What was asked for.
        change: RequestedChange,
    },
    /// A new term began.
    Renewed,
    /// Something else changed: name, people, renewal, what the customer may do, or a status this
    /// program has no word for.
    DetailsChanged,
    /// Payment failed.
    Suspended,
    /// Access is back.
    Reinstated,
    /// Over, for good. Nothing follows it.
    Unsubscribed,
    /// The purchase lapses soon if nobody activates it (F-LC-3).
    ActivationDeadlineApproaching,
}

impl EventKind {
    /// Whether what the buyer told travels with it: where an account is set up, and with nothing else.
    pub(super) fn bears_sign_up(&self) -> bool {
        matches!(
            self,
            Self::ActivationRequested | Self::ActivationDeadlineApproaching | Self::Activated
        )
    }

    /// Its name, as serialised.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Purchased => "Purchased",
            Self::ActivationRequested => "ActivationRequested",
            Self::Activated => "Activated",
            Self::PlanChanged { .. } => "PlanChanged",
            Self::QuantityChanged { .. } => "QuantityChanged",
            Self::ChangeRejected { .. } => "ChangeRejected",
            Self::Renewed => "Renewed",
            Self::DetailsChanged => "DetailsChanged",
            Self::Suspended => "Suspended",
            Self::Reinstated => "Reinstated",
            Self::Unsubscribed => "Unsubscribed",
            Self::ActivationDeadlineApproaching => "ActivationDeadlineApproaching",
        }
    }
}

/// How we learned of a transition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Cause {
    /// A visit to the landing page.
    Landing,
    /// The activation of a purchase.
    Activation,
    /// A call of the webhook.
    Webhook {
        /// What Microsoft said had happened.
        action: Action,
        /// The operation, where the call named one.
        #[serde(skip_serializing_if = "Option::is_none")]
        operation_id: Option<OperationId>,
        /// Who asked for the change, where Microsoft's operation says so (F-OP-3).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        source: Option<OperationSource>,
    },
    /// A call of the publisher's own API.
    Management,
    /// The scheduled comparison with Microsoft's copy.
    Reconciliation,
}

impl Cause {
    /// The same cause, with what Microsoft's operation tells of it.
    #[must_use]
    pub fn told_by(&self, operation: &Operation) -> Self {
        match self {
            Self::Webhook { action, operation_id, source } => Self::Webhook {
                action: action.clone(),
                operation_id: *operation_id,
                source: operation.operation_request_source.clone().or_else(|| source.clone()),
            },
            Self::Landing | Self::Activation | Self::Management | Self::Reconciliation => {
                self.clone()
            }
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
    fn a_place_lies_between_the_one_before_and_the_one_after_it() {
        assert_eq!(Position::default().next(), at(0, 1));
        assert_eq!(at(7, 2).next(), at(7, 3));
        assert_eq!(at(7, 2).previous(), at(7, 1));
        assert_eq!(at(7, u8::MAX).next(), at(8, 0));
        assert_eq!(at(8, 0).previous(), at(7, u8::MAX));
        assert_eq!(Position::default().previous(), Position::default());
        assert!(at(7, 3) < at(8, 0) && at(8, 0) < at(8, 1));
    }

    #[test]
    fn an_event_of_an_older_deployment_is_read() {
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
        assert_eq!(event.position(), at(3, 0));
        assert_eq!((event.before, event.correlation_id, event.decision), (None, None, None));
        assert!(matches!(event.cause, Cause::Webhook { source: None, .. }), "{:?}", event.cause);
    }
}
