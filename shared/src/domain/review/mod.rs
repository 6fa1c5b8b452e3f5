//! Whether to accept a requested plan or seat change, as far as our own rules can say.

mod rules;

use std::str::FromStr;

use jiff::Timestamp;
use thiserror::Error;

use super::decision::Decision;
use super::event::{Cause, EventKind};
use super::operation::{Operation, OperationSource, OperationStatus};
use super::operation_id::OperationId;
use super::record::Record;
use super::requested_change::RequestedChange;
use super::ruling::{DecidedBy, Ruling, Verdict};
use super::subscription::Status;

pub use rules::{ChangeRules, RuleVerdict, RulesError};

/// The answer to a customer's change that neither the rules nor the product decide about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ChangePolicy {
    #[default]
    Accept,
    Reject,
}

impl ChangePolicy {
    pub fn verdict(self) -> Verdict {
        match self {
            Self::Accept => Verdict::Accept,
            Self::Reject => Verdict::Reject,
        }
    }
}

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

/// How far our own rules decide about a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Review {
    /// The product is not asked.
    Settled(Ruling),
    /// The product may decide otherwise. Without one, this ruling holds.
    Open(Ruling),
}

/// Accepts or rejects a requested change, as far as we can without asking the product.
pub fn review(
    current: &Record,
    operation: &Operation,
    rules: &ChangeRules,
    policy: ChangePolicy,
) -> Review {
    // We don't decide again about a change that we requested ourselves (F-WHA-15), even where
    // Microsoft doesn't say who asked (F-OP-3). A change that we answered before gets the same
    // answer.
    let awaited = current.pending_operation.as_ref();
    let awaited = awaited.filter(|pending| operation.id.as_ref() == Some(&pending.id));
    if operation.operation_request_source == Some(OperationSource::Partner) || awaited.is_some() {
        let before = awaited.and_then(|pending| pending.ruling.clone());
        return Review::Settled(before.unwrap_or(Ruling::accept(DecidedBy::Publisher)));
    }
    let change = RequestedChange::of(&current.subscription, operation);
    // A change to the value in force takes a rejected change back (F-WHA-14).
    if change.as_ref().is_some_and(RequestedChange::is_in_force) {
        return Review::Settled(Ruling::accept(DecidedBy::InForce));
    }
    let verdict =
        change.and_then(|change| rules.evaluate(&current.subscription, operation, &change));
    match verdict {
        Some(RuleVerdict::Rejected(reason)) => {
            Review::Settled(Ruling::new(Verdict::Reject, DecidedBy::Rules, &reason))
        }
        Some(RuleVerdict::Allowed) => Review::Open(Ruling::accept(DecidedBy::Rules)),
        None => Review::Open(Ruling {
            verdict: policy.verdict(),
            by: DecidedBy::Policy,
            reason: None,
            principal: None,
        }),
    }
}

/// Records a rejection: an event, and the end of the wait for the operation. Nothing else changes.
pub fn reject(
    current: &Record,
    id: &OperationId,
    operation: &Operation,
    cause: &Cause,
    ruling: &Ruling,
    now: Timestamp,
) -> Decision {
    // Nothing follows an end (F-LC-8).
    let ended = *current.status() == Status::Unsubscribed;
    let Some(change) = RequestedChange::of(&current.subscription, operation).filter(|_| !ended)
    else {
        return current.forget_operation(id, now);
    };
    let kind = EventKind::ChangeRejected { change };
    let rejected = current.announce(kind, cause, now, |record| {
        record.pending_operation.take_if(|pending| pending.id == *id);
    });
    Decision::Commit(rejected).ruled(ruling)
}

/// The rejection of an operation, where the record waits to see whether Microsoft received it, and
/// the operation shows that Microsoft did.
pub fn rejected_before<'a>(
    current: &'a Record,
    id: &OperationId,
    operation: &Operation,
) -> Option<&'a Ruling> {
    let pending = current.pending_operation.as_ref().filter(|pending| pending.id == *id)?;
    let ruling = pending.ruling.as_ref()?;
    let received = operation.status == Some(OperationStatus::Failed);
    (received && ruling.verdict == Verdict::Reject).then_some(ruling)
}

#[cfg(test)]
mod tests;
