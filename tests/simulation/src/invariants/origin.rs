//! Who an event says caused it, who asked for it, and who decided: compared with what really
//! happened.

use std::sync::Arc;

use emulator::{Action, OperationState, WebhookForm, World};
use memory_store::MemoryStore;
use shared::domain::{
    Cause, DecidedBy, Event, EventKind, OperationSource, OwnRequest, Record, Ruling, Verdict,
};
use shared::flows::request_change::ChangeRequest;
use uuid::Uuid;

use super::noted;
use crate::io::{Caller, Io};
use crate::rules::Basis;

/// Checks the cause and the decision of an event that the function whose turn it is records.
pub(super) fn check_origin(
    io: &Arc<Io>,
    table: &MemoryStore,
    before: Option<&Record>,
    event: &Event,
) {
    let id = event.subscription_id;
    let name = event.kind.name();
    let caller = io.caller();
    if !fits(io, &event.cause, caller) {
        io.violate(format!("{id}: {name} is caused by {:?}, but {caller:?} called", event.cause));
    }
    noted::check_declined(io, event);
    let Some(operation) = operation(&event.cause, caller) else { return };
    let operation = io.world(|world| world.operation(operation));
    if let Some(what) = contradiction(io, table, before, event, &operation) {
        io.violate(format!("{id}: {name} of the operation {} {what}", operation.id));
    }
}

fn fits(io: &Io, cause: &Cause, caller: Caller) -> bool {
    match caller {
        Caller::Buyer => matches!(cause, Cause::Landing),
        Caller::Activation => matches!(cause, Cause::Activation { .. }),
        Caller::Publisher => matches!(cause, Cause::Management { .. }),
        Caller::Schedule => matches!(cause, Cause::Reconciliation),
        Caller::Microsoft(operation) => match cause {
            Cause::Webhook { operation_id: Some(id), .. } => *id == io.operation_id(operation),
            // A very old body names no operation (F-WHP-6).
            Cause::Webhook { operation_id: None, .. } => {
                io.world(|world| world.settings().behaviour.webhook_form == WebhookForm::VeryOld)
            }
            _ => false,
        },
        Caller::Stranger => matches!(cause, Cause::Webhook { .. }),
        Caller::Other => false,
    }
}

/// The operation that Microsoft's call named.
fn operation(cause: &Cause, caller: Caller) -> Option<Uuid> {
    match (cause, caller) {
        (Cause::Webhook { operation_id: Some(_), .. }, Caller::Microsoft(operation)) => {
            Some(operation)
        }
        _ => None,
    }
}

/// What the event says of an operation, and Microsoft or the storm says otherwise.
fn contradiction(
    io: &Arc<Io>,
    table: &MemoryStore,
    before: Option<&Record>,
    event: &Event,
    operation: &OperationState,
) -> Option<String> {
    let Cause::Webhook { action, source, requester, .. } = &event.cause else { return None };
    if action.as_str() != operation.action.as_str() {
        return Some(format!("names the action {action}"));
    }
    let said = source.as_ref().map(OperationSource::as_str);
    if said.is_some_and(|said| said != operation.source) {
        return Some(format!("names the source {said:?}"));
    }
    let ours = ours(io, before, operation);
    let credited = requester.as_ref();
    let is_credited = |own: &&OwnRequest| Some(&own.requester) == credited;
    // Microsoft may keep no operation for a notice, or not have shown it yet when the function asked
    // (F-OPG-5). Where the operation's id could not be noted either, nothing connects it with our
    // request.
    let waited = io.begun().duration_since(operation.time_stamp);
    let hides_it = io.world(|world| {
        let behaviour = &world.settings().behaviour;
        behaviour.keeps_changes_only
            || waited < behaviour.operation_delay.try_into().expect("a short delay")
    });
    let may_be_unknown = operation.action == Action::Unsubscribe && hides_it;
    let is_right = match credited {
        None => ours.is_empty() || may_be_unknown,
        Some(_) => ours.iter().any(|own| is_credited(&own)),
    };
    if !is_right {
        return Some(format!("credits {credited:?}, but it came from one of {ours:?}"));
    }
    let ruling = event.ruling.as_ref()?;
    // The publisher's decision about the purchase, which the record keeps.
    let about_purchase = before.and_then(|record| record.decision.as_ref());
    if about_purchase.is_some_and(|decision| decision.ruling == *ruling) {
        return None;
    }
    // Our own change was decided before Microsoft was asked (F-WHA-15).
    let mut own = ours.iter().filter(is_credited);
    let is_ours = match ours.is_empty() {
        false => own.any(|own| own.ruling.as_ref() == Some(ruling)),
        true => is_decided_so(io, table, event, operation, ruling),
    };
    (!is_ours).then(|| format!("is decided by {ruling:?}"))
}

/// The request of ours that Microsoft made this operation of, and the equal ones that the record
/// can't tell from it, because it doesn't know the operation's id.
fn ours(io: &Io, before: Option<&Record>, operation: &OperationState) -> Vec<OwnRequest> {
    let Some(accepted) = io.accepted(operation.id) else { return Vec::new() };
    let id = Some(io.operation_id(operation.id));
    let noted = before.map(|record| record.own_requests.as_slice()).unwrap_or_default();
    let is_known = noted.iter().any(|own| own.operation_id == id);
    let is_equal = |own: &&OwnRequest| {
        !is_known
            && own.operation_id.is_none()
            && noted::wanted(own) == noted::wanted(&accepted.own)
    };
    let equal: Vec<_> = noted.iter().filter(is_equal).cloned().collect();
    [vec![accepted.own], equal].concat()
}

/// Whether the publisher's settings or product decide so about a customer's operation.
fn is_decided_so(
    io: &Arc<Io>,
    table: &MemoryStore,
    event: &Event,
    operation: &OperationState,
    ruling: &Ruling,
) -> bool {
    let verdict = match event.kind {
        EventKind::ChangeRejected { .. } => Verdict::Reject,
        _ => Verdict::Accept,
    };
    if ruling.verdict != verdict || operation.source == "Partner" {
        return false;
    }
    if ruling.by == DecidedBy::InForce {
        return verdict == Verdict::Accept;
    }
    let Some(wanted) = wanted_by(operation) else { return false };
    let seats = io.world(|world| shown_seats(world, operation));
    let opinion = io.product(|product| product.opinion);
    let rejects = opinion.map(|opinion| opinion.rejects(operation.id));
    let product = rejects.map(|rejects| if rejects { Verdict::Reject } else { Verdict::Accept });
    // The record may have changed since the decision, but not since before Microsoft asked for it.
    let history = table.history(event.subscription_id, 0);
    let since = history.iter().filter(|other| io.committed_at(other) >= operation.time_stamp);
    let mut states = since.chain([event]).filter_map(|other| other.before.as_ref());
    states.any(|state| {
        let from = Basis { seats: seats.or(state.quantity), ..Basis::record(state) };
        io.choices().decide(from, &wanted, product, ruling)
    })
}

/// The seats that an operation shows. Microsoft may leave them out where it doesn't ask for others.
pub(crate) fn shown_seats(world: &World, operation: &OperationState) -> Option<u64> {
    let hides = world.settings().oddities.seats_only_if_requested
        && operation.action != Action::ChangeQuantity;
    operation.quantity.filter(|_| !hides).map(u64::from)
}

/// The change that an operation makes.
pub(crate) fn wanted_by(operation: &OperationState) -> Option<ChangeRequest> {
    match operation.action {
        Action::ChangePlan => Some(ChangeRequest::Plan(operation.plan_id.clone())),
        Action::ChangeQuantity => {
            operation.quantity.map(|seats| ChangeRequest::Seats(u64::from(seats)))
        }
        _ => None,
    }
}
