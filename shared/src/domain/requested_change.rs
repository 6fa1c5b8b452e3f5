//! A requested plan or seat change: the value in force, and the value asked for.

use serde::{Deserialize, Serialize};

use super::operation::{Action, Operation};
use super::subscription::Subscription;

/// A requested plan or seat change.
///
/// Serialised in stored events, in CloudEvents and in questions to the product: members are only
/// added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "camelCase")]
pub enum RequestedChange {
    Plan {
        /// In force.
        from: String,
        /// Asked for; `None` where the operation leaves it out.
        to: Option<String>,
    },
    Seats {
        /// In force; `None` on a flat-rate plan.
        from: Option<u64>,
        /// Asked for; `None` where the operation leaves it out.
        to: Option<u64>,
    },
}

impl RequestedChange {
    /// The change that an operation would make; `None` where it isn't about plan or seats.
    pub fn of(subscription: &Subscription, operation: &Operation) -> Option<Self> {
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

    /// Whether another value has come into force since. Then we can't tell which of the two changes
    /// came first.
    pub fn is_overtaken(&self, now: &Subscription, operation: &Operation) -> bool {
        Self::of(now, operation).is_some_and(|now| now != *self && !now.is_in_force())
    }

    /// Whether it asks for the value that is in force.
    pub(super) fn is_in_force(&self) -> bool {
        match self {
            Self::Plan { from, to } => to.as_ref() == Some(from),
            // An operation without a quantity, on a plan without seats, asks for nothing in force.
            Self::Seats { from, to } => to.is_some() && to == from,
        }
    }
}
