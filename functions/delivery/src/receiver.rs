//! A receiver of events: the publisher's endpoint or event bus.

use std::time::Duration;

use async_trait::async_trait;
use shared::host::error_class::ErrorClass;
use shared::publisher::cloud_event::CloudEvent;
use shared::store::Target;

#[async_trait]
pub(crate) trait Receiver: Send + Sync {
    fn target(&self) -> Target;

    /// Sends one event. MUST return `Ok` only if the receiver has accepted it.
    async fn send(&self, event: &CloudEvent<'_>) -> Result<(), DeliveryError>;
}

/// The receiver did not accept an event, or we don't know whether it did.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct DeliveryError {
    /// In words. Never holds the request or the answer.
    pub(crate) reason: String,
    pub(crate) class: ErrorClass,
    pub(crate) retry: RetryAfter,
}

/// When to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RetryAfter {
    /// After a pause that grows with every failure.
    BackOff,
    /// As the receiver asked, and not before the back-off's pause.
    AtLeast(Duration),
    /// After the longest pause: the receiver says that it is gone.
    LongestPause,
}

impl DeliveryError {
    /// The receiver's own fault.
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self::of_class(ErrorClass::Product, reason)
    }

    pub(crate) fn of_class(class: ErrorClass, reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), class, retry: RetryAfter::BackOff }
    }
}
