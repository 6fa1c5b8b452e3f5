//! What the publisher decides about a purchase that waits for its activation: to activate it, or to decline
//! it. Microsoft has no word for declining; a cancellation in that state is one (F-CAN-6), and bills nothing
//! (F-ACT-6).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ruling::{DecidedBy, LONGEST_REASON, Ruling, Verdict};

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

impl PurchaseDecision {
    /// The same without the reason, which may name a person.
    #[must_use]
    pub(super) fn without_reason(self) -> Self {
        Self { ruling: Ruling { reason: None, ..self.ruling }, ..self }
    }
}
