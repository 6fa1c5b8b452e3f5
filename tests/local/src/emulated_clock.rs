//! The emulator's clock, for the functions.

use std::time::Duration;

use async_trait::async_trait;
use emulator::Emulator;
use jiff::Timestamp;
use shared::host::clock::{Clock, SystemClock};
use uuid::Uuid;

/// Gives the functions the emulator's time, so that both sides agree on it. If only the tests move
/// the emulator's clock, a function that waits moves it too. The publisher's product knows only the
/// machine's time.
#[derive(Debug)]
pub(crate) struct EmulatedClock(pub Emulator);

#[async_trait]
impl Clock for EmulatedClock {
    fn now(&self) -> Timestamp {
        self.0.world(|world| world.now())
    }

    fn wall_time(&self) -> Timestamp {
        SystemClock.wall_time()
    }

    async fn sleep(&self, pause: Duration) {
        if self.0.world(|world| world.settings().live) {
            SystemClock.sleep(pause).await;
        } else {
            self.0.world(|world| world.advance(pause));
            tokio::task::yield_now().await;
        }
    }

    fn new_id(&self) -> Uuid {
        Uuid::new_v4()
    }
}
