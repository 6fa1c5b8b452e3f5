//! A change that we ask Microsoft for ourselves: who wants it, and who approved it.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::identification::Account;
use super::operation::{Action, Operation, OperationSource};
use super::operation_id::OperationId;
use super::ruling::Ruling;

/// How far apart our request and Microsoft's operation of it may lie, where no id connects them.
/// Microsoft dates an operation when it takes the request; the rest allows for differing clocks.
const SAME_REQUEST: SignedDuration = SignedDuration::from_hours(1);

/// Who wants a change that we ask Microsoft for.
///
/// Serialised in stored records and events, and in answers of the API: members are only added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Requester {
    /// On the landing page: the person whom Microsoft names as the beneficiary.
    Buyer { account: Account },
    /// Through the publisher's API.
    Publisher {
        /// The caller, as AWS names it; `None` where the host doesn't say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        principal: Option<String>,
    },
}

/// A change that we asked Microsoft for.
///
/// It is stored before Microsoft is asked. If the id of Microsoft's operation gets lost, the
/// operation is still recognised, and credited to the person who wanted it.
///
/// Serialised in stored records: members are only added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OwnRequest {
    pub action: Action,
    /// The plan asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan_id: Option<String>,
    /// The seats asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<u64>,
    pub requester: Requester,
    /// Who approved a plan or seat change; `None` for a cancellation, which needs no approval.
    #[serde(default, rename = "decision", skip_serializing_if = "Option::is_none")]
    pub ruling: Option<Ruling>,
    /// When we began to ask.
    pub at: Timestamp,
    /// Microsoft's operation; `None` until we know it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation_id: Option<OperationId>,
}

impl OwnRequest {
    /// Whether Microsoft made this operation of our request. `operation` is what Get Operation
    /// returned, if we asked: without it, only the id proves anything. `asked` is when Microsoft
    /// was asked for it.
    pub(super) fn led_to(
        &self,
        id: &OperationId,
        action: &Action,
        operation: Option<&Operation>,
        asked: Timestamp,
    ) -> bool {
        // The id of a notice is not verified, so it may be another operation's.
        if self.action != *action {
            return false;
        }
        if let Some(own) = &self.operation_id {
            return own == id;
        }
        let agrees = |operation: &Operation| {
            operation.operation_request_source != Some(OperationSource::Azure)
                && agree(self.plan_id.as_ref(), operation.plan_id.as_ref())
                && agree(self.quantity.as_ref(), operation.quantity.as_ref())
        };
        asked.duration_since(self.at).abs() <= SAME_REQUEST && operation.is_some_and(agrees)
    }
}

/// A value that we did not ask for, or that the operation leaves out, is no contradiction.
fn agree<T: PartialEq>(asked: Option<&T>, operation: Option<&T>) -> bool {
    asked.zip(operation).is_none_or(|(asked, operation)| asked == operation)
}

#[cfg(test)]
mod tests;
