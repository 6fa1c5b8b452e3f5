//! The offers' settings, in DynamoDB.

use async_trait::async_trait;

use super::DynamoDbStore;
use crate::store::item;
use crate::store::{CommitError, OfferSettings, SaveError, StoreError, StoredOffers};

#[async_trait]
impl OfferSettings for DynamoDbStore {
    async fn offers(&self) -> Result<StoredOffers, StoreError> {
        let found = self.get(item::offers_key()).await?;
        found.map_or_else(|| Ok(StoredOffers::default()), item::body)
    }

    async fn save_offers(&self, offers: &StoredOffers) -> Result<(), SaveError> {
        let put = self.put_revision(item::offers(offers)?, offers.revision);
        let put = put.ok_or(SaveError::Conflict)?;
        self.put_if(put).await.map_err(|error| match error {
            CommitError::Conflict | CommitError::AlreadyMarked => SaveError::Conflict,
            CommitError::Store(error) => error.into(),
        })
    }
}
