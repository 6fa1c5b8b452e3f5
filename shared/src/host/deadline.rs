//! The time by which a request must be answered. It travels with the work, and every outgoing
//! request is cut off at it.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};

use super::clock::Clock;
use super::http_client::{SendError, Transport, UnreadBody};

tokio::task_local! {
    static DEADLINE: Deadline;
}

#[derive(Clone, Copy)]
struct Deadline {
    /// When the whole work ends.
    work: Timestamp,
    /// When this part of it ends; never later.
    part: Timestamp,
}

/// For a webhook call: Microsoft's ten seconds (F-WHA-10) less one second for the way back.
pub const WEBHOOK_TIME: SignedDuration = SignedDuration::from_secs(9);

/// For a page or an API call: within API Gateway's timeout and the functions' own.
pub const CALLER_TIME: SignedDuration = SignedDuration::from_secs(18);

/// Runs `work`; none of its requests outlasts the deadline.
pub async fn with_deadline<F: Future>(deadline: Timestamp, work: F) -> F::Output {
    DEADLINE.scope(Deadline { work: deadline, part: deadline }, work).await
}

/// Runs a part of the work; none of its requests outlasts `limit` or the outer deadline.
pub async fn with_limit<F: Future>(now: Timestamp, limit: Duration, part: F) -> F::Output {
    let end = SignedDuration::try_from(limit).ok().and_then(|limit| now.checked_add(limit).ok());
    let end = end.unwrap_or(Timestamp::MAX);
    let unlimited = Deadline { work: Timestamp::MAX, part: Timestamp::MAX };
    let outer = DEADLINE.try_with(|deadline| *deadline).unwrap_or(unlimited);
    DEADLINE.scope(Deadline { part: outer.part.min(end), ..outer }, part).await
}

/// The time until the deadline; `None` where there is none. In a limited part, until its limit.
pub fn time_left(now: Timestamp) -> Option<Duration> {
    DEADLINE.try_with(|deadline| until(deadline.part, now)).ok()
}

/// The time until the deadline of the whole work, also in a part that is limited further.
pub fn time_left_of_work(now: Timestamp) -> Option<Duration> {
    DEADLINE.try_with(|deadline| until(deadline.work, now)).ok()
}

fn until(end: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(end.duration_since(now)).unwrap_or(Duration::ZERO)
}

/// Cuts off every request at the deadline of its work, whether it goes to Microsoft, Entra or AWS.
#[derive(Debug)]
pub struct DeadlineTransport<T> {
    inner: T,
    clock: Arc<dyn Clock>,
}

impl<T> DeadlineTransport<T> {
    pub fn new(inner: T, clock: Arc<dyn Clock>) -> Self {
        Self { inner, clock }
    }

    /// The timeout, or the time until the deadline if that is less.
    fn cut(&self, timeout: Duration) -> Result<Duration, SendError> {
        match time_left(self.clock.now()) {
            None => Ok(timeout),
            Some(left) if !left.is_zero() => Ok(timeout.min(left)),
            Some(_) => Err(SendError::DeadlinePassed),
        }
    }
}

#[async_trait]
impl<T: Transport> Transport for DeadlineTransport<T> {
    async fn send(
        &self,
        request: http::Request<Bytes>,
        timeout: Duration,
    ) -> Result<http::Response<Bytes>, SendError> {
        self.inner.send(request, self.cut(timeout)?).await
    }

    async fn send_for_head(
        &self,
        request: http::Request<Bytes>,
        timeout: Duration,
    ) -> Result<http::Response<UnreadBody>, SendError> {
        self.inner.send_for_head(request, self.cut(timeout)?).await
    }
}
