//! Transitions of our own on a record, and the events that they record.

use serde_json::json;
use uuid::Uuid;

use super::super::observation::Observation;
use super::super::observe::observe;
use super::super::operation::Operation;
use super::super::own_request::Requester;
use super::super::review::reject;
use super::super::ruling::{DecidedBy, Verdict};
use super::*;

mod activation;
mod seen_plan;

fn noon() -> Timestamp {
    "2026-03-10T12:00:00Z".parse().expect("a timestamp")
}

fn seen(status: &str, created: Option<Timestamp>) -> Observation {
    serde_json::from_value(json!({
        "id": Uuid::from_u128(1), "offerId": "offer", "planId": "silver",
        "saasSubscriptionStatus": status, "created": created,
    }))
    .expect("an observation")
}

fn record(status: &str) -> Record {
    let decision = observe(None, &seen(status, Some(noon())), &Cause::Landing, noon());
    commit(decision.expect("enough")).record
}

fn pending() -> Record {
    record("PendingFulfillmentStart")
}

fn commit(decision: Decision) -> NextVersion {
    match decision {
        Decision::Commit(change) => change,
        other => panic!("nothing is committed: {other:?}"),
    }
}

fn names(change: &NextVersion) -> Vec<&'static str> {
    change.events.iter().map(|event| event.kind.name()).collect()
}

#[test]
fn only_the_awaited_operation_ends_the_wait() {
    let (ours, other) =
        (OperationId::from(Uuid::from_u128(7)), OperationId::from(Uuid::from_u128(8)));
    let later = noon() + SignedDuration::from_mins(1);
    let waiting = commit(record("Subscribed").await_operation(&ours, &Action::ChangePlan, noon()));
    assert_eq!(names(&waiting), [""; 0]);
    let waiting = waiting.record;
    assert_eq!(
        waiting.pending_operation,
        Some(PendingOperation {
            id: ours.clone(),
            action: Action::ChangePlan,
            since: noon(),
            ruling: None
        })
    );
    assert_eq!(
        waiting.await_operation(&ours, &Action::ChangePlan, later),
        Decision::Unchanged,
        "the start of the wait stays"
    );
    // A subscription has one operation at a time, so a newer one replaces the one we waited for.
    let next = commit(waiting.await_operation(&other, &Action::ChangePlan, later)).record;
    assert_eq!(next.pending_operation.map(|pending| pending.id), Some(other.clone()));
    assert_eq!(waiting.forget_operation(&other, later), Decision::Unchanged);
    let ended = commit(waiting.forget_operation(&ours, later));
    assert_eq!(names(&ended), [""; 0]);
    assert_eq!(ended.record.pending_operation, None);
    assert_eq!(ended.record.forget_operation(&ours, later), Decision::Unchanged);
}

#[test]
fn a_ruling_that_is_not_recorded_yet_outlives_a_new_request() {
    let [answered, requested] = [5, 6].map(|id| OperationId::from(Uuid::from_u128(id)));
    let ruling =
        Ruling { verdict: Verdict::Reject, by: DecidedBy::Rules, reason: None, principal: None };
    let record = record("Subscribed");
    let waiting = record.await_answered(&answered, &Action::ChangePlan, &ruling, noon());
    let waiting = commit(waiting).record;
    let request = waiting.await_operation(&requested, &Action::Unsubscribe, noon());
    assert_eq!(request, Decision::Unchanged);
    let newer = waiting.await_answered(&requested, &Action::ChangePlan, &ruling, noon());
    let pending = commit(newer).record.pending_operation.expect("an operation");
    assert_eq!(pending.id, requested, "a newer ruling replaces an older one");
}

#[test]
fn the_wait_survives_other_changes_and_ends_with_its_own() {
    let ours = OperationId::from(Uuid::from_u128(7));
    let waiting =
        commit(record("Subscribed").await_operation(&ours, &Action::ChangePlan, noon())).record;
    let later = noon() + SignedDuration::from_hours(1);
    let decision = observe(Some(&waiting), &seen("Suspended", None), &Cause::Reconciliation, later)
        .expect("enough");
    let suspended = commit(decision.clone()).record;
    assert!(suspended.pending_operation.is_some(), "a suspension doesn't end the wait");
    let ended = commit(decision.no_longer_awaiting(&ours, &waiting, later)).record;
    assert_eq!(ended.pending_operation, None);

    let operation: Operation =
        serde_json::from_value(json!({ "id": ours, "action": "ChangePlan", "planId": "silver" }))
            .expect("an operation");
    let same = crate::domain::apply(&waiting, &operation, &Cause::Reconciliation, later);
    assert_eq!(
        commit(same).record.pending_operation,
        None,
        "a change to what is in force ends the wait too"
    );
}

#[test]
fn the_deadline_is_announced_once_a_week_before_and_only_while_pending() {
    // F-LC-3: thirty days from the purchase, and a week before them.
    let due = noon() + SignedDuration::from_hours((30 - 7) * 24);
    let cause = Cause::Reconciliation;
    let early = due - SignedDuration::from_nanos(1);
    assert_eq!(pending().announce_deadline(&cause, early), Decision::Unchanged);
    let announced = commit(pending().announce_deadline(&cause, due));
    assert_eq!(names(&announced), ["ActivationDeadlineApproaching"]);
    for later in [due, due + SignedDuration::from_hours(48)] {
        assert_eq!(announced.record.announce_deadline(&cause, later), Decision::Unchanged);
    }
    for status in ["Subscribed", "Suspended", "Unsubscribed", "Migrating"] {
        assert_eq!(record(status).announce_deadline(&cause, due), Decision::Unchanged, "{status}");
    }
    let undated = observe(None, &seen("PendingFulfillmentStart", None), &cause, noon());
    let undated = commit(undated.expect("enough")).record;
    assert_eq!(
        undated.announce_deadline(&cause, due),
        Decision::Unchanged,
        "the deadline of a purchase without a date is unknown"
    );
}

#[test]
fn an_announced_event_is_the_first_of_the_next_version() {
    let announced = commit(pending().request_activation(&Cause::Landing, noon()));
    let event = &announced.events[0];
    assert_eq!((event.version, event.index), (announced.record.version, 0));
    assert_eq!(event.subscription, announced.record.subscription);
    assert_eq!(event.cause, Cause::Landing);
}

fn answers(contact: &str) -> SignUp {
    SignUp {
        contact_email: contact.to_owned(),
        fields: [("company".to_owned(), "Contoso".to_owned())].into(),
        language: "sv".to_owned(),
    }
}

#[test]
fn the_buyers_answers_are_part_of_the_events_that_set_up_an_account() {
    let stored = commit(pending().keep_sign_up(&answers("a@contoso.example"), noon()));
    assert_eq!(names(&stored), [""; 0]);
    let requested = commit(stored.record.request_activation(&Cause::Landing, noon()));
    assert_eq!(requested.events[0].sign_up, Some(answers("a@contoso.example")));
    let active = seen("Subscribed", Some(noon()));
    let decision =
        observe(Some(&requested.record), &active, &Cause::Activation { principal: None }, noon());
    let activated = commit(decision.expect("enough"));
    assert_eq!(names(&activated), ["Activated"]);
    assert_eq!(activated.events[0].sign_up, Some(answers("a@contoso.example")));
    assert_eq!(
        activated.record.sign_up,
        Some(answers("a@contoso.example")),
        "the record keeps them"
    );
    let asked: Operation =
        serde_json::from_value(json!({ "action": "ChangePlan", "planId": "gold" }))
            .expect("an operation");
    let (id, no) = (
        OperationId::from(Uuid::from_u128(9)),
        Ruling::new(Verdict::Reject, DecidedBy::Rules, "no"),
    );
    let rejected = reject(&activated.record, &id, &asked, &Cause::Reconciliation, &no, noon());
    assert_eq!(commit(rejected).events[0].sign_up, None, "a rejection sets up no account");
    let over = observe(
        Some(&activated.record),
        &seen("Unsubscribed", Some(noon())),
        &Cause::Reconciliation,
        noon(),
    );
    assert_eq!(commit(over.expect("enough")).events[0].sign_up, None, "neither does an end");
}

#[test]
fn the_buyers_answers_can_be_corrected_until_the_activation_is_under_way() {
    let kept = commit(pending().keep_sign_up(&answers("a@contoso.example"), noon())).record;
    assert_eq!(kept.keep_sign_up(&answers("a@contoso.example"), noon()), Decision::Unchanged);
    let corrected = commit(kept.keep_sign_up(&answers("b@contoso.example"), noon())).record;
    assert_eq!(corrected.sign_up, Some(answers("b@contoso.example")));
    let begun = commit(corrected.begin_activation(noon())).record;
    assert_eq!(begun.keep_sign_up(&answers("c@contoso.example"), noon()), Decision::Unchanged);
    let active = record("Subscribed").keep_sign_up(&answers("c@contoso.example"), noon());
    assert_eq!(active, Decision::Stale(Staleness::Impossible));
}

#[test]
fn the_debug_text_shows_none_of_the_buyers_answers() {
    let kept = commit(pending().keep_sign_up(&answers("a@contoso.example"), noon())).record;
    let text = format!("{kept:?}");
    assert!(text.contains("company") && !text.contains("contoso.example"), "{text}");
    assert!(!text.contains("Contoso"), "{text}");
}

fn own_request(plan: &str) -> OwnRequest {
    OwnRequest {
        action: Action::ChangePlan,
        plan_id: Some(plan.to_owned()),
        quantity: None,
        requester: Requester::Publisher { principal: None },
        ruling: None,
        at: noon(),
        operation_id: None,
    }
}

#[test]
fn a_refused_request_leaves_the_one_that_microsoft_is_at_work_on() {
    let (first, second) = (own_request("gold"), own_request("platinum"));
    let id = OperationId::from(Uuid::from_u128(7));
    let asked = commit(record("Subscribed").note_request(&first, noon())).record;
    let working = commit(asked.await_request(&id, &first, noon())).record;
    assert_eq!(working.pending_operation.as_ref().map(|pending| &pending.id), Some(&id));
    let both = commit(working.note_request(&second, noon())).record;
    let refused = commit(both.withdraw_request(&second, noon())).record;
    assert_eq!(refused.own_requests, [OwnRequest { operation_id: Some(id), ..first }]);
    assert_eq!(refused.withdraw_request(&second, noon()), Decision::Unchanged);
}

#[test]
fn a_refused_request_leaves_an_equal_one_that_another_function_made() {
    let own = own_request("gold");
    let noted = commit(record("Subscribed").note_request(&own, noon())).record;
    let twice = commit(noted.note_request(&own, noon())).record;
    let once = commit(twice.withdraw_request(&own, noon())).record;
    assert_eq!(once.own_requests, [own]);
}

#[test]
fn a_request_that_the_webhook_has_recognised_is_not_waited_for() {
    let request = own_request("gold");
    let id = OperationId::from(Uuid::from_u128(7));
    let asked = commit(record("Subscribed").note_request(&request, noon())).record;
    let recognised = Decision::Commit(asked.reaffirm(noon())).recognising(&id, &request);
    let recognised = commit(recognised).record;
    assert_eq!(recognised.await_request(&id, &request, noon()), Decision::Unchanged);
}

#[test]
fn a_record_keeps_its_last_ten_requests_the_newest_first() {
    let mut record = record("Subscribed");
    let plans = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"];
    for plan in plans {
        record = commit(record.note_request(&own_request(plan), noon())).record;
    }
    let kept = record.own_requests.iter().map(|own| own.plan_id.as_deref().expect("a plan"));
    assert!(kept.eq(plans.into_iter().rev().take(10)), "{:?}", record.own_requests);
}
