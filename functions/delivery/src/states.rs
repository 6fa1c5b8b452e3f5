//! Which receivers there are: those that the settings name are added to the table, and those that they no
//! longer name are removed.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use shared::domain::SubscriptionId;
use shared::store::{CursorError, ReceiverState, SaveError, StoreError, Target};
use tracing::{info, warn};

use crate::{Delivery, Outlet};

/// What the table knows about the receivers.
pub(crate) type States = BTreeMap<Target, ReceiverState>;

/// How often receivers are read again while other processes change them.
const ATTEMPTS: u32 = 16;

impl Delivery {
    /// Reads the receivers' states. Adds the endpoints with names that the table doesn't know.
    pub(crate) async fn states(&self) -> Result<States, StoreError> {
        for _ in 0..ATTEMPTS {
            let states = self.receivers.receivers().await?;
            let is_new = |outlet: &&Outlet| {
                matches!(outlet.target(), Target::Named(_))
                    && !states.contains_key(&outlet.target())
            };
            let Some(outlet) = self.outlets.iter().find(is_new) else { return Ok(states) };
            let (target, now) = (outlet.target(), self.clock.now());
            let state = ReceiverState::added(now, outlet.settings.from);
            match self.receivers.save_receiver(target, &state).await {
                Ok(()) => info!(
                    receiver = target.name(),
                    starts_at = state.starts_at.map(tracing::field::display),
                    "added a receiver of events"
                ),
                // Another process has added it.
                Err(SaveError::Conflict) => {}
                Err(SaveError::Store(error)) => return Err(error),
            }
        }
        Err(StoreError::Contended)
    }

    /// Notes which receivers the settings name. One that they have not named for long is removed.
    pub(crate) async fn tend(&self, states: &mut States, now: Timestamp) -> Result<(), StoreError> {
        for (target, state) in states.clone() {
            let is_configured = self.has(target);
            let is_gone = !is_configured && state.is_gone(now);
            let noticed = state.noticed(is_configured, now);
            let written = match &noticed {
                _ if is_gone => self.receivers.delete_receiver(target, state.revision).await,
                Some(next) => self.receivers.save_receiver(target, next).await,
                None => continue,
            };
            match written {
                Ok(()) if is_gone => {
                    info!(receiver = target.name(), "removed a receiver of events");
                    states.remove(&target);
                }
                Ok(()) => {
                    if !is_configured {
                        warn!(receiver = target.name(), "a receiver is missing from the settings");
                    }
                    states.extend(noticed.map(|next| (target, next)));
                }
                // Another sweep was faster.
                Err(SaveError::Conflict) => {}
                Err(SaveError::Store(error)) => return Err(error),
            }
        }
        Ok(())
    }

    /// Deletes cursors of endpoints that were removed. Returns how many.
    pub(crate) async fn clear(
        &self,
        strays: &BTreeSet<(SubscriptionId, Target)>,
    ) -> Result<u64, StoreError> {
        let mut cleared = 0;
        if strays.is_empty() {
            return Ok(cleared);
        }
        // Read after the strays were found: a process with other settings adds a receiver before it saves
        // its first cursor.
        let states = self.receivers.receivers().await?;
        for (id, target) in strays {
            if self.has(*target) || states.contains_key(target) {
                continue;
            }
            let cursor = self.outbox.cursor(*id, *target).await?;
            match self.outbox.delete_cursor(*id, *target, cursor.revision).await {
                Ok(()) => cleared += 1,
                Err(CursorError::Conflict) => {}
                Err(CursorError::Store(error)) => return Err(error),
            }
        }
        Ok(cleared)
    }
}
