//! The last examination of the deployment, so that it is shown without another one.

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::StoreError;

/// What an examination found. It names no person and no customer. Serialised in the table and by the
/// publisher's API: members are only added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Examination {
    pub examined_at: Timestamp,
    /// Of the program that examined.
    pub version: String,
    /// The host of the publisher's API, if a gateway says it. An examination that came another way compares
    /// with that of the one before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    pub checks: Vec<Check>,
}

/// One line of an examination.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// For programs. It never changes its meaning.
    pub check: String,
    pub outcome: CheckOutcome,
    /// What is and, if it is wrong, what to do.
    pub says: String,
    /// The field of Partner Center or Entra, or the parameter of the deployment, that it stands in.
    #[serde(rename = "where", default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckOutcome {
    Ok,
    /// It works, and will not for long, or not for everybody.
    Warning,
    Failed,
    /// It can't be checked by the function that examined; or a later version has found another outcome.
    #[serde(other)]
    Unknown,
}

impl CheckOutcome {
    /// As serialised.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }
}

/// The table, as the one who examines writes it and those who show it read it.
#[async_trait]
pub trait Examinations: Send + Sync {
    /// MUST be consistent. `None` if nothing was examined yet.
    async fn last_examination(&self) -> Result<Option<Examination>, StoreError>;

    /// Replaces the one before.
    async fn save_examination(&self, examination: &Examination) -> Result<(), StoreError>;
}
