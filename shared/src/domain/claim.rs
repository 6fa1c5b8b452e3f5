//! Who has claimed a subscription that Microsoft activated by itself.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::identification::{Account, MatchedBy, Role};

/// Whether a person has come for a subscription that Microsoft activated by itself.
///
/// Serialised in stored records and in answers of the API: members are only added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "camelCase")]
pub enum Claim {
    /// No person whom Microsoft names has signed in.
    Unclaimed,
    /// This one was the first.
    Claimed(Claimant),
}

/// The first person whom Microsoft names that signed in, and how they were identified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Claimant {
    pub account: Account,
    pub role: Role,
    #[serde(rename = "rule")]
    pub matched_by: MatchedBy,
    pub at: Timestamp,
}

impl Account {
    /// After an erasure: a GUID of zeros names nobody.
    pub(super) const ERASED: Self = Self { tenant_id: Uuid::nil(), object_id: None };
}

impl Claimant {
    /// The same without the person. That a person claimed it stays.
    #[must_use]
    pub(super) fn without_person(self) -> Self {
        Self { account: Account::ERASED, ..self }
    }
}

impl Claim {
    /// The same without the person.
    #[must_use]
    pub(super) fn without_person(self) -> Self {
        match self {
            Self::Unclaimed => Self::Unclaimed,
            Self::Claimed(claimant) => Self::Claimed(claimant.without_person()),
        }
    }
}
