//! What the clock sets off.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The world checks whether a timer still applies when its time comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Timer {
    /// An accepted activation takes effect.
    Activation(Uuid),
    /// A purchase that was not activated ends.
    Deadline(Uuid),
    /// A term is over.
    Term(Uuid),
    /// A subscription that was suspended for too long ends.
    Grace(Uuid),
    /// An operation that the publisher requested starts.
    Start(Uuid),
    /// The publisher can no longer refuse an operation.
    Window(Uuid),
}
