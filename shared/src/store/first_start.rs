//! When a deployment first started.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A deployment's first start, and the end of its import. It is stored once and never reset, so that a
/// lost [`Checkpoint`](super::Checkpoint) doesn't begin the import again.
///
/// Serialised in the table: members are only added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FirstStart {
    pub started_at: Timestamp,
    /// When the first full round had found every customer from before; `None` while the import is under
    /// way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported_at: Option<Timestamp>,
}
