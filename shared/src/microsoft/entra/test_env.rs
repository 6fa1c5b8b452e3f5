//! A manual clock and a scripted Entra for the unit tests.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::host::clock::Clock;
use crate::host::http_client::{SendError, Transport};

#[derive(Debug)]
pub(super) struct ManualClock(Mutex<Timestamp>);

impl ManualClock {
    pub(super) fn at_noon() -> Arc<Self> {
        Arc::new(Self(Mutex::new("2026-11-22T12:00:00Z".parse().expect("a timestamp"))))
    }

    pub(super) fn forward(&self, by: SignedDuration) {
        let mut now = self.0.lock().expect("no test panics while it holds the clock");
        *now += by;
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().expect("no test panics while it holds the clock")
    }

    async fn sleep(&self, _: Duration) {}

    fn new_id(&self) -> Uuid {
        Uuid::nil()
    }
}

type Answer = Result<Response<Bytes>, SendError>;

/// Gives scripted answers in order, and records the addresses of the requests.
#[derive(Debug, Default)]
pub(super) struct Entra {
    /// `None`: the request hangs.
    answers: Mutex<VecDeque<Option<Answer>>>,
    asked: Mutex<Vec<String>>,
}

impl Entra {
    /// The next answer.
    pub(super) fn answers(&self, status: u16, body: impl Into<Bytes>) {
        let answer = Response::builder().status(status).body(body.into());
        self.push(Some(Ok(answer.expect("a status"))));
    }

    /// The next request gets no answer.
    pub(super) fn is_silent(&self) {
        self.push(Some(Err(SendError::NoAnswer("no answer".into()))));
    }

    /// The next request is never answered, and doesn't end.
    pub(super) fn hangs(&self) {
        self.push(None);
    }

    fn push(&self, answer: Option<Answer>) {
        self.answers.lock().expect("unpoisoned").push_back(answer);
    }

    /// How many requests there were.
    pub(super) fn asked(&self) -> usize {
        self.asked.lock().expect("unpoisoned").len()
    }

    /// The addresses of all requests.
    pub(super) fn addresses(&self) -> Vec<String> {
        self.asked.lock().expect("unpoisoned").clone()
    }
}

#[async_trait]
impl Transport for Entra {
    async fn send(
        &self,
        request: Request<Bytes>,
        _: Duration,
    ) -> Result<Response<Bytes>, SendError> {
        self.asked.lock().expect("unpoisoned").push(request.uri().to_string());
        tokio::task::yield_now().await;
        let answer = self.answers.lock().expect("unpoisoned").pop_front();
        match answer.expect("the test scripted an answer for each request") {
            Some(answer) => answer,
            None => std::future::pending().await,
        }
    }
}
