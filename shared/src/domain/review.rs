//! Whether a requested plan or seat change is accepted.

use std::str::FromStr;

use thiserror::Error;

use super::operation::{Action, Operation, OperationSource};
use super::record::Record;

/// What a plan or seat change meets that we didn't ask for ourselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ChangePolicy {
    /// It is accepted.
    #[default]
    Accept,
    /// It is rejected.
    Reject,
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

/// The answer to a requested change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Acknowledged with `Success`.
    Accept,
    /// Acknowledged with `Failure`, and answered with a 4xx (F-WHA-12).
    Reject,
}

/// Accepts or rejects a requested change.
pub fn review(current: &Record, operation: &Operation, policy: ChangePolicy) -> Verdict {
    // What we asked for ourselves has been decided (F-WHA-15), also where the answer doesn't say who
    // asked (F-OP-3); and a change to what is already in force takes a rejected change back
    // (F-WHA-14).
    if operation.operation_request_source == Some(OperationSource::Partner)
        || is_awaited(current, operation)
        || is_in_force(current, operation)
    {
        return Verdict::Accept;
    }
    match policy {
        ChangePolicy::Accept => Verdict::Accept,
        ChangePolicy::Reject => Verdict::Reject,
    }
}

/// Whether the record waits for this operation: it was asked for, or accepted before.
fn is_awaited(current: &Record, operation: &Operation) -> bool {
    current.pending_operation.as_ref().is_some_and(|pending| operation.id == Some(pending.id.0))
}

fn is_in_force(current: &Record, operation: &Operation) -> bool {
    let subscription = &current.subscription;
    match &operation.action {
        Some(Action::ChangePlan) => operation.plan_id.as_ref() == Some(&subscription.plan_id),
        Some(Action::ChangeQuantity) => {
            operation.quantity.is_some() && operation.quantity == subscription.quantity
        }
        Some(
            Action::Subscribe
            | Action::Renew
            | Action::Suspend
            | Action::Reinstate
            | Action::Unsubscribe
            | Action::Other(_),
        )
        | None => false,
    }
}

#[cfg(test)]
mod tests;
