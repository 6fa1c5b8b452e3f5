//! When a record has work due, and when it ended.

use serde_json::{Value, json};
use uuid::Uuid;

use super::super::decision::{Decision, NextVersion};
use super::super::epoch::RESTATED_AFTER;
use super::super::event::Cause;
use super::super::observation::Observation;
use super::super::observe::observe;
use super::super::operation::Action;
use super::super::operation_id::OperationId;
use super::*;

fn noon() -> Timestamp {
    "2026-03-10T12:00:00Z".parse().expect("a timestamp")
}

fn minutes(minutes: i64) -> Timestamp {
    noon() + SignedDuration::from_mins(minutes)
}

fn days(days: i64) -> Timestamp {
    noon() + SignedDuration::from_hours(24 * days)
}

fn next(decision: Decision) -> Record {
    match decision {
        Decision::Commit(NextVersion { record, .. }) => record,
        other => panic!("nothing is committed: {other:?}"),
    }
}

/// The record after Microsoft's copy had these members.
fn seen(current: Option<&Record>, members: Value, now: Timestamp) -> Record {
    let mut subscription = json!({
        "id": Uuid::from_u128(1), "offerId": "offer", "planId": "silver", "quantity": 10,
        "saasSubscriptionStatus": "Subscribed",
    });
    for (name, value) in members.as_object().expect("an object") {
        subscription[name] = value.clone();
    }
    let observed: Observation = serde_json::from_value(subscription).expect("an observation");
    next(observe(current, &observed, &Cause::Reconciliation, now).expect("enough"))
}

fn with_status(current: Option<&Record>, status: &str, now: Timestamp) -> Record {
    seen(current, json!({ "saasSubscriptionStatus": status }), now)
}

fn purchase(created: Option<Timestamp>) -> Record {
    let status = "PendingFulfillmentStart";
    seen(None, json!({ "saasSubscriptionStatus": status, "created": created }), noon())
}

fn operation() -> OperationId {
    OperationId::from(Uuid::from_u128(7))
}

#[test]
fn nothing_is_due_for_a_record_that_only_the_list_can_change() {
    for status in ["Subscribed", "Suspended", "Unsubscribed", "Paused"] {
        assert_eq!(with_status(None, status, noon()).work_due(), None, "{status}");
    }
    let purchase = purchase(None);
    assert_eq!(purchase.work_due(), None, "without a date, nobody knows its deadline");
    let requested = next(purchase.request_activation(&Cause::Landing, noon()));
    assert_eq!(requested.work_due(), None, "the product is to activate");
}

#[test]
fn an_activation_is_due_two_minutes_after_its_last_attempt_until_microsoft_shows_it() {
    let begun = next(purchase(None).begin_activation(noon()));
    assert_eq!(begun.work_due(), Some(minutes(2)));
    let again = next(begun.begin_activation(minutes(30)));
    assert_eq!(again.work_due(), Some(minutes(32)));
    let refused = next(again.abandon_activation(again.version, minutes(31)));
    assert_eq!(refused.work_due(), None);
    assert_eq!(with_status(Some(&again), "Subscribed", minutes(31)).work_due(), None);
}

#[test]
fn an_operation_is_due_a_minute_after_the_wait_began_until_it_ends() {
    let active = with_status(None, "Subscribed", noon());
    let waiting = next(active.await_operation(&operation(), &Action::ChangePlan, noon()));
    assert_eq!(waiting.work_due(), Some(minutes(1)));
    // Whatever is recorded meanwhile, also an end.
    let ended = with_status(Some(&waiting), "Unsubscribed", minutes(5));
    assert_eq!(ended.work_due(), Some(minutes(1)));
    assert_eq!(next(ended.forget_operation(&operation(), minutes(6))).work_due(), None);
}

#[test]
fn f_lc_3_the_announcement_of_a_deadline_is_due_a_week_before_it_once() {
    let purchase = purchase(Some(noon()));
    assert_eq!(purchase.work_due(), Some(days(23)));
    let early = days(23) - SignedDuration::from_nanos(1);
    let announce = |at| purchase.announce_deadline(&Cause::Reconciliation, at);
    assert_eq!(announce(early), Decision::Unchanged);
    assert_eq!(next(announce(days(23))).work_due(), None);
    assert_eq!(with_status(Some(&purchase), "Subscribed", days(1)).work_due(), None);
    for (far, is_due) in [("2001-01-01T00:00:00Z", true), ("9999-12-30T00:00:00Z", false)] {
        let created = far.parse().expect("a timestamp");
        let due = self::purchase(Some(created)).work_due();
        assert_eq!(due.is_some(), is_due, "{far}: {due:?}");
    }
}

#[test]
fn a_restored_record_is_due_once_it_may_be_restated() {
    let epoch = noon().as_millisecond().try_into().expect("after 1970");
    let restored = with_status(None, "Subscribed", noon()).raise(epoch);
    assert_eq!(restored.work_due(), Some(noon() + RESTATED_AFTER));
    let restated = next(restored.restate(&Cause::Reconciliation, noon() + RESTATED_AFTER));
    assert_eq!(restated.work_due(), None);
    let ended = with_status(None, "Unsubscribed", noon()).raise(epoch);
    assert_eq!(ended.work_due(), None, "an end is not restated");
}

#[test]
fn of_several_things_to_do_the_earliest_is_due() {
    let begun = next(purchase(Some(noon())).begin_activation(minutes(10)));
    assert_eq!(begun.work_due(), Some(minutes(12)));
    let waiting = next(begun.await_operation(&operation(), &Action::Unsubscribe, minutes(9)));
    assert_eq!(waiting.work_due(), Some(minutes(10)));
    let old = next(purchase(Some(days(-40))).begin_activation(noon()));
    assert_eq!(old.work_due(), Some(days(-17)));
}

#[test]
fn the_time_of_an_end_stays_whatever_is_noted_later() {
    let active = with_status(None, "Subscribed", noon());
    assert_eq!(active.ended_at(), None);
    let waiting = next(active.await_operation(&operation(), &Action::ChangePlan, noon()));
    let ended = with_status(Some(&waiting), "Unsubscribed", minutes(5));
    assert_eq!(ended.ended_at(), Some(minutes(5)));
    let noted = next(ended.forget_operation(&operation(), days(1)));
    let restored = noted.raise(days(2).as_millisecond().try_into().expect("after 1970"));
    for later in [noted, restored.reaffirm(days(3)).record, restored] {
        assert_eq!(later.ended_at(), Some(minutes(5)), "{later:?}");
    }
    assert_eq!(with_status(None, "Unsubscribed", minutes(7)).ended_at(), Some(minutes(7)));
}
