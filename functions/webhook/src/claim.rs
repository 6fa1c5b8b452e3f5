//! What a webhook call claims. A claim changes nothing by itself: it says what to ask Microsoft.

use serde::Deserialize;
use shared::domain::{Action, Operation, OperationId, SubscriptionId};
use shared::lenient::lenient;
use uuid::Uuid;

/// A webhook's body, as far as it is looked at (F-WHP). Everything else in it, the subscription it
/// embeds above all, is Microsoft's to tell when asked.
#[derive(Debug, PartialEq, Eq)]
pub struct Claim {
    /// The operation; older forms leave it out (F-WHP-6).
    pub operation: Option<OperationId>,
    /// Whose.
    pub subscription: SubscriptionId,
    /// What is to happen, or has happened.
    pub action: Action,
    plan_id: Option<String>,
    quantity: Option<u64>,
}

/// The body isn't a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// Not JSON, or not an object.
    NotJson,
    /// No subscription is named.
    NoSubscription,
    /// No action is named.
    NoAction,
}

/// The members, the older names of two of them beside the newer: a body may hold both.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    #[serde(default, deserialize_with = "lenient")]
    id: Option<Uuid>,
    #[serde(default, deserialize_with = "lenient")]
    operation_id: Option<Uuid>,
    #[serde(default, deserialize_with = "lenient")]
    subscription_id: Option<Uuid>,
    #[serde(default, deserialize_with = "lenient")]
    action: Option<Action>,
    #[serde(default, deserialize_with = "lenient")]
    operation_type: Option<Action>,
    #[serde(default, deserialize_with = "lenient")]
    plan_id: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    quantity: Option<u64>,
}

impl Claim {
    /// Reads a body in any of its forms: full, sparse, old, with a byte order mark, with fields and
    /// words nobody knows yet (F-GEN-10, F-WHP-6, F-WHP-7).
    pub fn parse(body: &[u8]) -> Result<Self, Unreadable> {
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii_start();
        // A list would be read as the fields in their order.
        if !body.starts_with(b"{") {
            return Err(Unreadable::NotJson);
        }
        let body: Body = serde_json::from_slice(body).map_err(|_| Unreadable::NotJson)?;
        Ok(Self {
            operation: body.id.or(body.operation_id).map(OperationId),
            subscription: body
                .subscription_id
                .map(SubscriptionId)
                .ok_or(Unreadable::NoSubscription)?,
            action: body.action.or(body.operation_type).ok_or(Unreadable::NoAction)?,
            plan_id: body.plan_id,
            quantity: body.quantity,
        })
    }

    /// Whether Microsoft's operation is what the body says it is (F-WHS-2). What either side leaves
    /// out can't contradict.
    pub fn agrees_with(&self, operation: &Operation) -> bool {
        fn agree<T: PartialEq>(claimed: Option<&T>, fact: Option<&T>) -> bool {
            claimed.zip(fact).is_none_or(|(claimed, fact)| claimed == fact)
        }
        let values = match self.action {
            Action::ChangePlan => agree(self.plan_id.as_ref(), operation.plan_id.as_ref()),
            Action::ChangeQuantity => agree(self.quantity.as_ref(), operation.quantity.as_ref()),
            // A notice requests nothing; its plan and seats are for information.
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
