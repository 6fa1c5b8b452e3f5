//! What the buyer told the publisher when confirming a purchase (F-LP-5, F-LP-8).

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::observe::Decision;
use super::record::Record;

/// What the landing page asked for, and was given.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignUp {
    /// Where the publisher may write to. Never an identity (F-LP-9).
    pub contact_email: String,
    /// The fields the publisher asked for, by their names; what was left empty is missing.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
    /// The language the page spoke, as in `sv`.
    pub language: String,
}

/// Says which fields there are, never what is in them.
impl fmt::Debug for SignUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields: Vec<&String> = self.fields.keys().collect();
        f.debug_struct("SignUp")
            .field("fields", &fields)
            .field("language", &self.language)
            .finish_non_exhaustive()
    }
}

impl Record {
    /// Keeps what the buyer told with a confirmation. What the publisher's product or Microsoft has
    /// been told of stays: another tab of the buyer's changes nothing.
    pub fn keep_sign_up(&self, sign_up: &SignUp, now: Timestamp) -> Decision {
        if let Some(stale) = self.unless_pending() {
            return stale;
        }
        if self.activation.is_some() || self.sign_up.as_ref() == Some(sign_up) {
            return Decision::Unchanged;
        }
        Decision::Commit(self.note(now, |record| record.sign_up = Some(sign_up.clone())))
    }
}
