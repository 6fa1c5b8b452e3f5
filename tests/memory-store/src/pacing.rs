//! The port of a rate limit.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use shared::store::{Pacing, StoreError, Target};

use crate::memory_store::MemoryStore;

#[async_trait]
impl Pacing for MemoryStore {
    async fn reserve(
        &self,
        target: Target,
        from: Timestamp,
        until: Timestamp,
        length: SignedDuration,
    ) -> Result<Option<Timestamp>, StoreError> {
        self.reserved(|reserved| {
            let begins = reserved.get(&target).map_or(from, |until| from.max(*until));
            if begins >= until {
                return Ok(None);
            }
            reserved.insert(target, begins + length);
            Ok(Some(begins))
        })
    }
}
