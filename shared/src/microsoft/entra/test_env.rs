//! What the tests of this module stand on: a clock that is moved by hand, and an Entra of few words.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::outbound::{SendError, Transport};
use crate::system::System;

/// A clock that only tests move.
#[derive(Debug)]
pub struct Clock(Mutex<Timestamp>);

impl Clock {
    pub fn at_noon() -> Arc<Self> {
        Arc::new(Self(Mutex::new("2026-11-22T12:00:00Z".parse().expect("a timestamp"))))
    }

    pub fn forward(&self, by: SignedDuration) {
        let mut now = self.0.lock().expect("no test panics while it holds the clock");
        *now += by;
    }
}

#[async_trait]
impl System for Clock {
    fn now(&self) -> Timestamp {
        *self.0.lock().expect("no test panics while it holds the clock")
    }

    async fn sleep(&self, _: Duration) {}

    fn new_id(&self) -> Uuid {
        Uuid::nil()
    }
}

/// Answers what it is told to answer, in order, and counts what is asked.
#[derive(Debug, Default)]
pub struct Entra {
    answers: Mutex<VecDeque<Result<Response<Bytes>, SendError>>>,
    asked: Mutex<usize>,
}

impl Entra {
    /// The next answer.
    pub fn answers(&self, status: u16, body: impl Into<Bytes>) {
        let answer = Response::builder().status(status).body(body.into());
        self.push(Ok(answer.expect("a status")));
    }

    /// Nothing is heard of it next.
    pub fn is_silent(&self) {
        self.push(Err(SendError::NoAnswer("no answer".to_owned())));
    }

    fn push(&self, answer: Result<Response<Bytes>, SendError>) {
        self.answers.lock().expect("unpoisoned").push_back(answer);
    }

    /// How often it was asked.
    pub fn asked(&self) -> usize {
        *self.asked.lock().expect("unpoisoned")
    }
}

#[async_trait]
impl Transport for Entra {
    async fn send(&self, _: Request<Bytes>, _: Duration) -> Result<Response<Bytes>, SendError> {
        *self.asked.lock().expect("unpoisoned") += 1;
        let answer = self.answers.lock().expect("unpoisoned").pop_front();
        answer.expect("nobody asks more than the test foresees")
    }
}
