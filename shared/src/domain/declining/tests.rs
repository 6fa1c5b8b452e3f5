//! A purchase is approved or declined, with a reason, and its events say so.

use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use super::super::decision::{Decision, NextVersion, Staleness};
use super::super::event::Cause;
use super::super::observation::Observation;
use super::super::observe::observe;
use super::super::operation::Action;
use super::super::purchase_decision::purchase_reason;
use super::super::ruling::LONGEST_REASON;
use super::super::sign_up::SignUp;
use super::*;

const STAFF: &str = "arn:aws:iam::123456789012:role/staff";

fn noon() -> Timestamp {
    "2026-03-10T12:00:00Z".parse().expect("a timestamp")
}

fn commit(decision: Decision) -> NextVersion {
    match decision {
        Decision::Commit(next) => next,
        other => panic!("nothing is committed: {other:?}"),
    }
}

fn seen(current: Option<&Record>, status: &str) -> NextVersion {
    let observation: Observation = serde_json::from_value(json!({
        "id": Uuid::from_u128(1), "offerId": "offer", "planId": "silver",
        "saasSubscriptionStatus": status,
    }))
    .expect("an observation");
    commit(observe(current, &observation, &Cause::Reconciliation, noon()).expect("enough"))
}

fn pending() -> Record {
    seen(None, "PendingFulfillmentStart").record
}

fn ruling(verdict: Verdict, reason: &str) -> Ruling {
    Ruling::about_purchase(verdict, Some(reason.to_owned()), Some(STAFF.to_owned()))
}

fn decline(reason: &str) -> OwnRequest {
    OwnRequest {
        action: Action::Unsubscribe,
        plan_id: None,
        quantity: None,
        requester: Requester::Publisher { principal: Some(STAFF.to_owned()) },
        ruling: Some(ruling(Verdict::Reject, reason)),
        at: noon(),
        operation_id: None,
    }
}

#[test]
fn the_end_of_a_declined_purchase_says_who_declined_it_and_why() {
    let request = decline("We don't serve this country. Write to sales@fabrikam.example.");
    let declined = commit(pending().note_request(&request, noon()));
    assert!(declined.events.is_empty());
    let decision = declined.record.declined().expect("it is declined");
    assert_eq!((Some(&decision.ruling), decision.at), (request.ruling.as_ref(), noon()));
    let ended = seen(Some(&declined.record), "Unsubscribed");
    let [event] = &ended.events[..] else { panic!("{:?}", ended.events) };
    assert_eq!((event.kind.name(), &event.ruling), ("Unsubscribed", &request.ruling));
    assert!(ended.record.declined().is_some());
}

#[test]
fn nothing_confirms_or_activates_a_declined_purchase() {
    let declined = commit(pending().note_request(&decline("no"), noon())).record;
    let language = "en".to_owned();
    let answers = SignUp { contact_email: "a@b.example".to_owned(), fields: [].into(), language };
    let stale = Decision::Stale(Staleness::Impossible);
    assert_eq!(declined.request_activation(&Cause::Landing, noon()), stale);
    assert_eq!(declined.begin_activation(noon()), stale);
    assert_eq!(declined.keep_sign_up(&answers, noon()), stale);
}

#[test]
fn a_decline_that_microsoft_refused_is_forgotten() {
    let request = decline("no");
    let declined = commit(pending().note_request(&request, noon())).record;
    let withdrawn = commit(declined.withdraw_request(&request, noon())).record;
    assert_eq!(withdrawn.decision, None);
    assert!(matches!(withdrawn.begin_activation(noon()), Decision::Commit(_)));
}

#[test]
fn a_cancellation_without_a_decision_declines_nothing() {
    let request = OwnRequest { ruling: None, ..decline("no") };
    assert_eq!(commit(pending().note_request(&request, noon())).record.decision, None);
}

#[test]
fn an_activation_says_who_approved_it_however_it_is_noticed() {
    let approval = ruling(Verdict::Accept, "a known customer");
    let begun = commit(pending().begin_approved_activation(Some(&approval), noon())).record;
    let again = commit(begun.begin_activation(noon())).record;
    let active = seen(Some(&again), "Subscribed");
    assert_eq!(active.events[0].ruling, Some(approval));
    let ended = seen(Some(&active.record), "Unsubscribed");
    assert_eq!(ended.events[0].ruling, None, "an approval doesn't end it");
}

#[test]
fn an_approval_is_forgotten_with_the_activation_that_microsoft_refused() {
    let approval = ruling(Verdict::Accept, "fine");
    let begun = commit(pending().begin_approved_activation(Some(&approval), noon())).record;
    let abandoned = commit(begun.abandon_activation(begun.version, noon())).record;
    assert_eq!((abandoned.activation, abandoned.decision), (None, None));
}

#[test]
fn a_decline_that_microsoft_overtook_is_forgotten() {
    let declined = commit(pending().note_request(&decline("no"), noon())).record;
    let active = seen(Some(&declined), "Subscribed");
    assert_eq!((&active.events[0].ruling, &active.record.decision), (&None, &None));
    let ended = seen(Some(&active.record), "Unsubscribed");
    assert_eq!(ended.events[0].ruling, None);
}

#[test]
fn only_a_purchase_that_waits_and_is_not_being_activated_can_be_declined() {
    let confirmed = commit(pending().request_activation(&Cause::Landing, noon())).record;
    let declined = commit(pending().note_request(&decline("no"), noon())).record;
    for record in [pending(), confirmed, declined] {
        assert_eq!(record.may_be_declined(), Ok(()));
    }
    let begun = commit(pending().begin_activation(noon())).record;
    assert_eq!(begun.may_be_declined(), Err(DeclineRefused::BeingActivated));
    for status in ["Subscribed", "Suspended", "Unsubscribed"] {
        let refused = seen(None, status).record.may_be_declined();
        assert_eq!(refused, Err(DeclineRefused::NotPending(Status::from(status))), "{status}");
    }
}

#[test]
fn a_reason_is_one_line_of_text_within_its_limit() {
    assert_eq!(
        purchase_reason(" a@b.example is unknown "),
        Some("a@b.example is unknown".to_owned())
    );
    let longest = "å".repeat(LONGEST_REASON);
    assert_eq!(purchase_reason(&longest), Some(longest.clone()));
    for refused in ["", "  ", "two\nlines", "a\u{1b}[2J", &format!("{longest}å")] {
        assert_eq!(purchase_reason(refused), None, "{refused:?}");
    }
}

#[test]
fn an_erasure_keeps_the_decision_without_its_reason() {
    let declined = commit(pending().note_request(&decline("because of Adele"), noon())).record;
    let ended = seen(Some(&declined), "Unsubscribed").record;
    let erased = commit(ended.erase(&Cause::Reconciliation, noon())).record;
    let decision = erased.declined().expect("it stays declined");
    assert_eq!(decision.ruling, Ruling { reason: None, ..ruling(Verdict::Reject, "") });
}
