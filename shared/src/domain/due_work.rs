//! What the reconciliation has to do about a record by itself, and when.

use jiff::{SignedDuration, Timestamp};

use super::record::{ActivationRequest, Record};

/// How long an activation is left to the function that began it.
const ACTIVATION_GRACE: SignedDuration = SignedDuration::from_mins(2);

/// How long an operation is left to the webhook: until its ten seconds (F-WHA-10) are well over.
const OPERATION_GRACE: SignedDuration = SignedDuration::from_mins(1);

impl Record {
    /// When an activation is repeated that was begun and never confirmed; `None` if there is none.
    pub fn activation_due(&self) -> Option<Timestamp> {
        match self.activation {
            Some(ActivationRequest::AwaitsMicrosoft { since }) => {
                since.checked_add(ACTIVATION_GRACE).ok()
            }
            Some(ActivationRequest::AwaitsPublisher { .. }) | None => None,
        }
    }

    /// When we ask Microsoft how the operation ended that the record waits for; `None` if it waits for none.
    pub fn operation_due(&self) -> Option<Timestamp> {
        self.pending_operation.as_ref()?.since.checked_add(OPERATION_GRACE).ok()
    }

    /// When there is something to do about this record whatever Microsoft's list shows; `None` if there is
    /// nothing. It may be long ago.
    pub fn work_due(&self) -> Option<Timestamp> {
        let all = [
            self.activation_due(),
            self.operation_due(),
            self.deadline_due(),
            self.restatement_due(),
            self.erasure_due(),
        ];
        all.into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests;
