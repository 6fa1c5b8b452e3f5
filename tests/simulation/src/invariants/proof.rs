//! What must have happened at Microsoft before a commit may record it, or stop waiting for it.

use std::sync::Arc;

use emulator::{Action, OperationState, SubscriptionState, World};
use jiff::Timestamp;
use memory_store::MemoryStore;
use shared::domain::{
    ActivationRequest, Cause, Event, EventKind, OperationId, Record, SETTLING_WINDOW, Status,
    Verdict,
};
use shared::store::{Checkpoints as _, Commit, OperationOutcome};

use super::{REFUSED, midnight};
use crate::io::Io;
use crate::simulated_store::ready;

/// Checks an event against what Microsoft did.
pub(super) fn check_event(io: &Arc<Io>, table: &MemoryStore, event: &Event) {
    let wrong = match event.kind {
        EventKind::Reinstated => check_reinstated(io, table, event),
        EventKind::Suspended => check_suspended(io, table, event),
        EventKind::Renewed => check_renewed(io, event),
        EventKind::Imported { .. } => check_imported(io, table, event),
        EventKind::Purchased
        | EventKind::ActivationRequested
        | EventKind::ActivationDeadlineApproaching
        | EventKind::Activated
        | EventKind::Claimed { .. }
        | EventKind::SignedUp
        | EventKind::PlanChanged { .. }
        | EventKind::QuantityChanged { .. }
        | EventKind::ChangeRejected { .. }
        | EventKind::DetailsChanged
        | EventKind::Unsubscribed
        | EventKind::PersonalDataErased
        | EventKind::Test => None,
    };
    if let Some(what) = wrong {
        let terms = [event.before.as_ref(), Some(&event.subscription)]
            .map(|state| state.map(|state| (state.term.start_date, state.term.end_date)));
        io.note(|| format!("      the terms before and after: {terms:?}"));
        io.violate(format!("{}: {} {what}", event.subscription_id, event.kind.name()));
    }
}

/// An import is of a customer whom Microsoft had before the deployment's first start, by any clock, and who
/// doesn't wait for an activation. It is the reconciliation that finds them.
fn check_imported(io: &Arc<Io>, table: &MemoryStore, event: &Event) -> Option<&'static str> {
    let Ok(Some(first)) = ready(table.first_start()) else {
        return Some("before the first start was stored");
    };
    let created = io.world(|world| world.subscription(event.subscription_id.0).created);
    let waits = event.subscription.saas_subscription_status == Status::PendingFulfillmentStart;
    if created + io.skew().most >= first.started_at {
        Some("of a purchase that may be younger than the first start")
    } else if waits || event.cause != Cause::Reconciliation {
        Some("of a purchase that must be announced")
    } else {
        None
    }
}

/// Checks what a commit notes or forgets beside its events.
pub(super) fn check_notes(
    io: &Arc<Io>,
    table: &MemoryStore,
    before: Option<&Record>,
    commit: &Commit,
) {
    check_rejection(io, commit);
    let (Some(before), Some(next)) = (before, &commit.next) else { return };
    check_wait(io, table, before, commit);
    check_activation(io, before, &next.record);
}

/// A reinstatement is recorded once Microsoft has ended the recorded suspension, or while its
/// operation is open, since Microsoft's copy follows after our answer (F-LC-5). The function may have
/// read the operation as open, and it ended since. Clocks that differ by minutes let a late read pass
/// for news.
fn check_reinstated(io: &Arc<Io>, table: &MemoryStore, event: &Event) -> Option<&'static str> {
    let suspended = latest_before(table, event, &EventKind::Suspended)?;
    let id = event.subscription_id;
    let begun = io.begun();
    let now = io.now();
    let is_mistaken = io.skew().hides_late_reads();
    let is_true = io.world(|world| {
        let since = suspension_at(world, event, io.committed_at(&suspended));
        let has_ended = world.history(id.0).any(|state| {
            state.status != "Suspended" && since.is_some_and(|since| state.last_modified > since)
        });
        let was_open = reinstatements(world, event)
            .any(|operation| operation.settled_at.is_none_or(|settled| settled >= begun));
        let is_late =
            is_mistaken && since.is_some_and(|since| now.duration_since(since) < SETTLING_WINDOW);
        has_ended || was_open || is_late
    });
    (!is_true).then_some("is recorded, but Microsoft still holds the same suspension")
}

/// A suspension that we have recorded as reinstated goes on only where Microsoft declined the
/// reinstatement, or where it has not received our answer for longer than its reads may be late.
fn check_suspended(io: &Arc<Io>, table: &MemoryStore, event: &Event) -> Option<&'static str> {
    let suspended = latest_before(table, event, &EventKind::Suspended)?;
    let reinstated = latest_before(table, event, &EventKind::Reinstated)?;
    let goes_on = io.world(|world| {
        let former = suspension_at(world, event, io.committed_at(&suspended));
        former.is_some() && former == suspension_at(world, event, io.committed_at(event))
    });
    let is_recent =
        io.committed_at(event).duration_since(io.committed_at(&reinstated)) < SETTLING_WINDOW;
    let is_declined = io.world(|world| {
        reinstatements(world, event).last().is_some_and(|last| last.status == "Failed")
    });
    // A function whose clock is ahead forgets too soon what the record left.
    let is_forgotten = io.skew().hides_late_reads();
    (goes_on && is_recent && !is_declined && !is_forgotten)
        .then_some("is recorded twice for one suspension")
}

/// The last event of a kind that was recorded before this one.
fn latest_before(table: &MemoryStore, event: &Event, kind: &EventKind) -> Option<Event> {
    let history = table.history(event.subscription_id, 0);
    let mut earlier = history.into_iter().rev().filter(|other| other.position() < event.position());
    earlier.find(|other| other.kind == *kind)
}

/// The beginning of Microsoft's last suspension that an event could report.
fn suspension_at(world: &World, of: &Event, at: Timestamp) -> Option<Timestamp> {
    let by_then = |state: &&SubscriptionState| state.last_modified <= at;
    let suspended = world.history(of.subscription_id.0).filter(by_then);
    suspended.filter(|state| state.status == "Suspended").last()?.suspended_at
}

fn reinstatements<'a>(
    world: &'a World,
    event: &Event,
) -> impl Iterator<Item = OperationState> + use<'a> {
    let operations = world.operations(event.subscription_id.0).into_iter();
    let operations = operations.map(|operation| world.operation(operation));
    operations.filter(|operation| operation.action == Action::Reinstate)
}

/// A renewal is recorded where Microsoft began a term after the end of another (F-LC-7). A change of
/// plan can begin a longer term in the middle of one; if the record missed that, the next term may
/// begin after the end of the only one it knows. Microsoft shows dates without a time, so a term that
/// begins on the day on which another ends looks like its successor.
fn check_renewed(io: &Arc<Io>, event: &Event) -> Option<&'static str> {
    let former = &event.before.as_ref()?.term;
    let [started, ended] =
        [former.start_date, former.end_date].map(|at| at.map(|at| at.to_string()));
    let reported = event.subscription.term.start_date.map(|at| at.to_string());
    let renewed = io.world(|world| {
        let history: Vec<_> = world.history(event.subscription_id.0).collect();
        let follows = history.windows(2).any(|states| {
            let (ended, began) = (midnight(states[0].term_end), midnight(states[1].term_start));
            ended.is_some() && began >= ended && began > started && began <= reported
        });
        let was_replaced = history.iter().any(|state| {
            let term = (midnight(state.term_start), midnight(state.term_end));
            term.0 >= started && term.0 < ended && term != (started.clone(), ended.clone())
        });
        follows || ended.is_some() && (reported == ended || was_replaced && reported > ended)
    });
    (!renewed).then_some("is recorded, but Microsoft began no term after the former one")
}

/// A rejection is recorded once Microsoft has it: as our acknowledgement, or as our status.
fn check_rejection(io: &Arc<Io>, commit: &Commit) {
    let Some(mark) = &commit.mark else { return };
    if mark.outcome != OperationOutcome::Rejected {
        return;
    }
    let is_known = io.world(|world| {
        // Microsoft may answer our acknowledgement with 200 and ignore it (F-WHA-12).
        let is_ignored = world.settings().behaviour.failure_is_ignored;
        is_ignored || find(world, &mark.operation_id).status == "Failed"
    });
    if !is_known {
        io.violate(format!(
            "{} is marked as rejected, and Microsoft has no answer",
            mark.operation_id
        ));
    }
}

/// A record waits for an operation until that operation has ended, and keeps our rejection until it
/// is recorded: nothing else tells why the operation failed.
fn check_wait(io: &Arc<Io>, table: &MemoryStore, before: &Record, commit: &Commit) {
    let (Some(pending), Some(next)) = (&before.pending_operation, &commit.next) else { return };
    if next.record.pending_operation.is_some() {
        return;
    }
    let (id, pending_id) = (before.id(), &pending.id);
    let operation = io.world(|world| find(world, pending_id));
    // A cancellation needs no answer of ours, and Microsoft may keep no operation of it (F-OPG-5).
    let keeps_none = io.world(|world| world.settings().behaviour.keeps_changes_only);
    let may_be_unknown = operation.action == Action::Unsubscribe && keeps_none;
    if operation.settled_at.is_none() && !may_be_unknown {
        let status = operation.status;
        io.violate(format!("{id}: no longer waits for {pending_id}, which is {status}"));
    }
    let is_ours = pending.ruling.as_ref().is_some_and(|ruling| ruling.verdict == Verdict::Reject);
    let is_marked = table.mark(id, pending_id).is_some();
    if is_ours && operation.error_message == REFUSED && !is_marked {
        io.violate(format!("{id}: forgot that it rejected {pending_id}"));
    }
}

/// An activation is given up only where Microsoft hasn't accepted it.
fn check_activation(io: &Arc<Io>, before: &Record, after: &Record) {
    let was_begun = matches!(before.activation, Some(ActivationRequest::AwaitsMicrosoft { .. }));
    let is_given_up = was_begun
        && after.activation.is_none()
        && *after.status() == Status::PendingFulfillmentStart;
    let microsoft = io.world(|world| world.subscription(before.id().0));
    if is_given_up && (microsoft.activating || microsoft.status == "Subscribed") {
        io.violate(format!("{}: gave up an activation that Microsoft has accepted", before.id()));
    }
}

/// Microsoft's operation of this id.
pub(super) fn find(world: &World, id: &OperationId) -> OperationState {
    let guid = world.settings().oddities.read_operation_id(id.as_str());
    world.operation(guid.expect("the emulator named it"))
}
