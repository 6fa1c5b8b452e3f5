//! What single offers have of their own on the landing page: more than the settings of a function can hold.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{SaveError, StoreError};

/// The most bytes that the offers have as JSON. DynamoDB allows 400 KB for an item, and counts a little more
/// than the bytes of the text.
pub const LARGEST_OFFERS: usize = 256 * 1024;

/// The settings of offers. Serialised in the table: members are only added.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredOffers {
    /// Grows by one each time they are saved, also when they are removed. Concurrent writers are detected by
    /// it.
    pub revision: u64,
    /// By offer id, as they were written: a version of this program that doesn't know a member keeps it.
    #[serde(default)]
    pub offers: Map<String, Value>,
}

/// The table, as the landing page reads it and the publisher's API writes it.
#[async_trait]
pub trait OfferSettings: Send + Sync {
    /// MUST be consistent. Revision 0 if none were saved yet.
    async fn offers(&self) -> Result<StoredOffers, StoreError>;

    /// MUST return [`SaveError::Conflict`] if the stored revision isn't one below.
    async fn save_offers(&self, offers: &StoredOffers) -> Result<(), SaveError>;
}
