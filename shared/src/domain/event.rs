//! What happened to a subscription, in the order it happened.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::operation::{Action, OperationId};
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
    /// The subscription after this event.
    pub subscription: Subscription,
    /// What the buyer told the publisher, with the events that a product sets an account up by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign_up: Option<SignUp>,
}

impl Event {
    /// Stable, ordered and never reused: subscription, version, index.
    pub fn id(&self) -> String {
        format!("{}-{}-{}", self.subscription_id, self.version, self.index)
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
    /// Its name, as serialised.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Purchased => "Purchased",
            Self::ActivationRequested => "ActivationRequested",
            Self::Activated => "Activated",
            Self::PlanChanged { .. } => "PlanChanged",
            Self::QuantityChanged { .. } => "QuantityChanged",
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
    },
    /// A call of the publisher's own API.
    Management,
    /// The scheduled comparison with Microsoft's copy.
    Reconciliation,
}
