//! The port of the publisher's own reference and metadata.

use async_trait::async_trait;
use shared::domain::{Annotations, SubscriptionId};
use shared::store::{AnnotationStore, SaveError, StoreError};

use crate::memory_store::MemoryStore;

#[async_trait]
impl AnnotationStore for MemoryStore {
    async fn annotations(&self, id: SubscriptionId) -> Result<Option<Annotations>, StoreError> {
        Ok(self.all_annotations(|all| all.get(&id).cloned()))
    }

    async fn save_annotations(
        &self,
        id: SubscriptionId,
        annotations: &Annotations,
    ) -> Result<(), SaveError> {
        self.all_annotations(|all| {
            let revision = all.get(&id).map_or(0, |stored| stored.revision);
            if annotations.revision != revision + 1 {
                return Err(SaveError::Conflict);
            }
            all.insert(id, annotations.clone());
            Ok(())
        })
    }
}
