//! A request of ours is noted on the record before Microsoft is asked.

use std::sync::Arc;

use shared::domain::{
    Cause, DecidedBy, Event, EventKind, OwnRequest, Record, RequestedChange, Requester, Ruling,
    Subscription, Verdict,
};
use shared::flows::request_change::ChangeRequest;
use shared::store::Commit;

use super::visits;
use crate::browser::{Step, Visit};
use crate::io::{Ask, Io};
use crate::rules::Basis;

/// Checks a request that this commit notes: it is what the caller wants and may have, and it credits
/// the caller.
pub(super) fn check_noted(io: &Arc<Io>, before: Option<&Record>, commit: &Commit) {
    let Some(before) = before else { return };
    count_recognised(io, before, commit);
    let Some(own) = noted(before, commit) else { return };
    let id = before.id();
    let may = match (io.ask(), io.visit()) {
        (Some(ask), _) => publisher_may(io, before, own, &ask),
        (None, Some(visit)) => buyer_may(io, before, own, &visit),
        (None, None) => false,
    };
    if !may {
        let (ask, visit) = (io.ask(), io.visit());
        let version = before.version;
        io.violate(format!("{id}: {own:?} is noted after version {version} for {ask:?} {visit:?}"));
    }
    io.deeds(|deeds| deeds.noted = Some(own.clone()));
}

/// The record has a version that the caller's `If-Match` names.
fn publisher_may(io: &Io, before: &Record, own: &OwnRequest, ask: &Ask) -> bool {
    let principal = io.principal().map(str::to_owned);
    let ruling = match (&ask.wanted, ask.declines) {
        (ChangeRequest::Cancel, None) => None,
        (ChangeRequest::Cancel, Some(reason)) => {
            let (reason, by) = (Some(reason.to_owned()), principal.clone());
            Some(Ruling::about_purchase(Verdict::Reject, reason, by))
        }
        (ChangeRequest::Plan(_) | ChangeRequest::Seats(_), _) => {
            Some(Ruling::accept(DecidedBy::Publisher))
        }
    };
    (before.id().0, wanted(own)) == (ask.id, ask.wanted.clone())
        && ask.permits(before.version)
        && own.requester == Requester::Publisher { principal }
        && own.ruling == ruling
}

/// The buyer is the person whom Microsoft names as the beneficiary and has confirmed the change, and
/// the publisher accepts it on this record.
fn buyer_may(io: &Io, before: &Record, own: &OwnRequest, visit: &Visit) -> bool {
    let Step::Change { wanted: wish, is_confirmed: true } = &visit.step else { return false };
    let account = visit.account;
    let is_decided = match (wish, &own.ruling) {
        (ChangeRequest::Cancel, ruling) => ruling.is_none(),
        (ChangeRequest::Plan(_) | ChangeRequest::Seats(_), None) => false,
        (ChangeRequest::Plan(_) | ChangeRequest::Seats(_), Some(ruling)) => {
            ruling.verdict == Verdict::Accept
                && is_decided_so(io, &before.subscription, wish, ruling)
        }
    };
    io.count(match wish {
        ChangeRequest::Cancel => "buyer: cancels",
        ChangeRequest::Plan(_) | ChangeRequest::Seats(_) => "buyer: changes",
    });
    (before.id().0, &wanted(own)) == (visit.id, wish)
        && visits::may_change(io, visit)
        && account.is_some_and(|account| own.requester == Requester::Buyer { account })
        && is_decided
}

/// Whether the publisher's settings, or the product in this visit, decide so about a buyer's change.
fn is_decided_so(io: &Io, from: &Subscription, wish: &ChangeRequest, ruling: &Ruling) -> bool {
    let product = io.deeds(|deeds| deeds.decided);
    let is_missing = ruling.by != DecidedBy::Fallback || product.is_none();
    is_missing && io.choices().decide(Basis::record(from), wish, product, ruling)
}

/// Checks an event that a buyer's visit records about a declined change: the buyer asked for it, and
/// the publisher declines it.
pub(super) fn check_declined(io: &Arc<Io>, event: &Event) {
    let (Cause::Landing, EventKind::ChangeRejected { change }) = (&event.cause, &event.kind) else {
        return;
    };
    io.count("buyer: declined");
    let asked = match change {
        RequestedChange::Plan { to, .. } => to.clone().map(ChangeRequest::Plan),
        RequestedChange::Seats { to, .. } => to.map(ChangeRequest::Seats),
    };
    let is_so = io.visit().is_some_and(|visit| match (&visit.step, &event.ruling) {
        (Step::Change { wanted: wish, is_confirmed: true }, Some(ruling)) => {
            asked.as_ref() == Some(wish)
                && visits::may_change(io, &visit)
                && ruling.verdict == Verdict::Reject
                && is_decided_so(io, &event.subscription, wish, ruling)
        }
        _ => false,
    });
    if !is_so {
        let id = event.subscription_id;
        io.violate(format!("{id}: {:?} is declined by {:?}", change, event.ruling));
    }
}

/// Counts events about our own requests whose operation's id the record did not have.
fn count_recognised(io: &Io, before: &Record, commit: &Commit) {
    for event in commit.next.iter().flat_map(|next| &next.events) {
        if let Cause::Webhook { operation_id: Some(id), requester: Some(requester), .. } =
            &event.cause
        {
            let is_known =
                before.own_requests.iter().any(|own| own.operation_id.as_ref() == Some(id));
            io.count(match (requester, is_known) {
                (Requester::Buyer { .. }, true) => "event: by a buyer",
                (Requester::Buyer { .. }, false) => "event: by a buyer, known by its values",
                (Requester::Publisher { .. }, true) => "event: by the publisher",
                (Requester::Publisher { .. }, false) => {
                    "event: by the publisher, known by its values"
                }
            });
        }
    }
}

/// The request that this commit adds to the record.
fn noted<'a>(before: &Record, commit: &'a Commit) -> Option<&'a OwnRequest> {
    let after = &commit.next.as_ref()?.record.own_requests;
    let newest = after.first()?;
    // Microsoft's operation may have become known meanwhile.
    let is_newest = |known: &&OwnRequest| {
        (known.at, wanted(known), &known.requester)
            == (newest.at, wanted(newest), &newest.requester)
    };
    // Two functions can ask for the same at the same moment.
    let count = |requests: &[OwnRequest]| requests.iter().filter(is_newest).count();
    (count(after) > count(&before.own_requests)).then_some(newest)
}

/// What a noted request asks for.
pub(crate) fn wanted(own: &OwnRequest) -> ChangeRequest {
    let quantity = own.quantity.map(ChangeRequest::Seats);
    let value = own.plan_id.clone().map(ChangeRequest::Plan).or(quantity);
    value.unwrap_or(ChangeRequest::Cancel)
}
