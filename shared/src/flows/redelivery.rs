//! Sends events to the publisher's product again: events that it lost, or that were parked while it
//! was away.

use crate::domain::{Position, SubscriptionId};
use crate::host::clock::Clock;
use crate::store::{Cursor, CursorError, CursorState, Outbox, StoreError, Target};

/// How often we try to set a cursor that others move. The delivery moves it with every event.
const ATTEMPTS: u32 = 10;

/// The first event that is sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// The first one that was not delivered yet.
    WhereItStopped,
    /// This event. If earlier events are still undelivered, they come first.
    Event(Position),
    /// This event, and none before it: only for test events, of which none follows from another.
    Only(Position),
}

/// Makes a subscription's events due again at a target, with the ids they had. The next sweep sends
/// them.
pub async fn redeliver(
    outbox: &dyn Outbox,
    clock: &dyn Clock,
    id: SubscriptionId,
    target: Target,
    from: From,
) -> Result<Cursor, StoreError> {
    for _ in 0..ATTEMPTS {
        let current = outbox.cursor(id, target).await?;
        let delivered = match from {
            From::WhereItStopped => current.delivered,
            From::Event(first) => current.delivered.min(first.previous()),
            From::Only(event) => event.previous(),
        };
        let state = CursorState::Due { at: clock.now(), trouble: None };
        let cursor = Cursor { revision: current.revision + 1, delivered, state, ..current };
        match outbox.save_cursor(id, target, &cursor).await {
            Ok(()) => return Ok(cursor),
            Err(CursorError::Conflict) => {}
            Err(CursorError::Store(error)) => return Err(error),
        }
    }
    Err(StoreError::Contended)
}
