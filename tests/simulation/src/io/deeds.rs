//! What a function has done so far in answer to its request.

use shared::domain::{OwnRequest, Verdict};
use uuid::Uuid;

use super::Io;

#[derive(Default)]
pub(crate) struct Deeds {
    /// How many faults had struck the run when the function began.
    faults_before: u64,
    /// The version of the record that the request is about, when the function began.
    pub(crate) version: Option<u64>,
    /// The request's idempotency key belonged to another request when the function began.
    pub(crate) key_is_taken: bool,
    /// What the function noted on a record, in order to ask Microsoft for it.
    pub(crate) noted: Option<OwnRequest>,
    /// What the publisher's product decided.
    pub(crate) decided: Option<Verdict>,
    /// The operations whose refusal the function tried to tell Microsoft.
    pub(crate) refused: Vec<Uuid>,
}

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
