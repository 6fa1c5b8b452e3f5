//! A receiver of events: the publisher's endpoint or event bus.

use std::time::Duration;

use async_trait::async_trait;
use http::StatusCode;
use jiff::SignedDuration;
use shared::host::error_class::ErrorClass;
use shared::host::http_client::UnreadBody;
use shared::publisher::cloud_event::CloudEvent;
use shared::store::SentRequest;

#[async_trait]
pub(crate) trait Receiver: Send + Sync {
    /// Sends one event.
    async fn send(&self, event: &CloudEvent<'_>) -> Sent;
}

/// How an attempt went.
#[derive(Debug)]
pub(crate) struct Sent {
    /// MUST be `Ok` only if the receiver has accepted the event.
    pub(crate) outcome: Result<(), DeliveryError>,
    /// `None` without an answer, and at an event bus.
    pub(crate) status: Option<StatusCode>,
    /// Until the answer's head was here, or until it was clear that there is none.
    pub(crate) latency: SignedDuration,
    /// Nothing of it was read for the outcome.
    pub(crate) body: Option<UnreadBody>,
    /// Of a test event alone; `None` also if nothing could be sent.
    pub(crate) request: Option<SentRequest>,
}

impl Sent {
    /// An attempt without an HTTP answer.
    pub(crate) fn unanswered(outcome: Result<(), DeliveryError>, latency: SignedDuration) -> Self {
        Self { outcome, status: None, latency, body: None, request: None }
    }
}

/// The receiver did not accept an event, or we don't know whether it did.
#[derive(Clone, Debug, PartialEq, Eq)]
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
