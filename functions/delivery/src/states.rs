//! Which receivers there are: those that the settings name are added to the table, and those that they no
//! longer name are removed.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use shared::domain::SubscriptionId;
use shared::store::{
    Cursor, CursorError, FilterInUse, ReceiverState, SaveError, StoreError, Target,
};
use tracing::{info, warn};

use crate::{Delivery, Outlet};

/// What the table knows about the receivers.
pub(crate) type States = BTreeMap<Target, ReceiverState>;

/// How often receivers are read again while other processes change them.
const ATTEMPTS: u32 = 16;

impl Delivery {
    /// Reads the receivers' states. Adds the endpoints with names that the table doesn't know, and notes those
    /// that the settings don't name: from now on, this process counts events as delivered without them. Notes
    /// the filters, too: processes with other ones send what this process takes.
    pub(crate) async fn states(&self) -> Result<States, StoreError> {
        for _ in 0..ATTEMPTS {
            let states = self.receivers.receivers().await?;
            let noticed = self.added(&states).or_else(|| self.missing(&states));
            let noticed = noticed.or_else(|| self.filtered(&states));
            let Some((target, state)) = noticed else { return Ok(states) };
            match self.receivers.save_receiver(target, &state).await {
                Ok(()) if !self.has(target) => {
                    warn!(receiver = target.name(), "a receiver is missing from the settings");
                }
                Ok(()) if states.contains_key(&target) => info!(
                    receiver = target.name(),
                    filters = state.filters_in_use().count(),
                    "noted which events a receiver takes"
                ),
                Ok(()) => info!(
                    receiver = target.name(),
                    starts_at = state.starts_at.map(tracing::field::display),
                    "added a receiver of events"
                ),
                // Another process was faster.
                Err(SaveError::Conflict) => {}
                Err(SaveError::Store(error)) => return Err(error),
            }
        }
        Err(StoreError::Contended)
    }

    fn added(&self, states: &States) -> Option<(Target, ReceiverState)> {
        let is_new = |outlet: &&Outlet| {
            matches!(outlet.target(), Target::Named(_)) && !states.contains_key(&outlet.target())
        };
        let outlet = self.outlets.iter().find(is_new)?;
        let now = self.clock.now();
        let added = ReceiverState::added(now, outlet.settings.from);
        let filter = FilterInUse::new(outlet.settings.filter.clone(), now);
        Some((outlet.target(), ReceiverState { filters: vec![filter], ..added }))
    }

    fn filtered(&self, states: &States) -> Option<(Target, ReceiverState)> {
        let now = self.clock.now();
        let named = |outlet: &&Outlet| matches!(outlet.target(), Target::Named(_));
        self.outlets.iter().filter(named).find_map(|outlet| {
            let state = states.get(&outlet.target())?;
            Some((outlet.target(), state.filtered(&outlet.settings.filter, now)?))
        })
    }

    fn missing(&self, states: &States) -> Option<(Target, ReceiverState)> {
        let mut others = states.iter().filter(|(target, _)| !self.has(**target));
        others.find_map(|(target, state)| Some((*target, state.noticed(false, self.clock.now())?)))
    }

    /// Notes which receivers the settings name again. One that they have not named for long is removed.
    pub(crate) async fn tend(&self, states: &mut States, now: Timestamp) -> Result<(), StoreError> {
        for (target, state) in states.clone() {
            let is_gone = !self.has(target) && state.is_gone(now);
            let back = if self.has(target) { state.noticed(true, now) } else { None };
            let written = match &back {
                _ if is_gone => self.receivers.delete_receiver(target, state.revision).await,
                Some(next) => self.receivers.save_receiver(target, next).await,
                None => continue,
            };
            match written {
                Ok(()) if is_gone => {
                    info!(receiver = target.name(), "removed a receiver of events");
                    states.remove(&target);
                }
                Ok(()) => states.extend(back.map(|next| (target, next))),
                // Another sweep was faster.
                Err(SaveError::Conflict) => {}
                Err(SaveError::Store(error)) => return Err(error),
            }
        }
        Ok(())
    }

    /// Deletes cursors of endpoints that were removed, or resets them if an endpoint of the name was added
    /// since. Returns how many.
    pub(crate) async fn clear(
        &self,
        strays: &BTreeSet<(SubscriptionId, Target)>,
    ) -> Result<u64, StoreError> {
        let mut cleared = 0;
        if strays.is_empty() {
            return Ok(cleared);
        }
        let mut cursors = Vec::new();
        for (id, target) in strays {
            cursors.push((*id, *target, self.outbox.cursor(*id, *target).await?));
        }
        // Read after the cursors: a process with other settings adds a receiver before it saves one.
        let states = self.receivers.receivers().await?;
        for (id, target, cursor) in cursors {
            let written = match states.get(&target) {
                None if self.has(target) => continue,
                None => self.outbox.delete_cursor(id, target, cursor.revision).await,
                Some(state) if cursor.receiver_added_at == state.added_at => continue,
                // Its revision goes on growing, so that no delivery takes a later cursor for it.
                Some(state) => {
                    let (revision, saved_at) = (cursor.revision + 1, Some(self.clock.now()));
                    let next = cursor.of_receiver(state.added_at);
                    let next = Cursor { revision, saved_at, ..next };
                    self.outbox.save_cursor(id, target, &next).await
                }
            };
            match written {
                Ok(()) => cleared += 1,
                Err(CursorError::Conflict) => {}
                Err(CursorError::Store(error)) => return Err(error),
            }
        }
        Ok(cleared)
    }
}
