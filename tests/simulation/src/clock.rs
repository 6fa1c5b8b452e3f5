//! The functions' clock: time from the world, ids from the seed.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use rand::Rng;
use shared::host::clock::Clock;
use uuid::Uuid;

use crate::io::Io;

/// Sleeping advances the world's clock.
pub(crate) struct SimulatedClock(pub Arc<Io>);

impl fmt::Debug for SimulatedClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SimulatedClock")
    }
}

#[async_trait]
impl Clock for SimulatedClock {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    async fn sleep(&self, pause: Duration) {
        if !pause.is_zero() {
            self.0.world(|world| world.advance(pause));
            self.0.let_others_run().await;
        }
    }

    fn new_id(&self) -> Uuid {
        self.0.decide(|rng| Uuid::from_u128(rng.random()))
    }
}
