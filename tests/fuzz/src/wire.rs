//! A network made of a closure. It remembers the requests.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{Request, Response, StatusCode};
use shared::host::http_client::{SendError, Transport};

use crate::{ACCESS_TOKEN, MARKETPLACE};

pub type Responses = Box<dyn Fn(&Request<Bytes>) -> Response<Bytes> + Send>;

pub struct Wire {
    responses: Mutex<Responses>,
    sent: Mutex<Vec<Request<Bytes>>>,
}

impl Wire {
    /// A wire that gives every request the same answer.
    pub fn answering(answer: Response<Bytes>) -> Arc<Self> {
        Self::new(Box::new(move |_| answer.clone()))
    }

    pub fn new(responses: Responses) -> Arc<Self> {
        Arc::new(Self { responses: Mutex::new(responses), sent: Mutex::default() })
    }

    /// Replaces the answers and forgets the requests.
    pub fn reset(&self, responses: Responses) {
        *lock(&self.responses) = responses;
        lock(&self.sent).clear();
    }

    /// The requests, in order.
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

/// F-GEN-2, F-GEN-8: every request goes to the configured base, with one API version and one bearer
/// token, whatever addresses the answers name.
pub fn assert_sent_to_the_marketplace_alone(sent: &[Request<Bytes>]) {
    for request in sent {
        let uri = request.uri().to_string();
        assert!(uri.starts_with(&format!("{MARKETPLACE}/saas/subscriptions")), "{uri}");
        // A followed link may hold the same words inside another parameter.
        let query = request.uri().query().unwrap_or_default();
        let versions = query.split('&').filter(|pair| *pair == "api-version=2018-08-31");
        assert_eq!(versions.count(), 1, "{uri}");
        let bearers: Vec<_> = request.headers().get_all(AUTHORIZATION).iter().collect();
        assert_eq!(bearers, [&format!("Bearer {ACCESS_TOKEN}")]);
    }
}
