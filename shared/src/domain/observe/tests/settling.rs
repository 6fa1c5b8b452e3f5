//! Late reads: a state that the record left moments ago is not adopted again at once.

use super::*;

fn nanosecond() -> SignedDuration {
    SignedDuration::from_nanos(1)
}

/// A record that changed from silver to gold at `later`.
fn changed_to_gold() -> Record {
    let gold = with(copy("Subscribed"), json!({ "planId": "gold" }));
    change(decide(Some(&record("Subscribed")), gold, later())).record
}

fn sees_silver(record: &Record, as_of: Option<Timestamp>, now: Timestamp) -> Decision {
    let observed = observation(copy("Subscribed")).as_of(as_of);
    observe(Some(record), &observed, &cause(), now).expect("enough")
}

const LATE: Decision = Decision::Stale(Staleness::Settling);

#[test]
fn a_read_of_the_previous_state_is_late_until_the_window_ends() {
    let end = later() + SETTLING_WINDOW;
    for now in [later(), later() + nanosecond(), end - nanosecond()] {
        assert_eq!(sees_silver(&changed_to_gold(), None, now), LATE, "{now}");
    }
    for now in [end, end + nanosecond(), end + SETTLING_WINDOW] {
        assert_eq!(
            names(&change(sees_silver(&changed_to_gold(), None, now))),
            ["PlanChanged"],
            "{now}"
        );
    }
}

#[test]
fn a_read_dated_after_the_change_is_believed_within_the_window() {
    let now = later() + SignedDuration::from_secs(5);
    let younger = sees_silver(&changed_to_gold(), Some(later() + nanosecond()), now);
    assert_eq!(names(&change(younger)), ["PlanChanged"], "an immediate revert");
    for as_of in [later(), later() - nanosecond(), noon()] {
        assert_eq!(
            sees_silver(&changed_to_gold(), Some(as_of), now),
            LATE,
            "dated before the change: {as_of}"
        );
    }
}

#[test]
fn a_change_of_another_value_is_adopted_within_the_window() {
    let now = later() + SignedDuration::from_secs(1);
    let gold = with(copy("Subscribed"), json!({ "planId": "gold" }));
    assert_eq!(decide(Some(&changed_to_gold()), gold, now), Decision::Unchanged);
    let suspended = with(copy("Suspended"), json!({ "planId": "gold" }));
    assert_eq!(names(&change(decide(Some(&changed_to_gold()), suspended, now))), ["Suspended"]);
    let seats = with(copy("Subscribed"), json!({ "planId": "gold", "quantity": 20 }));
    assert_eq!(names(&change(decide(Some(&changed_to_gold()), seats, now))), ["QuantityChanged"]);
}

#[test]
fn a_reinstatement_makes_a_read_of_a_suspension_late_that_the_record_never_heard_of() {
    let active = observation(copy("Subscribed"));
    let decision = reinstated(Some(&record("Subscribed")), &active, &cause(), later());
    let unheard = change(decision.expect("enough"));
    assert_eq!(names(&unheard), [""; 0]);
    let now = later() + SignedDuration::from_secs(1);
    assert_eq!(decide(Some(&unheard.record), copy("Suspended"), now), LATE);
    let next = decide(Some(&unheard.record), copy("Suspended"), later() + SETTLING_WINDOW);
    assert_eq!(names(&change(next)), ["Suspended"], "the next suspension");
}

#[test]
fn an_accepted_value_that_the_record_holds_already_makes_reads_of_any_other_late() {
    let requested = |body: Value| -> Operation { serde_json::from_value(body).expect("fits") };
    let plan = requested(json!({ "action": "ChangePlan", "planId": "silver" }));
    let seats = requested(json!({ "action": "ChangeQuantity", "quantity": 10 }));
    let now = later() + SignedDuration::from_secs(1);
    for (operation, replaced, other, event) in [
        (plan, json!({ "planId": "gold" }), json!({ "quantity": 20 }), "QuantityChanged"),
        (seats, json!({ "quantity": 20 }), json!({ "planId": "gold" }), "PlanChanged"),
    ] {
        let unheard = change(apply(&record("Subscribed"), &operation, &cause(), later()));
        assert_eq!(names(&unheard), [""; 0]);
        let read = |members: &Value, now| {
            decide(Some(&unheard.record), with(copy("Subscribed"), members.clone()), now)
        };
        assert_eq!(read(&replaced, now), LATE, "{replaced}");
        assert_ne!(read(&replaced, later() + SETTLING_WINDOW), LATE, "{replaced}");
        assert_eq!(names(&change(read(&other, now))), [event]);
        assert_eq!(read(&json!({}), now), Decision::Unchanged);
    }
}

#[test]
fn a_change_that_was_followed_to_a_value_of_the_record_makes_reads_of_any_other_late() {
    // Microsoft made a change that the record never heard of, and this one took it back.
    let requested = |body: Value| -> Operation { serde_json::from_value(body).expect("fits") };
    let now = later() + SignedDuration::from_secs(1);
    let shown = observation(copy("Subscribed"));
    for (operation, replaced) in [
        (json!({ "action": "ChangePlan", "planId": "silver" }), json!({ "planId": "gold" })),
        (json!({ "action": "ChangeQuantity", "quantity": 10 }), json!({ "quantity": 20 })),
    ] {
        let operation = requested(operation);
        let follow =
            |record: &Record| followed(Some(record), &shown, &operation, &cause(), later());
        let unheard = change(follow(&record("Subscribed")).expect("enough"));
        assert_eq!(names(&unheard), [""; 0]);
        let read = with(copy("Subscribed"), replaced.clone());
        assert_eq!(decide(Some(&unheard.record), read.clone(), now), LATE, "{replaced}");
        let next = decide(Some(&unheard.record), read, later() + SETTLING_WINDOW);
        assert!(matches!(next, Decision::Commit(_)), "{replaced}");
    }
    // It has been overtaken, so it replaced nothing that a late read may show.
    let overtaken = requested(json!({ "action": "ChangePlan", "planId": "gold" }));
    let decision = followed(Some(&record("Subscribed")), &shown, &overtaken, &cause(), later());
    assert_eq!(decision.expect("enough"), Decision::Unchanged);
}

#[test]
fn a_third_plan_within_the_window_is_adopted_only_if_dated_after_the_change() {
    let now = later() + SignedDuration::from_secs(1);
    let platinum = with(copy("Subscribed"), json!({ "planId": "platinum" }));
    assert_eq!(
        decide(Some(&changed_to_gold()), platinum.clone(), now),
        LATE,
        "it may be an older state that the record never saw"
    );
    let proven = observation(platinum.clone()).as_of(Some(later() + nanosecond()));
    let proven = observe(Some(&changed_to_gold()), &proven, &cause(), now).expect("enough");
    assert_eq!(names(&change(proven)), ["PlanChanged"]);
    let settled = decide(Some(&changed_to_gold()), platinum, later() + SETTLING_WINDOW);
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
fn a_late_read_of_an_older_state_is_still_late_after_a_second_change() {
    let seats_at = later() + SignedDuration::from_secs(20);
    let more = with(copy("Subscribed"), json!({ "planId": "gold", "quantity": 20 }));
    let record = change(decide(Some(&changed_to_gold()), more, seats_at)).record;
    let before_seats = with(copy("Subscribed"), json!({ "planId": "gold" }));
    let now = later() + SETTLING_WINDOW - nanosecond();
    assert_eq!(sees_silver(&record, None, now), LATE);
    assert_eq!(decide(Some(&record), before_seats, now), LATE);
}

#[test]
fn states_left_before_the_window_are_dropped_from_the_record() {
    let mut record = changed_to_gold();
    for round in 1..=20 {
        let now = later() + SETTLING_WINDOW * round;
        let seats = with(copy("Subscribed"), json!({ "planId": "gold", "quantity": 10 + round }));
        record = change(decide(Some(&record), seats, now)).record;
    }
    let recent_states = serde_json::to_value(&record).expect("JSON")["superseded"].clone();
    assert_eq!(
        recent_states.as_array().map(Vec::len),
        Some(1),
        "only the state that a late read can still show"
    );
}

#[test]
fn a_read_processed_late_is_judged_by_the_time_it_was_made() {
    let record = changed_to_gold();
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
fn a_read_made_before_the_record_does_not_roll_it_back() {
    let suspended = change(decide(None, copy("Suspended"), later())).record;
    let subscribed = |read_at: Timestamp, as_of: Option<Timestamp>| {
        let observed = observation(copy("Subscribed")).as_of(as_of).read_at(read_at);
        observe(Some(&suspended), &observed, &Cause::Reconciliation, later() + SETTLING_WINDOW * 5)
            .expect("a whole observation")
    };
    assert_eq!(subscribed(later() - nanosecond(), None), LATE);
    assert_eq!(subscribed(noon(), Some(noon())), LATE);
    let after = later() + SETTLING_WINDOW;
    assert_eq!(names(&change(subscribed(after, None))), ["Reinstated"], "not earlier");
    let younger = subscribed(later() - nanosecond(), Some(later() + nanosecond()));
    assert_eq!(names(&change(younger)), ["Reinstated"], "its own date counts more than the clocks");
}

#[test]
fn a_read_made_before_a_change_can_still_update_unbilled_details() {
    let renamed = with(copy("Subscribed"), json!({ "planId": "gold", "name": "Renamed" }));
    let observed = observation(renamed).read_at(later() - nanosecond());
    let decided = observe(Some(&changed_to_gold()), &observed, &cause(), later()).expect("enough");
    assert_eq!(names(&change(decided)), ["DetailsChanged"]);
}

#[test]
fn a_bookkeeping_version_does_not_make_a_read_late() {
    let noted = change(record("Subscribed").await_operation(
        &OperationId::from(Uuid::from_u128(1)),
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
fn a_read_of_a_state_passed_in_the_first_version_is_late_within_the_window() {
    let suspended = change(decide(None, copy("Suspended"), later())).record;
    let soon = later() + SETTLING_WINDOW - nanosecond();
    assert_eq!(decide(Some(&suspended), copy("Subscribed"), soon), LATE);
    let then = decide(Some(&suspended), copy("Subscribed"), later() + SETTLING_WINDOW);
    assert_eq!(names(&change(then)), ["Reinstated"]);
}
