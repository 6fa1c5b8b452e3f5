//! The functions' clock: time from the world, ids from the seed.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use rand::Rng;
use shared::host::clock::Clock;
use uuid::Uuid;

use crate::io::Io;

/// Sleeping advances the world's clock.
pub(crate) struct SimulatedClock {
    pub(crate) io: Arc<Io>,
    /// How far it is ahead of Microsoft's.
    pub(crate) ahead: SignedDuration,
}

impl fmt::Debug for SimulatedClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SimulatedClock")
    }
}

#[async_trait]
impl Clock for SimulatedClock {
    fn now(&self) -> Timestamp {
        self.io.now() + self.ahead
    }

    async fn sleep(&self, pause: Duration) {
        if !pause.is_zero() {
            self.io.world(|world| world.advance(pause));
            self.io.let_others_run().await;
        }
    }

    fn new_id(&self) -> Uuid {
        self.io.decide(|rng| Uuid::from_u128(rng.random()))
    }
}
