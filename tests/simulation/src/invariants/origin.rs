//! Who an event says caused it, who asked for it, and who decided: compared with what really
//! happened.

use std::sync::Arc;

use emulator::{Action, OperationState, WebhookForm};
use shared::domain::{Cause, DecidedBy, Event, EventKind, OperationSource, Ruling, Verdict};
use shared::flows::request_change::ChangeRequest;
use uuid::Uuid;

use super::noted;
use crate::io::{Caller, Io};
use crate::rules::Basis;

/// Checks the cause and the decision of an event that the function whose turn it is records.
pub(super) fn check_origin(io: &Arc<Io>, event: &Event) {
    let id = event.subscription_id;
    let name = event.kind.name();
    let caller = io.caller();
    if !fits(io, &event.cause, caller) {
        io.violate(format!("{id}: {name} is caused by {:?}, but {caller:?} called", event.cause));
    }
    noted::check_declined(io, event);
    let Some(operation) = operation(&event.cause, caller) else { return };
    let operation = io.world(|world| world.operation(operation));
    if let Some(what) = contradiction(io, event, &operation) {
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
fn contradiction(io: &Arc<Io>, event: &Event, operation: &OperationState) -> Option<String> {
    let Cause::Webhook { action, source, requester, .. } = &event.cause else { return None };
    if action.as_str() != operation.action.as_str() {
        return Some(format!("names the action {action}"));
    }
    let said = source.as_ref().map(OperationSource::as_str);
    if said.is_some_and(|said| said != operation.source) {
        return Some(format!("names the source {said:?}"));
    }
    let ours = io.accepted(operation.id).map(|accepted| accepted.own);
    let asked = ours.as_ref().map(|own| &own.requester);
    let credited = requester.as_ref();
    // Microsoft may keep no operation for a notice, or not show it yet (F-OPG-5). Where the
    // operation's id could not be noted either, nothing connects it with our request.
    let hides_it = io.world(|world| {
        let behaviour = &world.settings().behaviour;
        let age = event.recorded_at.duration_since(operation.time_stamp);
        behaviour.keeps_changes_only || age.unsigned_abs() < behaviour.operation_delay
    });
    let may_be_unknown = operation.action == Action::Unsubscribe && hides_it;
    if credited != asked && !(credited.is_none() && may_be_unknown) {
        return Some(format!("credits {credited:?}, but {asked:?} asked"));
    }
    let ruling = event.ruling.as_ref()?;
    let is_ours = match ours {
        // Our own change was decided before Microsoft was asked (F-WHA-15).
        Some(own) => own.ruling.as_ref() == Some(ruling),
        None => is_decided_so(io, event, operation, ruling),
    };
    (!is_ours).then(|| format!("is decided by {ruling:?}"))
}

/// Whether the publisher's settings or product decide so about a customer's operation.
fn is_decided_so(io: &Arc<Io>, event: &Event, operation: &OperationState, ruling: &Ruling) -> bool {
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
    let (Some(wanted), Some(before)) = (wanted_by(operation), &event.before) else { return false };
    let seats = operation.quantity.map(u64::from);
    let from = Basis { seats: seats.or(before.quantity), ..Basis::record(before) };
    let opinion = io.product(|product| product.opinion);
    let rejects = opinion.map(|opinion| opinion.rejects(operation.id));
    let product = rejects.map(|rejects| if rejects { Verdict::Reject } else { Verdict::Accept });
    io.choices().decide(from, &wanted, product, ruling)
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
