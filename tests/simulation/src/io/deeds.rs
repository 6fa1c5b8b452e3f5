//! What a function has done so far in answer to its request.

use super::{Deeds, Io};

impl Io {
    /// Begins the deeds of a function.
    pub(crate) fn begin_deeds(&self, task: u64, deeds: Deeds) {
        let mut state = self.state();
        let faults_before = state.faults;
        state.deeds.insert(task, Deeds { faults_before, ..deeds });
    }

    /// The function has ended.
    pub(crate) fn end_deeds(&self, task: u64) {
        self.state().deeds.remove(&task);
    }

    /// The deeds of the function whose turn it is.
    pub(crate) fn deeds<T>(&self, act: impl FnOnce(&mut Deeds) -> T) -> T {
        let mut state = self.state();
        let task = state.turn.task;
        act(state.deeds.entry(task).or_default())
    }

    /// Whether no fault has struck since the function began whose turn it is. A fault of another
    /// function counts, too: it may have fetched a token for both.
    pub(crate) fn is_unharmed(&self) -> bool {
        let now = self.state().faults;
        self.deeds(|deeds| deeds.faults_before) == now
    }
}
