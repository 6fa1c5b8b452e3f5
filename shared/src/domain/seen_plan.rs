//! What Microsoft said of a subscription's plan when a page last asked. Microsoft shows no plans of an ended
//! subscription (F-PLN-6), and its page still has to name the plan.

use serde::{Deserialize, Serialize};

/// A plan that was in force, as Microsoft described it.
///
/// Serialised in stored records: members are only added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SeenPlan {
    pub plan_id: String,
    /// `None` if Microsoft gave none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Whether a private offer was behind the purchase, so that list prices are not the customer's (F-PLN-4).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_of_private_offer: bool,
}
