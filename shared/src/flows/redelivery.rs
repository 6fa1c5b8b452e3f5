//! Telling the publisher's product again: what it lost, or what was parked while it was away.

use crate::domain::{Position, SubscriptionId};
use crate::store::{Cursor, CursorError, CursorState, Outbox, StoreError, Target};
use crate::system::System;

/// How often a cursor is set anew because somebody moved it: as often as it may be moved while one
/// event after the other is taken.
const ATTEMPTS: u32 = 10;

/// From where on events are told again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// From where it stopped; what was taken is not told again.
    WhereItStopped,
    /// From this event on, and it too. One that was not taken yet holds nothing back: the events
    /// before it come first.
    Event(Position),
}

/// Has a target told a subscription's events again, with the ids they had. The next sweep does it.
pub async fn redeliver(
    outbox: &dyn Outbox,
    system: &dyn System,
    id: SubscriptionId,
    target: Target,
    from: From,
) -> Result<Cursor, StoreError> {
    for _ in 0..ATTEMPTS {
        let current = outbox.cursor(id, target).await?;
        let delivered = match from {
            From::WhereItStopped => current.delivered,
            From::Event(first) => current.delivered.min(first.previous()),
        };
        let state = CursorState::Due { at: system.now(), trouble: None };
        let cursor = Cursor { revision: current.revision + 1, delivered, state };
        match outbox.save_cursor(id, target, &cursor).await {
            Ok(()) => return Ok(cursor),
            Err(CursorError::Conflict) => {}
            Err(CursorError::Store(error)) => return Err(error),
        }
    }
    Err(StoreError::Unavailable("the cursor was moved again and again".to_owned()))
}
