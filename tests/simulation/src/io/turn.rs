//! The request behind the function whose turn it is.

use std::sync::Arc;

use jiff::Timestamp;
use shared::domain::{OwnRequest, Verdict};
use shared::flows::request_change::ChangeRequest;
use uuid::Uuid;

use crate::browser::Visit;

#[derive(Default)]
pub(crate) struct Turn {
    /// The function's number in this run.
    pub(crate) task: u64,
    /// The caller sent a forged token.
    pub(crate) forged: bool,
    pub(crate) caller: Caller,
    /// The principal of a call of the management API.
    pub(crate) principal: Option<&'static str>,
    /// The change that the publisher asks for through the management API.
    pub(crate) ask: Option<Arc<Ask>>,
    /// A browser's request, with sign-in on.
    pub(crate) visit: Option<Arc<Visit>>,
    /// When the function began.
    pub(crate) begun: Timestamp,
}

/// A change or a cancellation that the publisher asks for through the management API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ask {
    pub(crate) id: Uuid,
    pub(crate) wanted: ChangeRequest,
    /// Why a purchase is declined, if that is what the cancellation is for.
    pub(crate) declines: Option<&'static str>,
    /// `Idempotency-Key`.
    pub(crate) key: Option<String>,
    /// `If-Match`, and the versions that it names.
    pub(crate) if_match: Option<(String, Vec<u64>)>,
}

impl Ask {
    /// Whether it is the same request, in the sense of an idempotency key.
    pub(crate) fn repeats(&self, other: &Self) -> bool {
        (self.id, &self.wanted, self.declines, &self.key)
            == (other.id, &other.wanted, other.declines, &other.key)
    }

    /// Whether `If-Match` permits a record of this version.
    pub(crate) fn permits(&self, version: u64) -> bool {
        self.if_match
            .as_ref()
            .is_none_or(|(text, versions)| text.as_str() == "*" || versions.contains(&version))
    }
}

/// Who called the function whose turn it is, as its events' cause must say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Caller {
    Buyer,
    Publisher,
    /// The publisher's product, which activates.
    Activation,
    /// Microsoft's webhook about this operation.
    Microsoft(Uuid),
    /// A stranger with a stolen token.
    Stranger,
    Schedule,
    #[default]
    Other,
}

/// What a function has done so far in answer to its request.
#[derive(Default)]
pub(crate) struct Deeds {
    /// How many faults had struck the run when the function began.
    pub(super) faults_before: u64,
    /// The version of the record that the request is about, when the function began.
    pub(crate) version: Option<u64>,
    /// The request's idempotency key belonged to another request when the function began.
    pub(crate) key_is_taken: bool,
    /// What the function noted on a record, in order to ask Microsoft for it.
    pub(crate) noted: Option<OwnRequest>,
    /// What the publisher's product decided.
    pub(crate) decided: Option<Verdict>,
    /// The operations whose refusal the function tried to tell Microsoft.
    pub(crate) refused: Vec<Uuid>,
}
