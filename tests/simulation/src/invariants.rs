//! What must always hold, and what must hold once the storm has passed.

use std::collections::BTreeSet;
use std::sync::Arc;

use emulator::{Action, SubscriptionState};
use jiff::Timestamp;
use shared::domain::{
    Action as What, Cause, Event, EventKind, OperationId, Record, Status, Subscription,
    SubscriptionId,
};
use shared::store::{Commit, Outcome};
use uuid::Uuid;

use crate::io::Io;
use crate::replay;
use crate::store::MemoryStore;

/// Checked at every commit: the events, replayed, give exactly the record, none missing, none
/// twice, none out of order, nothing after the end; and no event tells of a state that Microsoft
/// never held.
pub fn of_commit(io: &Arc<Io>, before: Option<&Record>, commit: &Commit) {
    marked_with_its_effect(io, before, commit);
    let Some(change) = &commit.change else { return };
    let id = change.record.id();
    let mut believed = before.map(|record| record.subscription.clone());
    if before.is_some_and(|record| *record.status() == Status::Unsubscribed)
        && !change.events.is_empty()
    {
        io.violate(format!("{id}: an event after Unsubscribed"));
    }
    for (index, event) in change.events.iter().enumerate() {
        if (event.version, usize::from(event.index)) != (change.record.version, index) {
            io.violate(format!("{id}: an event with the place {}-{}", event.version, event.index));
        }
        match replay::apply(believed.as_ref(), event) {
            Ok(after) => believed = Some(after),
            Err(what) => io.violate(format!("{id}: {what} ({})", event.kind.name())),
        }
        held_once(io, &event.kind, &event.subscription);
    }
    if believed.as_ref() != Some(&change.record.subscription) {
        io.violate(format!("{id}: the events don't give the record"));
    }
}

/// An operation's mark and its effect are one: neither is ever there without the other.
fn marked_with_its_effect(io: &Arc<Io>, before: Option<&Record>, commit: &Commit) {
    let change = commit.change.as_ref();
    let after = change.map(|change| &change.record).or(before);
    if let (Some(mark), Some(after)) = (&commit.mark, after)
        && mark.outcome == Outcome::Accepted
    {
        let operation = io.world(|world| world.operation(mark.operation_id.0));
        let in_force = match operation.action {
            Action::ChangePlan => after.subscription.plan_id == operation.plan_id,
            Action::ChangeQuantity => {
                after.subscription.quantity == operation.quantity.map(u64::from)
            }
            _ => *after.status() == Status::Subscribed,
        };
        if !in_force {
            io.violate(format!("{} is marked as accepted, and not in force", operation.id));
        }
    }
    for event in change.iter().flat_map(|change| &change.events) {
        if let (
            EventKind::PlanChanged { .. } | EventKind::QuantityChanged { .. },
            Cause::Webhook {
                operation_id: Some(id),
                action: What::ChangePlan | What::ChangeQuantity,
                ..
            },
        ) = (&event.kind, &event.cause)
            && commit.mark.as_ref().is_none_or(|mark| mark.operation_id != *id)
        {
            io.violate(format!("{id} changed something without a mark"));
        }
    }
}

/// Every value an event reports must have been Microsoft's at some time.
fn held_once(io: &Arc<Io>, kind: &EventKind, reported: &Subscription) {
    let id = reported.id;
    io.world(|world| {
        let mut history = world.history(id.0);
        let (known, what) = match kind {
            EventKind::PlanChanged { to, .. } => {
                (history.any(|state| state.plan_id == *to), "plan")
            }
            EventKind::QuantityChanged { to, .. } => {
                (history.any(|state| state.quantity.map(u64::from) == *to), "quantity")
            }
            EventKind::Suspended => (history.any(|state| state.status == "Suspended"), "status"),
            EventKind::Unsubscribed => {
                (history.any(|state| state.status == "Unsubscribed"), "status")
            }
            EventKind::Activated => (history.any(|state| state.status == "Subscribed"), "status"),
            EventKind::Renewed => (
                history.any(|state| {
                    day(state.term_start) == reported.term.start_date.map(|at| at.to_string())
                }),
                "term",
            ),
            // A reinstatement is believed on the word of its open operation (F-LC-5): Microsoft's
            // own state follows our answer.
            EventKind::Reinstated => {
                let reinstates = |id: Uuid| world.operation(id).action == Action::Reinstate;
                (world.operations(id.0).into_iter().any(reinstates), "reinstatement")
            }
            EventKind::Purchased
            | EventKind::ActivationRequested
            | EventKind::ActivationDeadlineApproaching
            | EventKind::ChangeRejected { .. }
            | EventKind::DetailsChanged => (true, ""),
        };
        (!known).then(|| format!("{id}: {} with a {what} Microsoft never held", kind.name()))
    })
    .into_iter()
    .for_each(|what| io.violate(what));
}

fn day(date: Option<jiff::civil::Date>) -> Option<String> {
    date.map(|date| format!("{date}T00:00:00Z"))
}

/// Checked once the storm has passed and the reconciliation has run: both sides hold the same, and
/// what we say we answered is what Microsoft has. `confirmed`: purchases whose activation somebody was
/// told of; `received`: changes whose call was answered with 200.
pub fn of_calm(
    io: &Arc<Io>,
    table: &MemoryStore,
    confirmed: &BTreeSet<Uuid>,
    received: &BTreeSet<Uuid>,
) {
    let subscriptions: Vec<SubscriptionState> =
        io.world(|world| world.subscriptions().cloned().collect());
    for microsoft in subscriptions {
        let id = SubscriptionId(microsoft.id);
        let Some(record) = table.record(id) else {
            io.violate(format!("{id}: no record"));
            continue;
        };
        for (what, ours, theirs) in compared(&record, &microsoft) {
            if ours != theirs {
                io.violate(format!("{id}: {what} is {ours} here and {theirs} at Microsoft"));
            }
        }
        if record.pending_operation.is_some() {
            io.violate(format!("{id}: still waits for an operation"));
        }
        if confirmed.contains(&microsoft.id) && microsoft.status == "PendingFulfillmentStart" {
            io.violate(format!("{id}: confirmed, and never activated"));
        }
        replayed(io, table, &record);
        in_order(io, table, id);
        answered(io, table, id, received);
        rejected(io, table, id);
        told(io, table, &record);
    }
}

fn compared(record: &Record, microsoft: &SubscriptionState) -> Vec<(&'static str, String, String)> {
    let ours = &record.subscription;
    let at = |at: Option<Timestamp>| at.map_or("none".to_owned(), |at| at.to_string());
    let seats = |seats: Option<u64>| seats.map_or("none".to_owned(), |seats| seats.to_string());
    vec![
        ("the status", record.status().to_string(), microsoft.status.to_owned()),
        ("the plan", ours.plan_id.clone(), microsoft.plan_id.clone()),
        ("the number of seats", seats(ours.quantity), seats(microsoft.quantity.map(u64::from))),
        (
            "the term's start",
            at(ours.term.start_date),
            day(microsoft.term_start).unwrap_or("none".into()),
        ),
        (
            "the term's end",
            at(ours.term.end_date),
            day(microsoft.term_end).unwrap_or("none".into()),
        ),
        (
            "the renewal",
            format!("{:?}", ours.auto_renew),
            format!("{:?}", Some(microsoft.auto_renew)),
        ),
        ("the name", format!("{:?}", ours.name), format!("{:?}", Some(&microsoft.name))),
        ("the offer", ours.offer_id.clone(), microsoft.offer_id.clone()),
        (
            "the term",
            format!("{:?}", ours.term.term_unit),
            format!("{:?}", Some(&microsoft.term_unit)),
        ),
        ("the trial", ours.is_free_trial.to_string(), microsoft.is_free_trial.to_string()),
        (
            "the beneficiary's tenant",
            format!("{:?}", ours.beneficiary.tenant_id),
            format!("{:?}", Some(microsoft.beneficiary.tenant_id)),
        ),
        (
            "the purchaser's tenant",
            format!("{:?}", ours.purchaser.tenant_id),
            format!("{:?}", Some(microsoft.purchaser.tenant_id)),
        ),
        (
            "what the customer may do",
            format!("{:?}", ours.allowed_customer_operations.as_ref().map(BTreeSet::len)),
            format!("{:?}", Some(microsoft.allowed_customer_operations.len())),
        ),
    ]
    .into_iter()
    // What Microsoft edits after the end is nobody's business (F-LC-8).
    .filter(|(what, _, _)| microsoft.status != "Unsubscribed" || *what == "the status")
    .collect()
}

/// All events from the first to the last, replayed from nothing, give the record.
fn replayed(io: &Arc<Io>, table: &MemoryStore, record: &Record) {
    let id = record.id();
    let mut believed = None;
    for event in table.history(id, 0) {
        match replay::apply(believed.as_ref(), &event) {
            Ok(after) => believed = Some(after),
            Err(what) => io.violate(format!("{id}: replayed: {what}")),
        }
    }
    if believed.as_ref() != Some(&record.subscription) {
        io.violate(format!("{id}: the history doesn't give the record"));
    }
}

/// What the events tell happened in the order in which it happened at Microsoft: an event that tells
/// of the past again, because of a late read, has no place there.
fn in_order(io: &Arc<Io>, table: &MemoryStore, id: SubscriptionId) {
    let history: Vec<SubscriptionState> = io.world(|world| world.history(id.0).cloned().collect());
    let events = table.history(id, 0);
    let plans = events.iter().filter_map(|event| match &event.kind {
        EventKind::PlanChanged { to, .. } => Some(to.clone()),
        _ => None,
    });
    let seats = events.iter().filter_map(|event| match &event.kind {
        EventKind::QuantityChanged { to, .. } => Some(format!("{to:?}")),
        _ => None,
    });
    // A reinstatement is believed on the word of its operation (F-LC-5). One that is declined afterwards, or
    // of whose answer Microsoft never heard, leaves the suspension there was, which is told again.
    let suspended_since = |at: Timestamp| {
        let by_then = history.iter().rev().skip_while(|state| state.last_modified > at);
        by_then
            .take_while(|state| state.status == "Suspended")
            .last()
            .map(|state| state.last_modified)
    };
    let mut reinstated = None;
    let statuses = events.iter().filter_map(|event| match &event.kind {
        EventKind::Activated => Some("Subscribed".to_owned()),
        EventKind::Reinstated => {
            reinstated = suspended_since(event.recorded_at);
            None
        }
        EventKind::Suspended => {
            let is_the_same = reinstated
                .take()
                .is_some_and(|since| suspended_since(event.recorded_at) == Some(since));
            (!is_the_same).then(|| "Suspended".to_owned())
        }
        EventKind::Unsubscribed => Some("Unsubscribed".to_owned()),
        _ => None,
    });
    for (what, told, held) in [
        ("plans", plans.collect::<Vec<_>>(), changes(&history, |state| state.plan_id.clone())),
        (
            "seats",
            seats.collect(),
            changes(&history, |state| format!("{:?}", state.quantity.map(u64::from))),
        ),
        ("statuses", statuses.collect(), changes(&history, |state| state.status.to_owned())),
    ] {
        let mut rest = held.iter();
        if !told.iter().all(|value| rest.any(|held| held == value)) {
            io.violate(format!("{id}: the {what} told were {told:?}, and held {held:?}"));
        }
    }
}

/// The values of one field, one for each time it changed.
fn changes(
    history: &[SubscriptionState],
    field: impl Fn(&SubscriptionState) -> String,
) -> Vec<String> {
    let mut values: Vec<String> = history.iter().map(field).collect();
    values.dedup();
    values
}

/// Every operation that wanted an acknowledgement was acknowledged or auto-accepted, and the mark
/// says which.
fn answered(io: &Arc<Io>, table: &MemoryStore, id: SubscriptionId, received: &BTreeSet<Uuid>) {
    let operations = io.world(|world| {
        let ids = world.operations(id.0);
        ids.into_iter().map(|operation| world.operation(operation)).collect::<Vec<_>>()
    });
    let ended = io.world(|world| world.subscription(id.0).status == "Unsubscribed");
    for operation in operations {
        if matches!(operation.status, "InProgress" | "NotStarted") {
            io.violate(format!("{id}: the operation {} was left open", operation.id));
        }
        let Some(mark) = table.mark(id, OperationId(operation.id)) else {
            // Nothing follows on an end, and so nothing is marked.
            if received.contains(&operation.id) && !ended {
                io.violate(format!(
                    "{id}: the change {} was received, and has no mark",
                    operation.id
                ));
            }
            continue;
        };
        let fits = match mark.outcome {
            // Whoever cancels what waits for its reinstatement declines that (F-CAN-7).
            Outcome::Accepted if operation.action == Action::Reinstate => {
                operation.status == "Succeeded" || ended
            }
            Outcome::Accepted => operation.status == "Succeeded",
            Outcome::Rejected => operation.status == "Failed",
            Outcome::Followed | Outcome::Noticed => true,
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

/// A rejection that is told was one: Microsoft holds the change for failed, and it is told once. (By whom it
/// failed, no operation says: where a suspension was faster than our no, it was rejected all the same.)
fn rejected(io: &Arc<Io>, table: &MemoryStore, id: SubscriptionId) {
    let mut failed: Vec<Uuid> = io.world(|world| {
        let operations = world.operations(id.0).into_iter().map(|id| world.operation(id));
        let failed = operations.filter(|operation| operation.status == "Failed");
        failed.map(|operation| operation.id).collect()
    });
    let history = table.history(id, 0).into_iter();
    let (mut named, mut unnamed) = (Vec::new(), 0);
    for event in history.filter(|event| matches!(event.kind, EventKind::ChangeRejected { .. })) {
        match event.cause {
            Cause::Webhook { operation_id: Some(operation), .. } => named.push(operation.0),
            // The reconciliation doesn't say which.
            _ => unnamed += 1,
        }
    }
    for operation in named {
        match failed.iter().position(|failed| *failed == operation) {
            Some(place) => drop(failed.swap_remove(place)),
            None => io.violate(format!("{id}: {operation} is told to be rejected, and wasn't")),
        }
    }
    if unnamed > failed.len() {
        io.violate(format!("{id}: more changes are told to be rejected than were"));
    }
}

/// The product was told of every event, in order, and believes what the record says; nothing is left to
/// tell.
fn told(io: &Arc<Io>, table: &MemoryStore, record: &Record) {
    let id = record.id();
    let recorded: Vec<String> = table.history(id, 0).iter().map(Event::id).collect();
    let believed = serde_json::to_value(&record.subscription).ok();
    io.product(|product| {
        let told = product.told(id.0);
        let mut wrong = Vec::new();
        if told != recorded {
            wrong.push(format!("{id}: the product was told of {told:?}, not of {recorded:?}"));
        }
        if product.believes(id.0) != believed.as_ref() {
            wrong.push(format!("{id}: the product does not believe what the record says"));
        }
        wrong
    })
    .into_iter()
    .for_each(|what| io.violate(what));
    if let due @ [_, ..] = &*table.outbox(|outbox| outbox.due(Timestamp::MAX)) {
        io.violate(format!("still to be told: {due:?}"));
    }
}
