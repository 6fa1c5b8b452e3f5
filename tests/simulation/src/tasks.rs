//! The executor: runs functions in turns. There is no async runtime, so the seed decides which
//! function continues.

use std::future::Future;
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use jiff::Timestamp;
use tokio::runtime::{Builder, Runtime};

use crate::io::{begin_poll, was_killed};

thread_local! {
    /// Where the AWS SDK registers its timers. No thread drives it, so none of them ends.
    static TIMERS: Runtime =
        Builder::new_current_thread().enable_time().build().expect("timers need no system call");
}

struct Task<P, R> {
    /// Counted in the order of starting.
    number: u64,
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
pub(crate) struct Tasks<P, R> {
    running: Vec<Task<P, R>>,
    started: u64,
}

impl<P, R> Default for Tasks<P, R> {
    fn default() -> Self {
        Self { running: Vec::new(), started: 0 }
    }
}

impl<P, R> Tasks<P, R> {
    /// Starts a function. Returns its number.
    pub(crate) fn start(
        &mut self,
        purpose: P,
        life: Range<Timestamp>,
        future: impl Future<Output = R> + Send + 'static,
    ) -> u64 {
        self.started += 1;
        let number = self.started;
        self.running.push(Task { number, purpose, life, future: Box::pin(future) });
        number
    }

    /// The number of a running function.
    pub(crate) fn number(&self, index: usize) -> Option<u64> {
        self.running.get(index).map(|task| task.number)
    }

    pub(crate) fn len(&self) -> usize {
        self.running.len()
    }

    pub(crate) fn purposes(&self) -> impl Iterator<Item = &P> {
        self.running.iter().map(|task| &task.purpose)
    }

    /// When a function began.
    pub(crate) fn begun(&self, index: usize) -> Option<Timestamp> {
        Some(self.running.get(index)?.life.start)
    }

    /// Polls one function once. `None`: it is still running.
    pub(crate) fn turn(&mut self, index: usize, now: Timestamp) -> Option<Ended<P, R>> {
        let task = self.running.get_mut(index)?;
        if now > task.life.end {
            return Some(Ended::TimedOut(self.running.swap_remove(index).purpose));
        }
        begin_poll();
        let polled = TIMERS.with(|timers| {
            let _entered = timers.enter();
            task.future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
        });
        if was_killed() {
            return Some(Ended::Killed(self.running.swap_remove(index).purpose));
        }
        match polled {
            Poll::Ready(result) => {
                Some(Ended::Answered(self.running.swap_remove(index).purpose, result))
            }
            Poll::Pending => None,
        }
    }
}
