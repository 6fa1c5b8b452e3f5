//! Time, waiting and randomness, so that tests can replace all three.

use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use jiff::Timestamp;
use uuid::Uuid;

/// Every decision that depends on time or chance asks a clock.
#[async_trait]
pub trait Clock: Send + Sync + std::fmt::Debug {
    fn now(&self) -> Timestamp;

    /// The time on other machines, which check the age of our signatures and send us dates. It
    /// differs from `now` only where `now` is the emulator's time, which its page can move.
    fn wall_time(&self) -> Timestamp {
        self.now()
    }

    /// MUST return immediately for a pause of zero.
    async fn sleep(&self, pause: Duration);

    /// A random GUID. Retries derive their jitter from it, too.
    fn new_id(&self) -> Uuid;
}

/// The machine's clock, the runtime's timer and the operating system's randomness.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::try_from(SystemTime::now()).expect("the machine's time is within jiff's range")
    }

    async fn sleep(&self, pause: Duration) {
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
    }

    fn new_id(&self) -> Uuid {
        Uuid::new_v4()
    }
}
