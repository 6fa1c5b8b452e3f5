//! An operation as Microsoft keeps it: a change that was requested, or one that has happened.

use super::subscription::SubscriptionState;
use super::time;
use super::words::{AZURE, IN_PROGRESS, NOT_STARTED, PARTNER, SUCCEEDED, Word, word};
use crate::settings::{Oddities, WebhookForm};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// An auto-activated purchase.
    Subscribe,
    ChangePlan,
    ChangeQuantity,
    /// The next term begins.
    Renew,
    /// The customer has not paid.
    Suspend,
    /// The customer has paid after a suspension.
    Reinstate,
    Unsubscribe,
    /// An undocumented word (F-WHA-9).
    Other(String),
}

impl Action {
    /// The word in JSON.
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

    /// The action that has this word in JSON.
    pub(super) fn from_word(word: &str) -> Self {
        let known = [
            Self::Subscribe,
            Self::ChangePlan,
            Self::ChangeQuantity,
            Self::Renew,
            Self::Suspend,
            Self::Reinstate,
            Self::Unsubscribe,
        ];
        let found = known.into_iter().find(|action| action.as_str() == word);
        found.unwrap_or_else(|| Self::Other(word.to_owned()))
    }

    /// Whether the publisher can refuse it (F-WHA-3, F-WHA-4).
    pub(super) fn is_change(&self) -> bool {
        matches!(self, Self::ChangePlan | Self::ChangeQuantity)
    }
}

/// A requested plan or number of seats.
pub(super) enum Change {
    Plan(String),
    Quantity(u32),
}

impl Change {
    pub(super) fn action(&self) -> Action {
        match self {
            Self::Plan(_) => Action::ChangePlan,
            Self::Quantity(_) => Action::ChangeQuantity,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationState {
    /// The webhook's `id` as well.
    pub id: Uuid,
    /// An id that publishers have no use for (F-OP-4).
    pub activity_id: Uuid,
    pub subscription_id: Uuid,
    pub publisher_id: String,
    pub offer_id: String,
    /// The requested plan.
    pub plan_id: String,
    /// The requested seats of a per-seat plan.
    pub quantity: Option<u32>,
    pub action: Action,
    /// When the operation was requested.
    pub time_stamp: Timestamp,
    /// One of Microsoft's five words.
    #[serde(deserialize_with = "word")]
    pub status: Word,
    /// `Azure` or `Partner`.
    #[serde(deserialize_with = "word")]
    pub source: Word,
    /// Why it failed.
    pub error_message: String,
    /// When the webhook first reached the publisher. The time to refuse the change starts then.
    pub notified_at: Option<Timestamp>,
    pub settled_at: Option<Timestamp>,
}

/// What is chosen about an operation; the rest follows from the subscription and the clock.
pub(super) struct NewOperation<'a> {
    pub(super) id: Uuid,
    pub(super) subscription: &'a SubscriptionState,
    pub(super) action: Action,
    pub(super) plan_id: String,
    pub(super) quantity: Option<u32>,
    pub(super) status: &'static str,
    pub(super) source: &'static str,
}

impl<'a> NewOperation<'a> {
    /// An operation on Microsoft's side that waits for the publisher.
    pub(super) fn request(id: Uuid, subscription: &'a SubscriptionState, action: Action) -> Self {
        Self {
            id,
            subscription,
            action,
            plan_id: subscription.plan_id.clone(),
            quantity: subscription.quantity,
            status: IN_PROGRESS,
            source: AZURE,
        }
    }

    /// News of something that has happened already.
    pub(super) fn notice(id: Uuid, subscription: &'a SubscriptionState, action: Action) -> Self {
        Self { status: SUCCEEDED, ..Self::request(id, subscription, action) }
    }

    /// An operation that the publisher requests.
    pub(super) fn partner(id: Uuid, subscription: &'a SubscriptionState, action: Action) -> Self {
        let source = PARTNER;
        Self { status: NOT_STARTED, source, ..Self::request(id, subscription, action) }
    }

    /// Takes the requested plan or seats instead of the subscription's.
    pub(super) fn changing(mut self, change: Change) -> Self {
        match change {
            Change::Plan(plan) => self.plan_id = plan,
            Change::Quantity(seats) => self.quantity = Some(seats),
        }
        self
    }
}

impl OperationState {
    /// Whether the publisher can refuse it (F-WHA-3, F-WHA-4).
    pub fn is_change(&self) -> bool {
        self.action.is_change()
    }

    pub(super) fn is_pending(&self) -> bool {
        matches!(self.status, NOT_STARTED | IN_PROGRESS)
    }

    /// The JSON in the answer of Get operation (section 5). It leaves out null members (F-OP-3).
    pub(super) fn wire(&self, oddities: &Oddities) -> Value {
        let mut object = self.wire_common(oddities);
        let names_seats =
            !oddities.seats_only_if_requested || self.action == Action::ChangeQuantity;
        if let Some(seats) = self.quantity.filter(|_| names_seats) {
            object.insert("quantity".into(), oddities.quantity(seats));
        }
        object.insert(
            "errorStatusCode".into(),
            json!(if self.error_message.is_empty() { "" } else { "400" }),
        );
        object.insert("errorMessage".into(), json!(self.error_message));
        Value::Object(object)
    }

    /// The webhook's body (6.3), with a snapshot of the subscription.
    pub(super) fn wire_notification(
        &self,
        subscription: &SubscriptionState,
        form: WebhookForm,
        oddities: &Oddities,
    ) -> Value {
        match form {
            WebhookForm::Full => {
                let mut object = self.wire_common(oddities);
                // A flat rate shows one seat at the top level (F-WHP-3).
                object.insert("quantity".into(), oddities.quantity(self.quantity.unwrap_or(1)));
                object.insert("subscription".into(), subscription.wire_snapshot(oddities));
                object.insert("purchaseToken".into(), Value::Null);
                Value::Object(object)
            }
            WebhookForm::Sparse => json!({
                "id": oddities.operation_id(self.id),
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
        let status = oddities.operation_word(self.status);
        let object = json!({
            "id": oddities.operation_id(self.id),
            "activityId": self.activity_id,
            "publisherId": self.publisher_id,
            "offerId": self.offer_id,
            "planId": self.plan_id,
            "operationRequestSource": self.source,
            "subscriptionId": self.subscription_id,
            "timeStamp": time::wire(self.time_stamp),
            "action": oddities.text(self.action.as_str()),
            "status": oddities.text(status),
        });
        let mut object = match object {
            Value::Object(object) => object,
            _ => Map::new(),
        };
        oddities.add_extras(&mut object);
        object
    }
}
