//! Functions under way, by turns. No runtime: the seed says who goes next.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use jiff::Timestamp;

use crate::io::was_killed;

/// A function under way, and what it's for.
pub struct Task<P, R> {
    /// What it's for.
    pub purpose: P,
    /// When its host ends it.
    until: Timestamp,
    future: Pin<Box<dyn Future<Output = R> + Send>>,
}

/// How a function ended.
pub enum Ended<P, R> {
    /// With a result.
    Answered(P, R),
    /// It was killed.
    Killed(P),
}

/// Functions under way.
pub struct Tasks<P, R>(Vec<Task<P, R>>);

impl<P, R> Default for Tasks<P, R> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<P, R> Tasks<P, R> {
    /// Starts one more, which its host lets run until then.
    pub fn start(
        &mut self,
        purpose: P,
        until: Timestamp,
        future: impl Future<Output = R> + Send + 'static,
    ) {
        self.0.push(Task { purpose, until, future: Box::pin(future) });
    }

    /// How many are under way.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// What is under way.
    pub fn purposes(&self) -> impl Iterator<Item = &P> {
        self.0.iter().map(|task| &task.purpose)
    }

    /// Gives one a turn.
    pub fn turn(&mut self, which: usize, now: Timestamp) -> Option<Ended<P, R>> {
        let task = self.0.get_mut(which)?;
        if now > task.until {
            return Some(Ended::Killed(self.0.swap_remove(which).purpose));
        }
        let polled = task.future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        if was_killed() {
            return Some(Ended::Killed(self.0.swap_remove(which).purpose));
        }
        match polled {
            Poll::Ready(result) => Some(Ended::Answered(self.0.swap_remove(which).purpose, result)),
            Poll::Pending => None,
        }
    }
}
