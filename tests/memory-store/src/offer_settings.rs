//! The port of the offers' settings.

use async_trait::async_trait;
use shared::store::{OfferSettings, SaveError, StoreError, StoredOffers};

use crate::memory_store::MemoryStore;

#[async_trait]
impl OfferSettings for MemoryStore {
    async fn offers(&self) -> Result<StoredOffers, StoreError> {
        Ok(self.stored_offers(|stored| stored.clone()))
    }

    async fn save_offers(&self, offers: &StoredOffers) -> Result<(), SaveError> {
        self.stored_offers(|stored| {
            if offers.revision != stored.revision + 1 {
                return Err(SaveError::Conflict);
            }
            *stored = offers.clone();
            Ok(())
        })
    }
}
