//! Notes what a function sees, now and then, beside its work.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::{Either, select};
use jiff::{SignedDuration, Timestamp};
use tracing::warn;

use crate::host::clock::Clock;
use crate::store::{Sighting, Sightings};

/// The most sightings that a process remembers. A deployment has a few hosts; where no gateway names
/// them, a caller may make them up.
const MOST: usize = 16;

/// Writes at most one note about each sighting in this time, per process.
pub struct Noting {
    table: Arc<dyn Sightings>,
    clock: Arc<dyn Clock>,
    at_most_every: SignedDuration,
    /// When this process last tried to write each.
    tried: Mutex<BTreeMap<Sighting, Timestamp>>,
}

impl Noting {
    pub fn new(
        table: Arc<dyn Sightings>,
        clock: Arc<dyn Clock>,
        at_most_every: SignedDuration,
    ) -> Self {
        Self { table, clock, at_most_every, tried: Mutex::default() }
    }

    /// Writes a note, if one is due. A failure is logged, and the next note is due as if there were
    /// none: nothing depends on it.
    pub async fn note(&self, sighting: &Sighting) {
        let now = self.clock.now();
        if !self.is_due(sighting, now) {
            return;
        }
        if let Err(error) = self.table.note(sighting, now).await {
            warn!(
                %error, class = error.class().name(),
                "could not note when this was last seen"
            );
        }
        let mut tried = self.tried();
        if tried.len() >= MOST {
            tried.clear();
        }
        tried.insert(sighting.clone(), now);
    }

    /// Does the work, and writes a note meanwhile, if one is due. The work never waits for the note: if
    /// it is not written when the work is done, it is given up, and is due again.
    ///
    /// The work comes pinned: a webhook's is large, and each move of it takes stack.
    pub async fn beside<F: Future>(&self, sighting: &Sighting, work: Pin<&mut F>) -> F::Output {
        if !self.is_due(sighting, self.clock.now()) {
            return work.await;
        }
        match select(work, pin!(self.note(sighting))).await {
            Either::Left((done, _)) => done,
            Either::Right(((), work)) => work.await,
        }
    }

    fn is_due(&self, sighting: &Sighting, now: Timestamp) -> bool {
        let tried = self.tried();
        tried.get(sighting).is_none_or(|at| now.duration_since(*at) >= self.at_most_every)
    }

    fn tried(&self) -> MutexGuard<'_, BTreeMap<Sighting, Timestamp>> {
        self.tried.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
