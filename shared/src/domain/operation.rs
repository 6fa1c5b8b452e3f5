//! A requested change, as Get Operation returned it (F-OP).

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::subscription::SubscriptionId;
use crate::lenient::{Lenient, lenient, members, open_words};

/// The GUID of an operation; a webhook's `id` (F-WHP-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OperationId(pub Uuid);

impl fmt::Display for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for OperationId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::try_parse(text).map(Self)
    }
}

open_words! {
    /// What happens to a subscription (F-WHA, F-OP-1).
    Action {
        /// A purchase of a plan that activates itself (F-WHA-2).
        Subscribe,
        /// Another plan is wanted; to be answered within ten seconds (F-WHA-3).
        ChangePlan,
        /// Another number of seats is wanted; likewise (F-WHA-4).
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
    /// How far Microsoft has come with an operation (F-OP-2). The words that are written back
    /// are others (F-OPU-2).
    OperationStatus {
        /// Accepted by Microsoft, not begun.
        NotStarted,
        /// Waits, for the publisher's acknowledgement or for Microsoft.
        InProgress = "In Progress",
        /// Done; older texts say `Succeed` and `Success`.
        Succeeded = "Succeed" = "Success",
        /// Not done.
        Failed = "Failure",
        /// The requested value is the present one. Not an HTTP 409 (F-OPU-5).
        Conflict,
    }
}

impl OperationStatus {
    /// Whether nothing can change it any more. A word we don't know isn't final (F-CHP-6).
    pub fn is_settled(&self) -> bool {
        match self {
            Self::Succeeded | Self::Failed | Self::Conflict => true,
            Self::NotStarted | Self::InProgress | Self::Other(_) => false,
        }
    }
}

open_words! {
    /// Who asked for the change (F-OP-3).
    OperationSource {
        /// The customer, the reseller or Microsoft.
        Azure,
        /// We did.
        Partner,
    }
}

/// A requested change. Only this, never a webhook's body, changes a record.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Operation {
    /// Its key.
    #[serde(default, deserialize_with = "lenient")]
    pub id: Option<Uuid>,
    /// The subscription it would change.
    #[serde(default, deserialize_with = "lenient")]
    pub subscription_id: Option<Uuid>,
    /// What it would do.
    #[serde(default, deserialize_with = "lenient")]
    pub action: Option<Action>,
    /// How far it has come.
    #[serde(default, deserialize_with = "lenient")]
    pub status: Option<OperationStatus>,
    /// The requested plan.
    #[serde(default, deserialize_with = "lenient")]
    pub plan_id: Option<String>,
    /// The requested seats.
    #[serde(default, deserialize_with = "lenient")]
    pub quantity: Option<u64>,
    /// Who asked. The emulator of Microsoft's writes it with an extra "ed" (F-EMU-3).
    #[serde(default, alias = "operationRequestedSource", deserialize_with = "lenient")]
    pub operation_request_source: Option<OperationSource>,
    /// When it was asked for.
    #[serde(default, deserialize_with = "lenient")]
    pub time_stamp: Option<Timestamp>,
}

impl Lenient for Operation {
    fn read(value: &serde_json::Value) -> Option<Self> {
        members(value, Some(["operationRequestSource", "operationRequestedSource"]))
    }
}

impl Operation {
    /// Whether it speaks of this subscription and operation; an id the answer leaves out is the
    /// one that was asked for (the documented sample misspells the key, F-OP-3).
    pub fn is(&self, subscription: SubscriptionId, operation: OperationId) -> bool {
        self.id.is_none_or(|id| id == operation.0)
            && self.subscription_id.is_none_or(|id| id == subscription.0)
    }

    /// Whether nothing can change it any more.
    pub fn is_settled(&self) -> bool {
        self.status.as_ref().is_some_and(OperationStatus::is_settled)
    }
}
