//! Purchases that the publisher approves or declines: the event that carries a decision out has it, and
//! nothing activates a declined one.

use std::sync::Arc;

use shared::domain::{Event, EventKind, Record, Status};
use shared::store::Commit;

use crate::io::Io;

/// Checks the decisions that a commit notes and carries out.
pub(super) fn check_decisions(io: &Arc<Io>, before: Option<&Record>, commit: &Commit) {
    let (Some(before), Some(next)) = (before, &commit.next) else { return };
    let id = before.id();
    let (declined, after) = (before.declined(), &next.record);
    let is_pending = |record: &Record| *record.status() == Status::PendingFulfillmentStart;
    if declined.is_some() && is_pending(after) && after.activation != before.activation {
        io.violate(format!("{id}: a declined purchase is confirmed or activated"));
    }
    if declined.is_none() && after.declined().is_some() {
        io.count("purchase: declined");
        if !is_pending(before) || io.ask().is_none_or(|ask| ask.declines.is_none()) {
            io.violate(format!("{id}: is declined, and no member of staff did it to a purchase"));
        }
    }
    let shown = |event: &Event| match event.kind {
        EventKind::Activated => Some(before.approved()),
        EventKind::Unsubscribed => Some(declined),
        _ => None,
    };
    for event in &next.events {
        let Some(decision) = shown(event) else { continue };
        if event.ruling.as_ref() != decision.map(|decision| &decision.ruling) {
            let name = event.kind.name();
            io.violate(format!("{id}: {name} has {:?}, not {decision:?}", event.ruling));
        } else if decision.is_some() {
            io.count(match event.kind {
                EventKind::Activated => "event: of an approved purchase",
                _ => "event: of a declined purchase",
            });
        }
    }
}
