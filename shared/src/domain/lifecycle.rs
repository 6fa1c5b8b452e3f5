//! The life cycle, as one table (F-LC).
//!
//! ```text
//!              Purchase            Activate               Suspend
//!   (unknown) ─────────▶ Pending ───────────▶ Subscribed ─────────▶ Suspended
//!                           │                     │   ◀─────────────   │
//!                           │                     │     Reinstate      │
//!                           │  Unsubscribe        │ Unsubscribe        │ Unsubscribe
//!                           ▼                     ▼                    ▼
//!                        ───────────────▶ Unsubscribed ◀───────────────
//! ```
//!
//! Observations may be far apart, so a path can hold several steps: we record the skipped ones, in
//! order (F-LC-12). A status that can't follow is a late read or a mistake of Microsoft's. We adopt
//! neither.

use super::subscription::Status;

/// One step along the life cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Activate,
    Suspend,
    Reinstate,
    Unsubscribe,
    /// To or from a status that this program does not know.
    Adopt,
}

/// What we know about the time before a step.
#[derive(Clone, Copy, Debug)]
pub(super) struct History {
    /// The record has seen the subscription active before.
    pub(super) had_begun: bool,
    /// Microsoft has held the subscription as Subscribed: its term has a start (F-OBJ-6). It
    /// decides whether a purchase that ended had ever begun.
    pub(super) was_billed: bool,
}

/// The steps from one status to another; `None` where the second can't follow the first.
pub(super) fn path(from: &Status, to: &Status, history: History) -> Option<&'static [Step]> {
    use Status::{Other, PendingFulfillmentStart as Pending, Subscribed, Suspended, Unsubscribed};
    use Step::{Activate, Adopt, Reinstate, Suspend, Unsubscribe};
    Some(match (from, to) {
        (Pending, Pending)
        | (Subscribed, Subscribed)
        | (Suspended, Suspended)
        | (Unsubscribed, Unsubscribed) => &[],

        (Pending, Subscribed) => &[Activate],
        (Pending, Suspended) => &[Activate, Suspend],
        (Pending, Unsubscribed) if history.was_billed => &[Activate, Unsubscribe],
        (Pending, Unsubscribed) => &[Unsubscribe],

        (Subscribed, Suspended) => &[Suspend],
        (Subscribed, Unsubscribed) => &[Unsubscribe],
        (Subscribed, Pending) => return None,

        (Suspended, Subscribed) => &[Reinstate],
        (Suspended, Unsubscribed) => &[Unsubscribe],
        (Suspended, Pending) => return None,

        (Unsubscribed, Pending | Subscribed | Suspended | Other(_)) => return None,

        (Other(_), Other(_) | Pending) | (Pending | Subscribed | Suspended, Other(_)) => &[Adopt],
        (Other(_), Subscribed) if history.had_begun => &[Adopt],
        (Other(_), Subscribed) => &[Activate],
        (Other(_), Suspended) => &[Suspend],
        (Other(_), Unsubscribed) => &[Unsubscribe],
    })
}
