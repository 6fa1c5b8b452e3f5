//! A way to the publisher's product.

use std::time::Duration;

use async_trait::async_trait;
use shared::cloudevent::CloudEvent;
use shared::store::Target;

/// A way to the publisher's product.
#[async_trait]
pub(crate) trait Channel: Send + Sync {
    /// Which one.
    fn target(&self) -> Target;

    /// Sends one event. MUST return `Ok` only where it has been taken.
    async fn send(&self, event: &CloudEvent<'_>) -> Result<(), Untaken>;
}

/// An event was not taken, or nobody knows.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Untaken {
    /// Why, in words. Never holds what was sent or answered.
    pub reason: String,
    /// When to try again.
    pub again: Again,
}

/// When to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    /// After a pause that grows with every failure.
    Soon,
    /// Not before this has passed.
    After(Duration),
    /// As late as any: the receiver says that there is nobody any more.
    Late,
}

impl Untaken {
    /// To be tried again after the usual pause.
    pub fn soon(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), again: Again::Soon }
    }
}
