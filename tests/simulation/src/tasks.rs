//! The executor: runs functions in turns. There is no async runtime, so the seed decides which
//! function continues.

use std::future::Future;
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use jiff::Timestamp;

use crate::io::{begin_poll, was_killed};

struct Task<P, R> {
    purpose: P,
    /// When the function began, and when the host ends it.
    life: Range<Timestamp>,
    future: Pin<Box<dyn Future<Output = R> + Send>>,
}

/// How a function ended.
pub(crate) enum Ended<P, R> {
    Answered(P, R),
    Killed(P),
    /// Its host ended it at its deadline.
    TimedOut(P),
}

/// The running functions.
pub(crate) struct Tasks<P, R>(Vec<Task<P, R>>);

impl<P, R> Default for Tasks<P, R> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<P, R> Tasks<P, R> {
    pub(crate) fn start(
        &mut self,
        purpose: P,
        life: Range<Timestamp>,
        future: impl Future<Output = R> + Send + 'static,
    ) {
        self.0.push(Task { purpose, life, future: Box::pin(future) });
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn purposes(&self) -> impl Iterator<Item = &P> {
        self.0.iter().map(|task| &task.purpose)
    }

    /// When a function began.
    pub(crate) fn begun(&self, index: usize) -> Option<Timestamp> {
        Some(self.0.get(index)?.life.start)
    }

    /// Polls one function once. `None`: it is still running.
    pub(crate) fn turn(&mut self, index: usize, now: Timestamp) -> Option<Ended<P, R>> {
        let task = self.0.get_mut(index)?;
        if now > task.life.end {
            return Some(Ended::TimedOut(self.0.swap_remove(index).purpose));
        }
        begin_poll();
        let polled = task.future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        if was_killed() {
            return Some(Ended::Killed(self.0.swap_remove(index).purpose));
        }
        match polled {
            Poll::Ready(result) => Some(Ended::Answered(self.0.swap_remove(index).purpose, result)),
            Poll::Pending => None,
        }
    }
}
