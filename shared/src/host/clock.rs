//! Time, waiting and chance: what a handler needs of the machine it runs on.

use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use jiff::Timestamp;
use uuid::Uuid;

/// The machine. Everything that decides by time asks this, so that time can be moved from outside.
#[async_trait]
pub trait System: Send + Sync + std::fmt::Debug {
    /// The time now.
    fn now(&self) -> Timestamp;

    /// Waits. MUST return at once for zero.
    async fn sleep(&self, pause: Duration);

    /// A new GUID; also where pauses take their jitter from.
    fn new_id(&self) -> Uuid;
}

/// The system clock, the runtime's timer and the operating system's randomness.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealSystem;

#[async_trait]
impl System for RealSystem {
    fn now(&self) -> Timestamp {
        Timestamp::try_from(SystemTime::now()).expect("the system clock is within jiff's range")
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
