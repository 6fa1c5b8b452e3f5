//! Late reads: what the record held moments ago isn't adopted at once.

use super::*;

fn nanosecond() -> SignedDuration {
    SignedDuration::from_nanos(1)
}

/// Moved from silver to gold at `later`.
fn moved() -> Record {
    let gold = with(copy("Subscribed"), json!({ "planId": "gold" }));
    change(decide(Some(&record("Subscribed")), gold, later())).record
}

fn sees_silver(record: &Record, as_of: Option<Timestamp>, now: Timestamp) -> Decision {
    let observed = observation(copy("Subscribed")).as_of(as_of);
    observe(Some(record), &observed, &cause(), now).expect("enough")
}

const LATE: Decision = Decision::Stale(Staleness::Settling);

#[test]
fn a_read_of_what_was_just_left_is_late_until_the_window_is_over() {
    let end = later() + SETTLING_WINDOW;
    for now in [later(), later() + nanosecond(), end - nanosecond()] {
        assert_eq!(sees_silver(&moved(), None, now), LATE, "{now}");
    }
    for now in [end, end + nanosecond(), end + SETTLING_WINDOW] {
        assert_eq!(names(&change(sees_silver(&moved(), None, now))), ["PlanChanged"], "{now}");
    }
}

#[test]
fn a_read_known_to_be_younger_than_the_change_is_believed_within_the_window() {
    let now = later() + SignedDuration::from_secs(5);
    let younger = sees_silver(&moved(), Some(later() + nanosecond()), now);
    assert_eq!(names(&change(younger)), ["PlanChanged"], "a change taken back at once");
    for as_of in [later(), later() - nanosecond(), noon()] {
        assert_eq!(sees_silver(&moved(), Some(as_of), now), LATE, "not proven younger: {as_of}");
    }
}

#[test]
fn within_the_window_the_present_state_is_no_news_and_another_status_is_adopted() {
    let now = later() + SignedDuration::from_secs(1);
    let gold = with(copy("Subscribed"), json!({ "planId": "gold" }));
    assert_eq!(decide(Some(&moved()), gold, now), Decision::Unchanged);
    let suspended = with(copy("Suspended"), json!({ "planId": "gold" }));
    assert_eq!(names(&change(decide(Some(&moved()), suspended, now))), ["Suspended"]);
    let seats = with(copy("Subscribed"), json!({ "planId": "gold", "quantity": 20 }));
    assert_eq!(names(&change(decide(Some(&moved()), seats, now))), ["QuantityChanged"]);
}

#[test]
fn within_the_window_a_third_plan_is_adopted_only_if_it_is_known_to_be_younger() {
    let now = later() + SignedDuration::from_secs(1);
    let platinum = with(copy("Subscribed"), json!({ "planId": "platinum" }));
    assert_eq!(decide(Some(&moved()), platinum.clone(), now), LATE, "it may have been skipped");
    let proven = observation(platinum.clone()).as_of(Some(later() + nanosecond()));
    let proven = observe(Some(&moved()), &proven, &cause(), now).expect("enough");
    assert_eq!(names(&change(proven)), ["PlanChanged"]);
    let settled = decide(Some(&moved()), platinum, later() + SETTLING_WINDOW);
    assert_eq!(names(&change(settled)), ["PlanChanged"]);
}

#[test]
fn seats_status_and_dates_settle_like_plans() {
    let now = later() + SignedDuration::from_secs(1);
    let term = json!({ "termUnit": "P1M", "startDate": "2026-04-04", "endDate": "2026-05-03" });
    for (from, to) in [
        (copy("Subscribed"), with(copy("Subscribed"), json!({ "quantity": 20 }))),
        (copy("Subscribed"), with(copy("Subscribed"), json!({ "term": term }))),
        (copy("Subscribed"), copy("Suspended")),
        // A stale Suspend after a Reinstate must not suspend (F-WHD-5).
        (copy("Suspended"), copy("Subscribed")),
    ] {
        let record = change(decide(Some(&record_of(from.clone())), to, later())).record;
        assert_eq!(decide(Some(&record), from.clone(), now), LATE, "{from}");
        let left = Status::from(from["saasSubscriptionStatus"].as_str().expect("a status"));
        assert!(record.left_recently(&left, now), "{left}");
        assert!(!record.left_recently(&left, later() + SETTLING_WINDOW), "{left}");
    }
}

#[test]
fn a_late_read_further_back_is_still_late_after_a_second_change() {
    let seats_at = later() + SignedDuration::from_secs(20);
    let more = with(copy("Subscribed"), json!({ "planId": "gold", "quantity": 20 }));
    let record = change(decide(Some(&moved()), more, seats_at)).record;
    let before_seats = with(copy("Subscribed"), json!({ "planId": "gold" }));
    let now = later() + SETTLING_WINDOW - nanosecond();
    assert_eq!(sees_silver(&record, None, now), LATE);
    assert_eq!(decide(Some(&record), before_seats, now), LATE);
}

#[test]
fn what_was_left_longer_ago_leaves_no_trace_in_the_record() {
    let mut record = moved();
    for round in 1..=20 {
        let now = later() + SETTLING_WINDOW * round;
        let seats = with(copy("Subscribed"), json!({ "planId": "gold", "quantity": 10 + round }));
        record = change(decide(Some(&record), seats, now)).record;
    }
    let kept = serde_json::to_value(&record).expect("JSON")["superseded"].clone();
    assert_eq!(
        kept.as_array().map(Vec::len),
        Some(1),
        "only what a late read may still show is kept"
    );
}

#[test]
fn a_read_that_lay_about_is_judged_by_when_it_was_made() {
    let record = moved();
    let silver = |read_at: Timestamp| {
        let observed: Observation =
            serde_json::from_value(copy("Subscribed")).expect("an observation");
        let now = later() + SETTLING_WINDOW * 5;
        observe(Some(&record), &observed.read_at(read_at), &Cause::Reconciliation, now)
            .expect("a whole observation")
    };
    let late = Decision::Stale(Staleness::Settling);
    assert_eq!(silver(later() - SETTLING_WINDOW), late, "made before the change");
    assert_eq!(silver(later() + SETTLING_WINDOW - nanosecond()), late);
    assert!(matches!(silver(later() + SETTLING_WINDOW), Decision::Commit(_)));
}

#[test]
fn a_read_made_before_the_record_was_does_not_take_the_record_back() {
    let suspended = change(decide(None, copy("Suspended"), later())).record;
    let subscribed = |read_at: Timestamp, as_of: Option<Timestamp>| {
        let observed = observation(copy("Subscribed")).as_of(as_of).read_at(read_at);
        observe(Some(&suspended), &observed, &Cause::Reconciliation, later() + SETTLING_WINDOW * 5)
            .expect("a whole observation")
    };
    assert_eq!(subscribed(later() - nanosecond(), None), LATE);
    assert_eq!(subscribed(noon(), Some(noon())), LATE);
    let after = later() + SETTLING_WINDOW;
    assert_eq!(names(&change(subscribed(after, None))), ["Reinstated"], "not before");
    let younger = subscribed(later() - nanosecond(), Some(later() + nanosecond()));
    assert_eq!(
        names(&change(younger)),
        ["Reinstated"],
        "known to be younger, whatever the clocks say"
    );
}

#[test]
fn a_read_made_before_a_change_may_tell_of_what_is_not_billed() {
    let renamed = with(copy("Subscribed"), json!({ "planId": "gold", "name": "Renamed" }));
    let observed = observation(renamed).read_at(later() - nanosecond());
    let decided = observe(Some(&moved()), &observed, &cause(), later()).expect("enough");
    assert_eq!(names(&change(decided)), ["DetailsChanged"]);
}

#[test]
fn bookkeeping_does_not_make_a_read_older() {
    let noted = change(record("Subscribed").await_operation(
        OperationId(Uuid::from_u128(1)),
        &Action::ChangePlan,
        later(),
    ))
    .record;
    let gold = with(copy("Subscribed"), json!({ "planId": "gold" }));
    let observed = observation(gold).read_at(later() - nanosecond());
    let decided = observe(Some(&noted), &observed, &cause(), later()).expect("enough");
    assert_eq!(names(&change(decided)), ["PlanChanged"]);
}

#[test]
fn a_late_read_of_what_a_record_went_through_at_its_birth_does_not_take_it_back() {
    let suspended = change(decide(None, copy("Suspended"), later())).record;
    let soon = later() + SETTLING_WINDOW - nanosecond();
    assert_eq!(decide(Some(&suspended), copy("Subscribed"), soon), LATE);
    let then = decide(Some(&suspended), copy("Subscribed"), later() + SETTLING_WINDOW);
    assert_eq!(names(&change(then)), ["Reinstated"]);
}
