//! Simulated time: it passes only while the function waits.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use shared::host::clock::Clock;
use tokio::time::Instant;
use uuid::Uuid;

/// A clock over the runtime's time, which must be paused: then the runtime moves it to the next timer
/// as soon as all work waits. So calls that are made at once also end at once.
#[derive(Debug)]
pub(crate) struct SimulatedClock {
    begun: Instant,
    ids: Mutex<SmallRng>,
}

impl SimulatedClock {
    /// A clock that shows [`beginning`] now.
    pub(crate) fn new(seed: u64) -> Self {
        Self { begun: Instant::now(), ids: Mutex::new(SmallRng::seed_from_u64(seed)) }
    }
}

/// When simulated time begins.
///
/// # Panics
/// Never: the text is a time.
pub fn beginning() -> Timestamp {
    "2026-06-15T12:00:00Z".parse().expect("a time")
}

#[async_trait]
impl Clock for SimulatedClock {
    fn now(&self) -> Timestamp {
        let passed = SignedDuration::try_from(self.begun.elapsed()).expect("a run of some days");
        beginning() + passed
    }

    async fn sleep(&self, pause: Duration) {
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
    }

    fn new_id(&self) -> Uuid {
        Uuid::from_u128(self.ids.lock().unwrap_or_else(PoisonError::into_inner).random())
    }
}

/// Runs work on one thread, in simulated time.
///
/// # Panics
/// If the runtime can't start.
pub fn simulated<T>(work: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build();
    runtime.expect("a runtime without sockets").block_on(work)
}
