//! A requested or reported change as Microsoft keeps it.

use super::people::pad;
use super::subscription::{SubscriptionState, add_extras, wire_quantity};
use super::time;
use crate::settings::{Oddities, WebhookForm};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// Asked for by the publisher and not begun.
pub const NOT_STARTED: &str = "NotStarted";
/// Waits for the publisher's acknowledgement.
pub const IN_PROGRESS: &str = "InProgress";
/// Done.
pub const SUCCEEDED: &str = "Succeeded";
/// Refused, or never accepted.
pub const FAILED: &str = "Failed";
/// The requested value is the present one (F-OP-2).
pub const CONFLICT: &str = "Conflict";

/// Asked for on Microsoft's side.
pub const AZURE: &str = "Azure";
/// Asked for by the publisher.
pub const PARTNER: &str = "Partner";

/// What an operation is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// An auto-activated purchase.
    Subscribe,
    /// Another plan.
    ChangePlan,
    /// Another number of seats.
    ChangeQuantity,
    /// The next term.
    Renew,
    /// Payment is missing.
    Suspend,
    /// Payment came.
    Reinstate,
    /// The end.
    Unsubscribe,
    /// A word nobody documented (F-WHA-9).
    Other(String),
}

impl Action {
    /// The word on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Subscribe => "Subscribe",
            Self::ChangePlan => "ChangePlan",
            Self::ChangeQuantity => "ChangeQuantity",
            Self::Renew => "Renew",
            Self::Suspend => "Suspend",
            Self::Reinstate => "Reinstate",
            Self::Unsubscribe => "Unsubscribe",
            Self::Other(word) => word,
        }
    }

    /// Whether the publisher can refuse it (F-WHA-3, F-WHA-4).
    pub(crate) fn is_change(&self) -> bool {
        matches!(self, Self::ChangePlan | Self::ChangeQuantity)
    }
}

/// One operation at this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationState {
    /// The operation's id, which is the webhook's `id` too.
    pub id: Uuid,
    /// An id without use (F-OP-4).
    pub activity_id: Uuid,
    /// The subscription.
    pub subscription_id: Uuid,
    /// The publisher.
    pub publisher_id: String,
    /// The offer.
    pub offer_id: String,
    /// The requested plan.
    pub plan_id: String,
    /// The requested seats, for per-seat plans.
    pub quantity: Option<u32>,
    /// What it is about.
    pub action: Action,
    /// When it was asked for.
    pub time_stamp: Timestamp,
    /// One of Microsoft's five words.
    pub status: &'static str,
    /// `Azure` or `Partner`.
    pub source: &'static str,
    /// Why it failed.
    pub error_message: String,
    /// When the webhook first reached the publisher: the window to refuse begins.
    pub notified_at: Option<Timestamp>,
    /// When it was settled.
    pub settled_at: Option<Timestamp>,
}

impl OperationState {
    pub(crate) fn is_pending(&self) -> bool {
        matches!(self.status, NOT_STARTED | IN_PROGRESS)
    }

    /// The answer of Get operation (section 5). Null members are left out (F-OP-3).
    pub(crate) fn wire(&self, oddities: &Oddities) -> Value {
        let mut object = self.wire_common(oddities);
        if let Some(seats) = self.quantity {
            object.insert("quantity".into(), wire_quantity(seats, oddities));
        }
        object.insert(
            "errorStatusCode".into(),
            json!(if self.error_message.is_empty() { "" } else { "400" }),
        );
        object.insert("errorMessage".into(), json!(self.error_message));
        Value::Object(object)
    }

    /// The webhook's body (6.3). `subscription` is the state Microsoft holds at that moment.
    pub(crate) fn wire_notification(
        &self,
        subscription: &SubscriptionState,
        form: WebhookForm,
        oddities: &Oddities,
    ) -> Value {
        match form {
            WebhookForm::Full => {
                let mut object = self.wire_common(oddities);
                // A flat rate shows one seat at the top level (F-WHP-3).
                object
                    .insert("quantity".into(), wire_quantity(self.quantity.unwrap_or(1), oddities));
                object.insert("subscription".into(), subscription.wire_snapshot(oddities));
                object.insert("purchaseToken".into(), Value::Null);
                Value::Object(object)
            }
            WebhookForm::Sparse => json!({
                "id": self.id,
                "activityId": self.activity_id,
                "operationRequestSource": self.source,
                "subscriptionId": self.subscription_id,
                "timeStamp": time::wire(self.time_stamp),
                "action": self.action.as_str(),
            }),
            WebhookForm::VeryOld => json!({
                "subscriptionId": self.subscription_id,
                "operationType": self.action.as_str(),
            }),
        }
    }

    fn wire_common(&self, oddities: &Oddities) -> Map<String, Value> {
        let status = oddities.operation_status.as_deref().unwrap_or(self.status);
        let object = json!({
            "id": self.id,
            "activityId": self.activity_id,
            "publisherId": self.publisher_id,
            "offerId": self.offer_id,
            "planId": self.plan_id,
            "operationRequestSource": self.source,
            "subscriptionId": self.subscription_id,
            "timeStamp": time::wire(self.time_stamp),
            "action": pad(self.action.as_str(), oddities.padded_strings),
            "status": pad(status, oddities.padded_strings),
        });
        let mut object = match object {
            Value::Object(object) => object,
            _ => Map::new(),
        };
        add_extras(&mut object, oddities);
        object
    }
}
