//! Faults that a test injects into calls.

use super::call::Call;
use super::error_form::ErrorForm;
use crate::wire::{Answer, Outcome, Reply};
use std::time::Duration;

#[derive(Clone, Debug)]
pub struct Fault {
    pub call: Call,
    pub kind: FaultKind,
    pub times: Times,
}

/// How a call goes wrong.
#[derive(Clone, Debug)]
pub enum FaultKind {
    /// Answers with this status and an error body of this form, and does not process the call.
    Status(u16, ErrorForm),
    /// Answers with this status and this `Retry-After`, and does not process the call.
    RetryAfter(u16, String),
    /// Processes the call and answers late.
    Delay(Duration),
    /// Neither processes nor answers the call.
    Hang,
    /// Closes the connection and does not process the call.
    DropBefore,
    /// Processes the call and closes the connection without an answer.
    LoseAnswer,
    /// Answers 200 with this body, and does not process the call.
    Garbage(String),
}

/// How often a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    /// At the next matching call.
    Once,
    /// At this many matching calls.
    N(u32),
    /// At every matching call until [`Faults::clear`].
    Always,
}

/// The faults that have not struck yet, in the order in which they were added.
#[derive(Debug, Default)]
pub struct Faults(Vec<Fault>);

impl Faults {
    pub fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    /// Adds a fault that strikes once.
    pub fn once(&mut self, call: Call, kind: FaultKind) {
        self.add(Fault { call, kind, times: Times::Once });
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The fault that strikes this call. Counts it down.
    pub(super) fn strike(&mut self, call: Call) -> Option<FaultKind> {
        let at = self.0.iter().position(|fault| fault.call == call || fault.call == Call::Any)?;
        let kind = self.0[at].kind.clone();
        match self.0[at].times {
            Times::Always => {}
            Times::N(left) if left > 1 => self.0[at].times = Times::N(left - 1),
            Times::Once | Times::N(_) => {
                self.0.remove(at);
            }
        }
        Some(kind)
    }
}

/// Answers a call under a fault. Runs `process` unless the fault prevents it.
pub(super) fn with_fault(fault: Option<FaultKind>, process: impl FnOnce() -> Reply) -> Answer {
    let outcome = match fault {
        None => Outcome::Reply(process()),
        Some(FaultKind::Delay(delay)) => {
            return Answer { delay, outcome: Outcome::Reply(process()) };
        }
        Some(FaultKind::LoseAnswer) => {
            process();
            Outcome::LoseAnswer
        }
        Some(FaultKind::Hang) => Outcome::Hang,
        Some(FaultKind::DropBefore) => Outcome::DropConnection,
        Some(FaultKind::Status(status, form)) => {
            Outcome::Reply(form.reply(status, "UnexpectedError", "An unexpected error occurred."))
        }
        Some(FaultKind::RetryAfter(status, when)) => {
            let reply = ErrorForm::Object.reply(status, "TooManyRequests", "Try again later.");
            Outcome::Reply(reply.with_header("retry-after", &when))
        }
        Some(FaultKind::Garbage(body)) => {
            Outcome::Reply(Reply::text(200, "application/json; charset=utf-8", body))
        }
    };
    Answer { delay: Duration::ZERO, outcome }
}
