//! Whether a requested plan or seat change is accepted, by whose word, and what is kept of it.

mod rules;
mod ruling;

use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::event::{Cause, EventKind};
use super::observe::Decision;
use super::operation::{Action, Operation, OperationId, OperationSource, OperationStatus};
use super::record::Record;
use super::subscription::Status;

pub use rules::{ChangeRules, RulesError, Said};
pub use ruling::{Authority, Ruling, Verdict};

/// What a plan or seat change meets that we didn't ask for ourselves, and that no rule speaks about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ChangePolicy {
    /// It is accepted.
    #[default]
    Accept,
    /// It is rejected.
    Reject,
}

impl ChangePolicy {
    /// What it says about any change.
    pub fn verdict(self) -> Verdict {
        match self {
            Self::Accept => Verdict::Accept,
            Self::Reject => Verdict::Reject,
        }
    }
}

/// The policy's name is neither `accept` nor `reject`.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("must be `accept` or `reject`")]
pub struct UnknownPolicy;

impl FromStr for ChangePolicy {
    type Err = UnknownPolicy;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "accept" => Ok(Self::Accept),
            "reject" => Ok(Self::Reject),
            _ => Err(UnknownPolicy),
        }
    }
}

/// The values a change is about: those in force, and those asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "camelCase")]
pub enum RequestedChange {
    /// Another plan.
    Plan {
        /// The plan in force.
        from: String,
        /// The plan asked for, where the operation says it.
        to: Option<String>,
    },
    /// Another number of seats.
    Seats {
        /// Seats now; `None` on a flat-rate plan.
        from: Option<u64>,
        /// Seats asked for, where the operation says it.
        to: Option<u64>,
    },
}

impl RequestedChange {
    /// What the operation would change; `None` where it isn't about plan or seats.
    pub fn of(current: &Record, operation: &Operation) -> Option<Self> {
        let subscription = &current.subscription;
        match &operation.action {
            Some(Action::ChangePlan) => Some(Self::Plan {
                from: subscription.plan_id.clone(),
                to: operation.plan_id.clone(),
            }),
            Some(Action::ChangeQuantity) => {
                Some(Self::Seats { from: subscription.quantity, to: operation.quantity })
            }
            Some(
                Action::Subscribe
                | Action::Renew
                | Action::Suspend
                | Action::Reinstate
                | Action::Unsubscribe
                | Action::Other(_),
            )
            | None => None,
        }
    }

    /// Whether another value has come into force since, so that nobody here can say whether this change came
    /// before it or after.
    pub fn is_overtaken(&self, now: &Record, operation: &Operation) -> bool {
        Self::of(now, operation).is_some_and(|now| now != *self && !now.is_in_force())
    }

    /// Whether it asks for what is in force.
    fn is_in_force(&self) -> bool {
        match self {
            Self::Plan { from, to } => to.as_ref() == Some(from),
            // No seats asked for on a plan without seats is no value in force.
            Self::Seats { from, to } => to.is_some() && to == from,
        }
    }
}

/// How far a change is decided here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Review {
    /// Nobody else is asked.
    Settled(Ruling),
    /// The publisher's product may say otherwise; where nobody is asked, this stands.
    Open(Ruling),
}

/// Accepts or rejects a requested change, as far as that is known without asking anybody.
pub fn review(
    current: &Record,
    operation: &Operation,
    rules: &ChangeRules,
    policy: ChangePolicy,
) -> Review {
    // What we asked for ourselves has been decided (F-WHA-15), also where the answer doesn't say who
    // asked (F-OP-3); what we answered before is answered again.
    let awaited = current.pending_operation.as_ref();
    let awaited = awaited.filter(|pending| operation.id == Some(pending.id.0));
    if operation.operation_request_source == Some(OperationSource::Partner) || awaited.is_some() {
        let before = awaited.and_then(|pending| pending.decision.clone());
        return Review::Settled(before.unwrap_or(Ruling::accept(Authority::Publisher)));
    }
    let change = RequestedChange::of(current, operation);
    // A change to what is already in force takes a rejected change back (F-WHA-14).
    if change.as_ref().is_some_and(RequestedChange::is_in_force) {
        return Review::Settled(Ruling::accept(Authority::InForce));
    }
    let said = change.and_then(|change| rules.say(&current.subscription, operation, &change));
    match said {
        Some(Said::Rejected(reason)) => {
            Review::Settled(Ruling::new(Verdict::Reject, Authority::Rules, &reason))
        }
        Some(Said::Allowed) => Review::Open(Ruling::accept(Authority::Rules)),
        None => {
            Review::Open(Ruling { verdict: policy.verdict(), by: Authority::Policy, reason: None })
        }
    }
}

/// What becomes of the record when a change is rejected: nothing but an event, and that nobody waits
/// for the operation any more.
pub fn reject(
    current: &Record,
    id: OperationId,
    operation: &Operation,
    cause: &Cause,
    ruling: &Ruling,
    now: Timestamp,
) -> Decision {
    // Nothing follows an end (F-LC-8).
    let ended = *current.status() == Status::Unsubscribed;
    let Some(change) = RequestedChange::of(current, operation).filter(|_| !ended) else {
        return current.forget_operation(id, now);
    };
    let kind = EventKind::ChangeRejected { change };
    let rejected = current.announce(kind, &cause.told_by(operation), now, |record| {
        record.pending_operation.take_if(|pending| pending.id == id);
    });
    Decision::Commit(rejected).ruled(ruling)
}

/// The rejection of an operation, if the record waited to see whether Microsoft has heard it, and
/// Microsoft has.
pub fn rejected_before<'a>(
    current: &'a Record,
    id: OperationId,
    operation: &Operation,
) -> Option<&'a Ruling> {
    let pending = current.pending_operation.as_ref().filter(|pending| pending.id == id)?;
    let ruling = pending.decision.as_ref()?;
    let heard = operation.status == Some(OperationStatus::Failed);
    (heard && ruling.verdict == Verdict::Reject).then_some(ruling)
}

impl Decision {
    /// The same decision, and its events tell by whose word.
    #[must_use]
    pub fn ruled(mut self, ruling: &Ruling) -> Self {
        if let Self::Commit(change) = &mut self {
            for event in &mut change.events {
                event.decision = Some(ruling.clone());
            }
        }
        self
    }
}

#[cfg(test)]
mod tests;
