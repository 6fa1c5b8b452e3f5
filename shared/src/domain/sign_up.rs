//! What the buyer entered when confirming a purchase (F-LP-5, F-LP-8).

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The buyer's answers on the landing page.
///
/// Serialised in stored records, in events and in answers of the API: members are only added.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignUp {
    /// Where the publisher may write to. Never an identity (F-LP-9).
    pub contact_email: String,
    /// The fields that the publisher configured, by name. A field left empty is missing.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
    /// The page's language, as in `sv`.
    pub language: String,
}

/// Shows the names of the fields, never their contents.
impl fmt::Debug for SignUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields: Vec<&String> = self.fields.keys().collect();
        f.debug_struct("SignUp")
            .field("fields", &fields)
            .field("language", &self.language)
            .finish_non_exhaustive()
    }
}
