//! Whether the reconciliation compares every subscription before it says that it has finished.

use emulator::ListEntries;
use futures_util::FutureExt as _;
use jiff::SignedDuration;
use shared::store::{Checkpoint, Checkpoints};

use super::{Purpose, Run};

/// The list shows a purchase at the latest after this time.
const LISTED: SignedDuration = SignedDuration::from_mins(5);

impl Run {
    /// A slice is about to start. If it begins a run, the run must compare what Microsoft lists now.
    pub(super) fn note_what_to_examine(&mut self) {
        // A slice that was killed may have claimed it.
        self.check_round();
        self.note_hidden();
        if self.checkpoint().is_under_way() {
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
        if is_alone {
            self.run_begun = now;
        }
    }

    fn checkpoint(&self) -> Checkpoint {
        let checkpoint = self.table.checkpoint().now_or_never();
        checkpoint.expect("a table in memory never waits").unwrap_or_default()
    }

    /// A page that fails hides something once the list is so long.
    fn note_hidden(&mut self) {
        let now = self.io.now();
        let hides = self.io.world(|world| {
            let failing = world.settings().behaviour.failing_page;
            failing.is_some_and(|place| place < world.subscriptions().count())
        });
        self.hidden_since = if hides { self.hidden_since.or(Some(now)) } else { None };
    }

    /// No run claims to have read a list whose page failed all the time.
    pub(super) fn check_round(&mut self) {
        let claimed = self.checkpoint().last_round;
        if claimed == self.claimed {
            return;
        }
        self.claimed = claimed;
        if self.hidden_since.is_some_and(|since| since <= self.run_begun) {
            self.io.violate("a whole list is claimed, and one of its pages failed".to_owned());
        }
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
