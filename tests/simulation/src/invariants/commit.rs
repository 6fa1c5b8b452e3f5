//! The invariants of a commit.

use std::sync::Arc;

use emulator::Action;
use memory_store::MemoryStore;
use shared::domain::{
    Action as What, Cause, Event, EventKind, OperationId, Record, SignUp, Status, Subscription,
    SubscriptionId,
};
use shared::store::{Commit, OperationOutcome};

use super::{claims, midnight, noted, origin, proof, purchases};
use crate::io::{Caller, Io};
use crate::replay;

/// Checks a commit before its effect is visible: replaying the events gives exactly the record; no
/// event is missing, repeated, out of order, or later than the end; and each event reports a state
/// that Microsoft has held.
pub(crate) fn check_commit(
    io: &Arc<Io>,
    table: &MemoryStore,
    before: Option<&Record>,
    commit: &Commit,
) {
    check_mark(io, table, before, commit);
    noted::check_noted(io, before, commit);
    proof::check_notes(io, table, before, commit);
    claims::check_claims(io, table, before, commit);
    purchases::check_decisions(io, before, commit);
    let Some(next) = &commit.next else { return };
    check_strangers(io, before, commit);
    let id = next.record.id();
    let mut replayed = before.map(|record| record.subscription.clone());
    let is_late = |event: &Event| event.kind != EventKind::PersonalDataErased;
    if before.is_some_and(|record| *record.status() == Status::Unsubscribed)
        && let Some(late) = next.events.iter().find(|event| is_late(event))
    {
        io.violate(format!("{id}: {} after Unsubscribed", late.kind.name()));
    }
    for (index, event) in next.events.iter().enumerate() {
        if (event.version, usize::from(event.index)) != (next.record.version, index) {
            io.violate(format!("{id}: an event at position {}-{}", event.version, event.index));
        }
        // That of an erasure would name the people again.
        let shown = replayed.clone().filter(|_| event.kind != EventKind::PersonalDataErased);
        if event.before != shown {
            io.violate(format!("{id}: {} doesn't show the state before it", event.kind.name()));
        }
        origin::check_origin(io, table, before, event);
        check_sign_up(io, event, next.record.sign_up.as_ref());
        match replay::apply(replayed.as_ref(), event) {
            Ok(after) => replayed = Some(after),
            Err(what) => io.violate(format!("{id}: {what} ({})", event.kind.name())),
        }
        check_microsoft_held(io, &event.kind, &event.subscription);
        proof::check_event(io, table, event);
    }
    if replayed.as_ref() != Some(&next.record.subscription) {
        io.violate(format!("{id}: the events don't give the record"));
    }
}

/// A call that nobody can prove to be Microsoft's changes nothing but what Microsoft says itself: an
/// operation, which gets a mark, and which operations have ended.
fn check_strangers(io: &Arc<Io>, before: Option<&Record>, commit: &Commit) {
    let (Some(before), Some(next), None) = (before, &commit.next, &commit.mark) else { return };
    let members = |record: &Record| {
        let mut rest = serde_json::to_value(record).expect("a record is JSON");
        for ends in ["version", "updatedAt", "settled", "pendingOperation"] {
            rest[ends].take();
        }
        // What the record remembers of former states fades.
        let former = rest["superseded"].take();
        (rest, former.as_array().cloned().unwrap_or_default())
    };
    let ((old, known), (new, former)) = (members(before), members(&next.record));
    let is_changed = old != new || former.iter().any(|state| !known.contains(state));
    if io.caller() == Caller::Stranger && next.events.is_empty() && is_changed {
        io.note(|| format!("{old} {new} {former:?}"));
        io.violate(format!("{}: a stranger's call changed the record", before.id()));
    }
}

/// The buyer's answers travel with the events that lead a product to set an account up, and with no
/// other.
fn check_sign_up(io: &Arc<Io>, event: &Event, kept: Option<&SignUp>) {
    let carries = matches!(
        event.kind,
        EventKind::ActivationRequested
            | EventKind::ActivationDeadlineApproaching
            | EventKind::Activated
            | EventKind::SignedUp
    );
    if event.sign_up.as_ref() != kept.filter(|_| carries) {
        let (id, name) = (event.subscription_id, event.kind.name());
        io.violate(format!("{id}: {name} has other answers of the buyer than the record"));
    }
}

/// An operation's mark and its effect are written together.
fn check_mark(io: &Arc<Io>, table: &MemoryStore, before: Option<&Record>, commit: &Commit) {
    let next = commit.next.as_ref();
    let after = next.map(|next| &next.record).or(before);
    if let (Some(mark), Some(after)) = (&commit.mark, after)
        && mark.outcome == OperationOutcome::Accepted
    {
        let operation = io.world(|world| proof::find(world, &mark.operation_id));
        let in_force = match operation.action {
            Action::ChangePlan => after.subscription.plan_id == operation.plan_id,
            Action::ChangeQuantity => {
                after.subscription.quantity == operation.quantity.map(u64::from)
            }
            _ => *after.status() == Status::Subscribed,
        };
        if !in_force {
            io.violate(format!("{} is marked as accepted, but not in force", operation.id));
        }
    }
    for event in next.iter().flat_map(|next| &next.events) {
        if let (
            EventKind::PlanChanged { .. } | EventKind::QuantityChanged { .. },
            Cause::Webhook {
                operation_id: Some(id),
                action: What::ChangePlan | What::ChangeQuantity,
                ..
            },
        ) = (&event.kind, &event.cause)
            && commit.mark.as_ref().is_none_or(|mark| mark.operation_id != *id)
            && !is_overruled(io, table, event.subscription_id, id)
        {
            io.violate(format!("{id} changed something without a mark"));
        }
    }
}

/// Whether Microsoft made a change that we rejected: it ignored our answer (F-WHA-12). The mark keeps
/// the rejection.
fn is_overruled(
    io: &Arc<Io>,
    table: &MemoryStore,
    id: SubscriptionId,
    operation: &OperationId,
) -> bool {
    let is_rejected =
        table.mark(id, operation).is_some_and(|mark| mark.outcome == OperationOutcome::Rejected);
    is_rejected
        && io.world(|world| {
            let succeeded = proof::find(world, operation).status == "Succeeded";
            world.settings().behaviour.failure_is_ignored && succeeded
        })
}

/// Microsoft's copy has held every value that an event reports.
fn check_microsoft_held(io: &Arc<Io>, kind: &EventKind, reported: &Subscription) {
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
                    midnight(state.term_start) == reported.term.start_date.map(|at| at.to_string())
                }),
                "term",
            ),
            EventKind::Imported { .. } => {
                let reported = reported.saas_subscription_status.as_str();
                (history.any(|state| state.status == reported), "status")
            }
            EventKind::Purchased
            | EventKind::ActivationRequested
            | EventKind::ActivationDeadlineApproaching
            | EventKind::ChangeRejected { .. }
            | EventKind::Claimed { .. }
            | EventKind::SignedUp
            | EventKind::Reinstated
            | EventKind::DetailsChanged
            | EventKind::PersonalDataErased
            | EventKind::Test => (true, ""),
        };
        (!known).then(|| format!("{id}: {} with a {what} Microsoft never held", kind.name()))
    })
    .into_iter()
    .for_each(|what| io.violate(what));
}
