//! A network that is a function, and remembers what was sent.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{Request, Response, StatusCode};
use shared::outbound::{SendError, Transport};

use crate::{ACCESS_TOKEN, MARKETPLACE};

/// What is answered to a request.
pub type Responses = Box<dyn Fn(&Request<Bytes>) -> Response<Bytes> + Send>;

/// A network that answers at once.
pub struct Wire {
    responses: Mutex<Responses>,
    sent: Mutex<Vec<Request<Bytes>>>,
}

impl Wire {
    /// A wire on which every request is answered alike.
    pub fn answering(answer: Response<Bytes>) -> Arc<Self> {
        Self::new(Box::new(move |_| answer.clone()))
    }

    /// A wire with an answer to each request.
    pub fn new(responses: Responses) -> Arc<Self> {
        Arc::new(Self { responses: Mutex::new(responses), sent: Mutex::default() })
    }

    /// From now on these are the answers, and nothing was sent yet.
    pub fn reset(&self, responses: Responses) {
        *lock(&self.responses) = responses;
        lock(&self.sent).clear();
    }

    /// What was sent, in order.
    pub fn sent(&self) -> Vec<Request<Bytes>> {
        lock(&self.sent).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}

#[async_trait]
impl Transport for Wire {
    async fn send(
        &self,
        request: Request<Bytes>,
        _: Duration,
    ) -> Result<Response<Bytes>, SendError> {
        let answer = lock(&self.responses)(&request);
        lock(&self.sent).push(request);
        Ok(answer)
    }
}

/// An empty answer.
pub fn status(status: StatusCode) -> Response<Bytes> {
    let mut answer = Response::new(Bytes::new());
    *answer.status_mut() = status;
    answer
}

/// F-GEN-2, F-GEN-8: every request goes below the configured base, once with its version and its
/// bearer token, whatever addresses the answers named.
pub fn assert_sent_to_the_marketplace_alone(sent: &[Request<Bytes>]) {
    for request in sent {
        let uri = request.uri().to_string();
        assert!(uri.starts_with(&format!("{MARKETPLACE}/saas/subscriptions")), "{uri}");
        assert_eq!(uri.matches("api-version=2018-08-31").count(), 1, "{uri}");
        let bearers: Vec<_> = request.headers().get_all(AUTHORIZATION).iter().collect();
        assert_eq!(bearers, [&format!("Bearer {ACCESS_TOKEN}")]);
    }
}
