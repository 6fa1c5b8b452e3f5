//! The subscription object, as Microsoft describes it (F-OBJ).

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::lenient::{Lenient, lenient, members, open_words};

/// The GUID of the purchased SaaS resource; the key of everything (F-OBJ-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SubscriptionId(pub Uuid);

impl fmt::Display for SubscriptionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for SubscriptionId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::try_parse(text).map(Self)
    }
}

open_words! {
    /// `saasSubscriptionStatus` (F-OBJ-3). Where we wait for something of our own, that is a field
    /// of the [`Record`](super::Record), never a fifth status.
    Status {
        /// Bought, and not yet activated.
        PendingFulfillmentStart,
        /// Active and billed.
        Subscribed,
        /// Payment failed; access limited, data kept (F-LC-6).
        Suspended,
        /// Ended, for good (F-LC-8).
        Unsubscribed,
    }
}

open_words! {
    /// What the beneficiary may do with the subscription (F-OBJ-11).
    CustomerOperation {
        Read,
        /// Change plan or seats.
        Update,
        /// Cancel.
        Delete,
    }
}

/// The person a subscription is for, or who bought it (F-OBJ-4). Every member may be missing.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Party {
    /// May be absent; never an identity (F-LP-9).
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub email_id: Option<String>,
    /// The person in their tenant; null or missing for many reseller purchases.
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub object_id: Option<Uuid>,
    /// The customer's Entra tenant.
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<Uuid>,
    /// Informational only.
    #[serde(
        default,
        alias = "pid",
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub puid: Option<String>,
}

/// Shows the tenant, never the person: this type ends up in logs of errors and assertions.
impl fmt::Debug for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Party").field("tenant_id", &self.tenant_id).finish_non_exhaustive()
    }
}

/// The billing term (F-OBJ-6, F-OBJ-7, F-OBJ-8). Before activation it holds the unit alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Term {
    /// ISO 8601 duration by the documentation, any word in practice (`P1M`, `P18M`, `PAY`).
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub term_unit: Option<String>,
    /// The day billing began.
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub start_date: Option<Timestamp>,
    /// The last valid day; renewal happens on the next.
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub end_date: Option<Timestamp>,
    /// Billing interval inside the term, where it differs from the term.
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub charge_duration: Option<String>,
}

impl Lenient for Party {
    fn read(value: &serde_json::Value) -> Option<Self> {
        members(value, Some(["puid", "pid"]))
    }
}

impl Lenient for Term {
    fn read(value: &serde_json::Value) -> Option<Self> {
        members(value, None)
    }
}

/// A subscription as the record holds it: Microsoft's copy, as far as we last knew it.
///
/// Serialised in stored records and events, in CloudEvents and in answers of the API: members are
/// only added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subscription {
    pub id: SubscriptionId,
    /// The publisher's id at Microsoft.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publisher_id: Option<String>,
    /// The offer; ends in `-preview` for purchases by the preview audience (F-OBJ-2).
    pub offer_id: String,
    /// The name the buyer chose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub saas_subscription_status: Status,
    /// The plan in force.
    pub plan_id: String,
    /// Seats; `None` for flat-rate plans.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quantity: Option<u64>,
    #[serde(default)]
    pub term: Term,
    /// Who it is for.
    #[serde(default)]
    pub beneficiary: Party,
    /// Who bought it: the reseller, in a reseller's purchase (F-SEED-9).
    #[serde(default)]
    pub purchaser: Party,
    /// Renews at the end of the term (F-OBJ-9).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_renew: Option<bool>,
    /// In a free trial now (F-OBJ-10).
    #[serde(default)]
    pub is_free_trial: bool,
    /// Microsoft marks it as a test purchase. It decides nothing here (F-OBJ-12).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_test: bool,
    /// What the beneficiary may do; `None` where Microsoft has not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_customer_operations: Option<BTreeSet<CustomerOperation>>,
    /// When it was bought.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<Timestamp>,
}

/// The suffix of an offer that the preview audience bought (F-OBJ-2).
const PREVIEW: &str = "-preview";

impl Subscription {
    /// The offer's id without the suffix of a preview: settings about an offer hold for its preview, too.
    pub fn public_offer(&self) -> &str {
        self.offer_id.strip_suffix(PREVIEW).unwrap_or(&self.offer_id)
    }

    /// Whether the beneficiary may do `operation`. Where Microsoft has not said, we assume so:
    /// Microsoft refuses a request that it does not allow (F-CHP-8, F-CAN-4).
    pub fn allows(&self, operation: &CustomerOperation) -> bool {
        self.allowed_customer_operations.as_ref().is_none_or(|allowed| allowed.contains(operation))
    }
}
