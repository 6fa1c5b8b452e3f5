//! The port of the receivers' states.

use std::collections::BTreeMap;

use async_trait::async_trait;
use shared::store::{ReceiverState, Receivers, SaveError, StoreError, Target};

use crate::memory_store::MemoryStore;

#[async_trait]
impl Receivers for MemoryStore {
    async fn receivers(&self) -> Result<BTreeMap<Target, ReceiverState>, StoreError> {
        Ok(self.receiver_states(|states| states.clone()))
    }

    async fn save_receiver(&self, target: Target, state: &ReceiverState) -> Result<(), SaveError> {
        self.receiver_states(|states| {
            let stored = states.get(&target).map_or(0, |state| state.revision);
            if state.revision != stored + 1 {
                return Err(SaveError::Conflict);
            }
            states.insert(target, state.clone());
            Ok(())
        })
    }

    async fn delete_receiver(&self, target: Target, revision: u64) -> Result<(), SaveError> {
        self.receiver_states(|states| {
            if states.get(&target).is_none_or(|state| state.revision != revision) {
                return Err(SaveError::Conflict);
            }
            states.remove(&target);
            Ok(())
        })
    }
}
