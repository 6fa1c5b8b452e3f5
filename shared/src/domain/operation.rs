//! A requested change, as Get Operation returned it (F-OP).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::operation_id::OperationId;
use super::subscription::SubscriptionId;
use crate::lenient::{Lenient, lenient, members, open_words};

open_words! {
    /// What happens to a subscription (F-WHA, F-OP-1).
    Action {
        /// A purchase of a plan that activates itself (F-WHA-2).
        Subscribe,
        /// A request for another plan; we answer within ten seconds (F-WHA-3).
        ChangePlan,
        /// A request for another number of seats; likewise (F-WHA-4).
        ChangeQuantity,
        /// A new term began (F-WHA-5).
        Renew,
        /// Payment failed (F-WHA-6).
        Suspend,
        /// Payment is back (F-WHA-7).
        Reinstate,
        /// It's over (F-WHA-8).
        Unsubscribe,
    }
}

open_words! {
    /// How far Microsoft has come with an operation (F-OP-2). An acknowledgement uses other words
    /// (F-OPU-2).
    OperationStatus {
        /// Microsoft accepted it and has not begun.
        NotStarted,
        /// Waits for the publisher's acknowledgement or for Microsoft.
        InProgress = "In Progress",
        /// Older documents say `Succeed` and `Success`.
        Succeeded = "Succeed" = "Success",
        Failed = "Failure",
        /// The requested value is the present one. Not an HTTP 409 (F-OPU-5).
        Conflict,
    }
}

impl OperationStatus {
    /// Whether it is final. An unknown word is not (F-CHP-6).
    pub fn is_settled(&self) -> bool {
        match self {
            Self::Succeeded | Self::Failed | Self::Conflict => true,
            Self::NotStarted | Self::InProgress | Self::Other(_) => false,
        }
    }
}

open_words! {
    /// Who requested the change (F-OP-3).
    OperationSource {
        /// The customer, the reseller or Microsoft.
        Azure,
        /// The publisher.
        Partner,
    }
}

/// A requested change, as Microsoft holds it. Only this, never a webhook's body, changes a record.
///
/// Made by the fulfillment client from Microsoft's answers. The API passes it on: members are only
/// added.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Operation {
    #[serde(default, deserialize_with = "lenient")]
    pub id: Option<OperationId>,
    #[serde(default, deserialize_with = "lenient")]
    pub subscription_id: Option<Uuid>,
    #[serde(default, deserialize_with = "lenient")]
    pub action: Option<Action>,
    #[serde(default, deserialize_with = "lenient")]
    pub status: Option<OperationStatus>,
    /// The requested plan.
    #[serde(default, deserialize_with = "lenient")]
    pub plan_id: Option<String>,
    /// The requested seats.
    #[serde(default, deserialize_with = "lenient")]
    pub quantity: Option<u64>,
    /// Who requested it. Microsoft's own emulator writes the name with an extra "ed" (F-EMU-3).
    #[serde(default, alias = "operationRequestedSource", deserialize_with = "lenient")]
    pub operation_request_source: Option<OperationSource>,
    /// When it was requested.
    #[serde(default, deserialize_with = "lenient")]
    pub time_stamp: Option<Timestamp>,
}

impl Lenient for Operation {
    fn read(value: &serde_json::Value) -> Option<Self> {
        members(value, Some(["operationRequestSource", "operationRequestedSource"]))
    }
}

impl Operation {
    /// Whether it is this operation of this subscription. Microsoft's documented sample misspells a
    /// key (F-OP-3), so an id that the answer leaves out counts as the one we asked for.
    pub fn is(&self, subscription: SubscriptionId, operation: &OperationId) -> bool {
        self.id.as_ref().is_none_or(|id| id == operation)
            && self.subscription_id.is_none_or(|id| id == subscription.0)
    }

    /// Whether its status is final.
    pub fn is_settled(&self) -> bool {
        self.status.as_ref().is_some_and(OperationStatus::is_settled)
    }
}
