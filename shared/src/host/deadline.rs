//! The time by which a request must be answered, kept by everything that is sent on its way.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};

use crate::outbound::{SendError, Transport};
use crate::system::System;

tokio::task_local! {
    static DEADLINE: Timestamp;
}

/// The webhook's: within Microsoft's ten seconds (F-WHA-10), with one left for the way back.
pub const OF_WEBHOOK: SignedDuration = SignedDuration::from_secs(9);

/// A page's or a caller's: within what API Gateway waits for, and the functions' own timeouts.
pub const OF_CALLER: SignedDuration = SignedDuration::from_secs(18);

/// Does `work`, none of whose requests outlasts the deadline.
pub async fn until<F: Future>(deadline: Timestamp, work: F) -> F::Output {
    DEADLINE.scope(deadline, work).await
}

/// Does a part of the work, none of whose requests outlasts `limit` either.
pub async fn within<F: Future>(now: Timestamp, limit: Duration, part: F) -> F::Output {
    let end = SignedDuration::try_from(limit).ok().and_then(|limit| now.checked_add(limit).ok());
    let end = end.unwrap_or(Timestamp::MAX);
    let outer = DEADLINE.try_with(|deadline| *deadline).unwrap_or(Timestamp::MAX);
    DEADLINE.scope(outer.min(end), part).await
}

/// What is left until the deadline; `None` where there is none.
pub fn left(now: Timestamp) -> Option<Duration> {
    let deadline = DEADLINE.try_with(|deadline| *deadline).ok()?;
    Some(Duration::try_from(deadline.duration_since(now)).unwrap_or(Duration::ZERO))
}

/// Cuts every request off at the deadline of the work it's part of, to Microsoft, to Entra and to
/// AWS alike; what then fails is answered in time as what it is.
#[derive(Debug)]
pub struct Punctual<T> {
    inner: T,
    system: Arc<dyn System>,
}

impl<T> Punctual<T> {
    /// The same transport, punctual.
    pub fn new(inner: T, system: Arc<dyn System>) -> Self {
        Self { inner, system }
    }
}

#[async_trait]
impl<T: Transport> Transport for Punctual<T> {
    async fn send(
        &self,
        request: http::Request<Bytes>,
        timeout: Duration,
    ) -> Result<http::Response<Bytes>, SendError> {
        match left(self.system.now()) {
            None => self.inner.send(request, timeout).await,
            Some(left) if !left.is_zero() => self.inner.send(request, timeout.min(left)).await,
            Some(_) => Err(SendError::NotSent("no time is left for it".to_owned())),
        }
    }
}
