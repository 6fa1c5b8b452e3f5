//! A webhook call's claim. It changes nothing on its own: it tells us what to ask Microsoft.

use jiff::Timestamp;
use serde::Deserialize;
use shared::domain::{Action, Cause, Operation, OperationId, SubscriptionId, is_young};
use shared::lenient::{lenient, object};
use thiserror::Error;
use uuid::Uuid;

/// The part of a webhook's body that we use (F-WHP). We ask Microsoft for everything else, above
/// all for the subscription that the body embeds.
#[derive(Debug, PartialEq, Eq)]
pub struct Claim {
    /// The operation; older forms leave it out (F-WHP-6).
    pub operation: Option<OperationId>,
    pub subscription: SubscriptionId,
    pub action: Action,
    /// When it was requested. Some forms leave it out.
    time_stamp: Option<Timestamp>,
    plan_id: Option<String>,
    quantity: Option<u64>,
}

/// Why a body is not a claim.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum Unreadable {
    #[error("no JSON object")]
    NotJson,
    #[error("no subscription")]
    NoSubscription,
    #[error("no action")]
    NoAction,
}

/// Two members also have an older name, and a body may hold both names.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    #[serde(default, deserialize_with = "lenient")]
    id: Option<OperationId>,
    #[serde(default, deserialize_with = "lenient")]
    operation_id: Option<OperationId>,
    #[serde(default, deserialize_with = "lenient")]
    subscription_id: Option<Uuid>,
    #[serde(default, deserialize_with = "lenient")]
    action: Option<Action>,
    #[serde(default, deserialize_with = "lenient")]
    operation_type: Option<Action>,
    #[serde(default, deserialize_with = "lenient")]
    time_stamp: Option<Timestamp>,
    #[serde(default, deserialize_with = "lenient")]
    plan_id: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    quantity: Option<u64>,
}

impl Claim {
    /// Reads a body in any of its forms: full, sparse, old, with unknown members and words
    /// (F-GEN-10, F-WHP-6, F-WHP-7).
    pub fn parse(body: &[u8]) -> Result<Self, Unreadable> {
        let body: Body = object(body).ok_or(Unreadable::NotJson)?;
        Ok(Self {
            operation: body.id.or(body.operation_id),
            subscription: body
                .subscription_id
                .map(SubscriptionId)
                .ok_or(Unreadable::NoSubscription)?,
            action: body.action.or(body.operation_type).ok_or(Unreadable::NoAction)?,
            time_stamp: body.time_stamp,
            plan_id: body.plan_id,
            quantity: body.quantity,
        })
    }

    pub fn cause(&self) -> Cause {
        Cause::Webhook {
            action: self.action.clone(),
            operation_id: self.operation.clone(),
            source: None,
            requester: None,
        }
    }

    /// Whether Microsoft's reads may not know yet what the call is about.
    pub fn is_young(&self, now: Timestamp) -> bool {
        is_young(self.time_stamp, now)
    }

    /// Whether Microsoft's operation agrees with the body (F-WHS-2). A member that either side
    /// leaves out is no contradiction.
    pub fn agrees_with(&self, operation: &Operation) -> bool {
        fn agree<T: PartialEq>(claimed: Option<&T>, fact: Option<&T>) -> bool {
            claimed.zip(fact).is_none_or(|(claimed, fact)| claimed == fact)
        }
        let values = match self.action {
            Action::ChangePlan => agree(self.plan_id.as_ref(), operation.plan_id.as_ref()),
            Action::ChangeQuantity => agree(self.quantity.as_ref(), operation.quantity.as_ref()),
            // A notice requests nothing. Its plan and seats are only informational.
            Action::Subscribe
            | Action::Renew
            | Action::Suspend
            | Action::Reinstate
            | Action::Unsubscribe
            | Action::Other(_) => true,
        };
        values && operation.action.as_ref() == Some(&self.action)
    }
}

#[cfg(test)]
mod tests;
