//! The invariants of the calm after a storm.

use std::collections::BTreeSet;
use std::sync::Arc;

use emulator::{Action, Oddities, Settings, SubscriptionState, WebhookForm};
use jiff::Timestamp;
use memory_store::MemoryStore;
use shared::domain::{Event, EventKind, Record, SETTLING_WINDOW, Status, SubscriptionId};
use shared::store::OperationOutcome;
use uuid::Uuid;

use super::answers::{check_answers, check_rejections};
use super::endpoints::check_named;
use super::midnight;
use crate::io::Io;
use crate::replay;

/// What callers were answered in the storm.
#[derive(Clone, Copy)]
pub(crate) struct Heard<'a> {
    /// The purchases whose activation was confirmed to a caller.
    pub(crate) confirmed: &'a BTreeSet<Uuid>,
    /// The changes whose webhook call was answered with 200.
    pub(crate) received: &'a BTreeSet<Uuid>,
    /// The operations whose webhook call was answered with 200 or 400.
    pub(crate) answered: &'a BTreeSet<Uuid>,
}

/// Checks that both sides hold the same, and that Microsoft has the answers that we recorded.
///
/// If a page of Microsoft's list always fails, the reconciliation doesn't learn of the purchases on this
/// page and behind it that have no record. For these, [`check_without_reconciliation`] holds.
pub(crate) fn check_calm(io: &Arc<Io>, table: &MemoryStore, heard: Heard<'_>) {
    let Heard { confirmed, received, answered } = heard;
    let subscriptions: Vec<SubscriptionState> =
        io.world(|world| world.subscriptions().cloned().collect());
    let unreachable = io.world(|world| world.unreachable_in_list());
    for microsoft in subscriptions {
        let id = SubscriptionId(microsoft.id);
        if unreachable.contains(&microsoft.id) && table.record(id).is_none() {
            check_kept_by_webhook(io, table, &microsoft, answered);
            continue;
        }
        let Some(record) = table.record(id) else {
            io.violate(format!("{id}: no record"));
            continue;
        };
        let oddities = io.world(|world| world.settings().oddities.clone());
        for (what, ours, theirs) in compare(&record, &microsoft, &oddities) {
            if ours != theirs {
                io.violate(format!("{id}: {what} is {ours} here and {theirs} at Microsoft"));
            }
        }
        if record.pending_operation.is_some() {
            io.violate(format!("{id}: still waits for an operation"));
        }
        if confirmed.contains(&microsoft.id) && microsoft.status == "PendingFulfillmentStart" {
            io.violate(format!("{id}: confirmed, but never activated"));
        }
        check_replay(io, table, &record);
        check_order(io, table, id);
        check_answers(io, table, id, received);
        check_rejections(io, table, id);
        check_delivered(io, table, &record);
    }
}

/// Checks what the webhook keeps without a reconciliation.
pub(crate) fn check_without_reconciliation(
    io: &Arc<Io>,
    table: &MemoryStore,
    answered: &BTreeSet<Uuid>,
) {
    let subscriptions: Vec<SubscriptionState> =
        io.world(|world| world.subscriptions().cloned().collect());
    for microsoft in subscriptions {
        check_kept_by_webhook(io, table, &microsoft, answered);
    }
}

/// Status, plan and seats may differ from Microsoft's in these cases, and in no other:
///
/// | case | because |
/// |---|---|
/// | Microsoft gave up a call, or it was lost | we never heard of the change |
/// | Microsoft holds an activation that we asked for | no call reports it (F-WHD-7) |
/// | no visit has opened the purchase | no call reports a purchase |
/// | the calls have the very old form | they name no operation that we could answer (F-WHP-6) |
/// | the same, and there is no record | they have no time, so a purchase too young to be read is given up |
/// | Microsoft keeps no operation of a reinstatement | an old call is given up (F-OPG-5) |
/// | Microsoft makes a change in spite of our rejection (F-WHA-12) | no further call reports it |
/// | our clocks differ by minutes, and reads are late | a late read can pass for news |
/// | Microsoft suspends soon after a reinstatement | a late read of the former suspension looks new |
fn check_kept_by_webhook(
    io: &Arc<Io>,
    table: &MemoryStore,
    microsoft: &SubscriptionState,
    answered: &BTreeSet<Uuid>,
) {
    let id = SubscriptionId(microsoft.id);
    let operations = io.world(|world| world.operations(id.0));
    let is_heard = operations.iter().all(|operation| answered.contains(operation));
    let Settings { behaviour, oddities, .. } = io.world(|world| world.settings().clone());
    let is_named = behaviour.webhook_form != WebhookForm::VeryOld;
    let Some(record) = table.record(id) else {
        if is_heard && is_named && !operations.is_empty() {
            io.violate(format!("{id}: Microsoft's calls were answered, and there is no record"));
        }
        return;
    };
    let reports_activation = operations
        .iter()
        .any(|id| io.world(|world| world.operation(*id)).action == Action::Subscribe);
    let is_activating = *record.status() == Status::PendingFulfillmentStart
        && microsoft.status == "Subscribed"
        && !reports_activation;
    let is_given_up = behaviour.keeps_changes_only
        && *record.status() == Status::Suspended
        && microsoft.status == "Subscribed"
        && operations
            .iter()
            .any(|id| io.world(|world| world.operation(*id)).action == Action::Reinstate);
    let is_suspended_soon = *record.status() == Status::Subscribed
        && microsoft.status == "Suspended"
        && io.reads_were_late()
        && operations.iter().map(|id| io.world(|world| world.operation(*id))).any(|operation| {
            let after = microsoft.suspended_at.map(|at| at.duration_since(operation.time_stamp));
            operation.action == Action::Reinstate
                && after.is_some_and(|after| !after.is_negative() && after < SETTLING_WINDOW)
        });
    let is_overruled = |action: &Action| {
        operations.iter().any(|operation| {
            let mark = table.mark(id, &io.operation_id(*operation));
            let operation = io.world(|world| world.operation(*operation));
            mark.is_some_and(|mark| mark.outcome == OperationOutcome::Rejected)
                && (operation.status, &operation.action) == ("Succeeded", action)
        })
    };
    if is_heard && is_named && !io.skew().hides_late_reads() {
        for (what, ours, theirs) in compare(&record, microsoft, &oddities) {
            let may_differ = match what {
                "the status" => is_activating || is_given_up || is_suspended_soon,
                "the plan" => is_overruled(&Action::ChangePlan),
                "the number of seats" => is_overruled(&Action::ChangeQuantity),
                _ => true,
            };
            if !may_differ && ours != theirs {
                io.violate(format!(
                    "{id}: without a reconciliation, {what} is {ours} here and {theirs} at Microsoft"
                ));
            }
        }
    }
    check_replay(io, table, &record);
    check_order(io, table, id);
    check_rejections(io, table, id);
    check_delivered(io, table, &record);
}

/// Each property with our value and Microsoft's.
fn compare(
    record: &Record,
    microsoft: &SubscriptionState,
    oddities: &Oddities,
) -> Vec<(&'static str, String, String)> {
    let term_unit = oddities.term_unit.as_ref().unwrap_or(&microsoft.term_unit);
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
            midnight(microsoft.term_start).unwrap_or("none".into()),
        ),
        (
            "the term's end",
            at(ours.term.end_date),
            midnight(microsoft.term_end).unwrap_or("none".into()),
        ),
        (
            "the renewal",
            format!("{:?}", ours.auto_renew),
            format!("{:?}", Some(microsoft.auto_renew)),
        ),
        ("the name", format!("{:?}", ours.name), format!("{:?}", Some(&microsoft.name))),
        ("the offer", ours.offer_id.clone(), microsoft.offer_id.clone()),
        ("the term", format!("{:?}", ours.term.term_unit), format!("{:?}", Some(term_unit))),
        ("the test mark", ours.is_test.to_string(), microsoft.is_test.to_string()),
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
            "the number of operations allowed to the customer",
            format!("{:?}", ours.allowed_customer_operations.as_ref().map(BTreeSet::len)),
            format!("{:?}", Some(microsoft.allowed_customer_operations.len())),
        ),
    ]
    .into_iter()
    // Microsoft's edits after the end don't concern the publisher (F-LC-8).
    .filter(|(what, _, _)| microsoft.status != "Unsubscribed" || *what == "the status")
    .collect()
}

/// Replaying all events gives the record.
fn check_replay(io: &Arc<Io>, table: &MemoryStore, record: &Record) {
    let id = record.id();
    let mut replayed = None;
    for event in table.history(id, 0) {
        match replay::apply(replayed.as_ref(), &event) {
            Ok(after) => replayed = Some(after),
            Err(what) => io.violate(format!("{id}: replayed: {what}")),
        }
    }
    if replayed.as_ref() != Some(&record.subscription) {
        io.violate(format!("{id}: the history doesn't give the record"));
    }
}

/// The events are in the order in which Microsoft made the changes. An event that a late read
/// caused would report a past state again, and break this. It can happen only where the functions'
/// clocks differ so much that a late read seems to come after the settling window.
fn check_order(io: &Arc<Io>, table: &MemoryStore, id: SubscriptionId) {
    if io.skew().hides_late_reads() {
        return;
    }
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
    // We record a reinstatement when its operation is open (F-LC-5). If Microsoft declines it
    // later, or never receives our answer, the old suspension continues and is recorded again.
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
            reinstated = suspended_since(io.committed_at(event));
            None
        }
        EventKind::Suspended => {
            let is_the_same = reinstated
                .take()
                .is_some_and(|since| suspended_since(io.committed_at(event)) == Some(since));
            (!is_the_same).then(|| "Suspended".to_owned())
        }
        EventKind::Unsubscribed => Some("Unsubscribed".to_owned()),
        _ => None,
    });
    for (what, recorded, held) in [
        ("plans", plans.collect::<Vec<_>>(), changes(&history, |state| state.plan_id.clone())),
        (
            "seats",
            seats.collect(),
            changes(&history, |state| format!("{:?}", state.quantity.map(u64::from))),
        ),
        ("statuses", statuses.collect(), changes(&history, |state| state.status.to_owned())),
    ] {
        let mut rest = held.iter();
        if !recorded.iter().all(|value| rest.any(|held| held == value)) {
            io.violate(format!(
                "{id}: recorded the {what} {recorded:?}, but Microsoft held {held:?}"
            ));
        }
    }
}

/// The values of one field, without consecutive repetitions.
fn changes(
    history: &[SubscriptionState],
    field: impl Fn(&SubscriptionState) -> String,
) -> Vec<String> {
    let mut values: Vec<String> = history.iter().map(field).collect();
    values.dedup();
    values
}

/// Each receiver that stays received every event that is announced, in order, its state equals the record,
/// and no event is pending. The others received what they take.
fn check_delivered(io: &Arc<Io>, table: &MemoryStore, record: &Record) {
    let id = record.id();
    let mut announced = table.history(id, 0);
    announced.retain(|event| event.kind.is_announced());
    let recorded: Vec<String> = announced.iter().map(Event::id).collect();
    // Of a customer whose import is silent and who changed nothing since, the product knows nothing.
    let expected = announced.last().and(serde_json::to_value(&record.subscription).ok());
    io.product(|product| {
        let mut wrong = Vec::new();
        for (target, inbox) in product.inboxes() {
            let (name, received) = (target.name(), inbox.received(id.0));
            if received != recorded {
                wrong.push(format!("{id}: the {name} received {received:?}, not {recorded:?}"));
            }
            if inbox.last_state(id.0) != expected.as_ref() {
                wrong.push(format!("{id}: the state at the {name} is not the record's"));
            }
        }
        wrong
    })
    .into_iter()
    .for_each(|what| io.violate(what));
    check_named(io, table, &announced);
    if let due @ [_, ..] = &*table.all_due(Timestamp::MAX) {
        io.violate(format!("still pending: {due:?}"));
    }
}
