//! The operations that the storm has left: Microsoft has our answers, and the record has them, too.

use std::collections::BTreeSet;
use std::sync::Arc;

use emulator::{Action, WebhookForm};
use memory_store::MemoryStore;
use shared::domain::{Cause, EventKind, SubscriptionId};
use shared::store::OperationOutcome;
use uuid::Uuid;

use crate::io::Io;

/// Every operation has ended at Microsoft, and its mark agrees with how it ended.
pub(super) fn check_answers(
    io: &Arc<Io>,
    table: &MemoryStore,
    id: SubscriptionId,
    received: &BTreeSet<Uuid>,
) {
    let operations = io.world(|world| {
        let ids = world.operations(id.0);
        ids.into_iter().map(|operation| world.operation(operation)).collect::<Vec<_>>()
    });
    let ended = io.world(|world| world.subscription(id.0).status == "Unsubscribed");
    let behaviour = io.world(|world| world.settings().behaviour.clone());
    // A very old body names no operation, so its answer gets no mark (F-WHP-6).
    let is_named = behaviour.webhook_form != WebhookForm::VeryOld;
    for operation in operations {
        if matches!(operation.status, "InProgress" | "NotStarted") {
            io.violate(format!("{id}: the operation {} was left open", operation.id));
        }
        let Some(mark) = table.mark(id, &io.operation_id(operation.id)) else {
            // Nothing changes after the end, so an operation that arrives then gets no mark.
            if received.contains(&operation.id) && !ended && is_named {
                io.violate(format!(
                    "{id}: the change {} was received, but has no mark",
                    operation.id
                ));
            }
            continue;
        };
        let fits = match mark.outcome {
            // A cancellation declines an open reinstatement (F-CAN-7).
            OperationOutcome::Accepted if operation.action == Action::Reinstate => {
                operation.status == "Succeeded" || ended
            }
            // `Conflict`: what was accepted is in force already (F-OP-2).
            OperationOutcome::Accepted => matches!(operation.status, "Succeeded" | "Conflict"),
            OperationOutcome::Rejected if behaviour.failure_is_ignored => true,
            OperationOutcome::Rejected => operation.status == "Failed",
            OperationOutcome::Followed | OperationOutcome::Noticed => true,
        };
        if !fits {
            io.violate(format!(
                "{id}: {} {} is marked {:?} and {} at Microsoft",
                operation.action.as_str(),
                operation.id,
                mark.outcome,
                operation.status
            ));
        }
    }
}

/// Every recorded rejection belongs to a change that failed at Microsoft, and each change has at
/// most one. An operation doesn't say why it failed: if a suspension was faster than our rejection,
/// it counts as rejected all the same.
pub(super) fn check_rejections(io: &Arc<Io>, table: &MemoryStore, id: SubscriptionId) {
    let mut failed: Vec<Uuid> = io.world(|world| {
        let operations = world.operations(id.0).into_iter().map(|id| world.operation(id));
        // Microsoft may make a change in spite of our rejection (F-WHA-12).
        let is_ignored = world.settings().behaviour.failure_is_ignored;
        let failed = operations.filter(|operation| {
            operation.status == "Failed" || is_ignored && operation.is_change()
        });
        failed.map(|operation| operation.id).collect()
    });
    let history = table.history(id, 0).into_iter();
    let (mut named, mut unnamed) = (Vec::new(), 0);
    for event in history.filter(|event| matches!(event.kind, EventKind::ChangeRejected { .. })) {
        match event.cause {
            Cause::Webhook { operation_id: Some(operation), .. } => named.push(operation),
            // Microsoft was not asked.
            Cause::Landing => {}
            // The reconciliation doesn't name the operation.
            _ => unnamed += 1,
        }
    }
    for operation in named {
        match failed.iter().position(|failed| io.operation_id(*failed) == operation) {
            Some(place) => drop(failed.swap_remove(place)),
            None => io.violate(format!("{id}: {operation} is recorded as rejected, but wasn't")),
        }
    }
    if unnamed > failed.len() {
        io.violate(format!("{id}: more changes are recorded as rejected than failed"));
    }
}
