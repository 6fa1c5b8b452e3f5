//! Whether the reconciliation compares every subscription before it says that it has finished.

use emulator::ListEntries;
use futures_util::FutureExt as _;
use jiff::SignedDuration;
use shared::store::Checkpoints;

use super::{Purpose, Run};

/// The list shows a purchase at the latest after this time.
const LISTED: SignedDuration = SignedDuration::from_mins(5);

impl Run {
    /// A slice is about to start. If it begins a run, the run must compare what Microsoft lists now.
    pub(super) fn note_what_to_examine(&mut self) {
        let checkpoint = self.table.checkpoint().now_or_never();
        let checkpoint = checkpoint.expect("a table in memory never waits").unwrap_or_default();
        if checkpoint.is_under_way() {
            return;
        }
        let now = self.io.now();
        let listed = self.io.world(|world| {
            let behaviour = &world.settings().behaviour;
            // Such a list may leave out anything (F-LST-9).
            if behaviour.unstable_order
                || behaviour.list_entries == ListEntries::SkippedBetweenPages
            {
                return 0;
            }
            world.subscriptions().filter(|state| now.duration_since(state.created) > LISTED).count()
        });
        // A slice of an earlier run may still be running. It has fewer to compare.
        let is_alone =
            !self.tasks.purposes().any(|purpose| matches!(purpose, Purpose::Reconcile(_)));
        self.to_examine = if is_alone { listed } else { listed.min(self.to_examine) };
    }

    /// A run that reached the end of the list has compared every subscription.
    pub(super) fn check_all_examined(&self, examined: u64) {
        if examined < self.to_examine as u64 {
            self.io.violate(format!(
                "the reconciliation finished after {examined} of {} subscriptions",
                self.to_examine
            ));
        }
    }
}
