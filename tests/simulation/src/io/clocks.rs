//! The clocks of the publisher's hosts, and what happened when by Microsoft's.

use std::sync::PoisonError;

use jiff::Timestamp;
use shared::domain::Event;
use shared::store::Commit;

use super::Io;
use crate::skew::Skew;

impl Io {
    /// How far the publisher's clocks differ from Microsoft's.
    pub(crate) fn skew(&self) -> Skew {
        *self.skew.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_skew(&self, skew: Skew) {
        *self.skew.lock().unwrap_or_else(PoisonError::into_inner) = skew;
    }

    /// Whether a read may have been late in this run.
    pub(crate) fn reads_were_late(&self) -> bool {
        self.state().reached.times("storm: late reads") > 0
            || self.world(|world| world.settings().behaviour.stale_resolve.is_some())
    }

    /// Notes when events were committed.
    pub fn committed(&self, commit: &Commit) {
        let now = self.now();
        let mut state = self.state();
        for event in commit.next.iter().flat_map(|next| &next.events) {
            state.committed.insert((event.subscription_id, event.position()), now);
        }
    }

    /// When an event was committed, by Microsoft's clock. Its own time is by the function's.
    pub fn committed_at(&self, event: &Event) -> Timestamp {
        let state = self.state();
        let at = state.committed.get(&(event.subscription_id, event.position()));
        at.copied().unwrap_or(event.recorded_at)
    }
}
