//! Operations that had settled before Microsoft's copy showed their result.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::super::operation_id::OperationId;

/// How long the record remembers such an operation. If this is shorter than the time between two
/// calls of Microsoft's (F-WHD-4), each call counts as the first one, and none is ever handled.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(8);

/// Settled operations, and when we first saw that they were settled.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(in super::super) struct SettledOperations(Vec<SettledOperation>);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SettledOperation {
    id: OperationId,
    seen_at: Timestamp,
}

impl SettledOperations {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those that are still remembered.
    pub(super) fn at(&self, now: Timestamp) -> Self {
        let remembered = |seen: &&SettledOperation| now.duration_since(seen.seen_at) < REMEMBERED;
        Self(self.0.iter().filter(remembered).cloned().collect())
    }

    pub(in super::super) fn seen_at(&self, id: &OperationId) -> Option<Timestamp> {
        self.0.iter().find(|seen| seen.id == *id).map(|seen| seen.seen_at)
    }

    pub(in super::super) fn see(&mut self, id: &OperationId, now: Timestamp) {
        self.0.push(SettledOperation { id: id.clone(), seen_at: now });
    }
}
