//! Which status can follow which, and which events each step records (F-LC).

use super::*;

/// The expectation in a cell of the table.
#[derive(Clone, Copy, Debug)]
enum Expect {
    Events(&'static [&'static str]),
    Unchanged,
    /// The life cycle has no such transition.
    Never,
}

fn check(from: &Record, to: Value, expected: Expect) {
    let case = format!("{} -> {}", from.status(), to["saasSubscriptionStatus"]);
    let status = to["saasSubscriptionStatus"].as_str().expect("a status").to_owned();
    match (expected, decide(Some(from), to, later())) {
        (Expect::Events(expected), Decision::Commit(change)) => {
            assert_eq!(names(&change), expected, "{case}");
            assert_eq!(change.record.status().as_str(), status, "{case}");
        }
        (Expect::Unchanged, Decision::Unchanged)
        | (Expect::Never, Decision::Stale(Staleness::Impossible)) => {}
        (expected, got) => panic!("{case}: expected {expected:?}, got {got:?}"),
    }
}

#[test]
fn every_pair_of_statuses_leads_to_the_events_of_the_life_cycle() {
    use Expect::{Events, Never, Unchanged};
    let ended = Events(&["Unsubscribed"]);
    let details = Events(&["DetailsChanged"]);
    // To:          Pending  Subscribed                 Suspended                               Unsubscribed  unknown
    let table: [(&str, [Expect; 5]); 5] = [
        (
            "PendingFulfillmentStart",
            [
                Unchanged,
                Events(&["Activated"]),
                Events(&["Activated", "Suspended"]),
                ended,
                details,
            ],
        ),
        ("Subscribed", [Never, Unchanged, Events(&["Suspended"]), ended, details]),
        ("Suspended", [Never, Events(&["Reinstated"]), Unchanged, ended, details]),
        // An end is final (F-LC-8).
        ("Unsubscribed", [Never, Never, Never, Unchanged, Never]),
        // The place of an unknown status in the life cycle is unknown, so it can lead to any
        // status. Billing had begun before it, so there is no second `Activated`.
        ("Migrating", [details, details, Events(&["Suspended"]), ended, Unchanged]),
    ];
    for (from, row) in table {
        let from = record(from);
        for (to, expected) in STATUSES.into_iter().zip(row) {
            check(&from, copy(to), expected);
        }
    }
}

#[test]
fn an_unknown_status_can_follow_another() {
    let record = record("Migrating");
    assert_eq!(events(&record, copy("Archived")), ["DetailsChanged"]);
}

#[test]
fn a_subscription_never_active_before_an_unknown_status_can_be_activated() {
    let unbilled = with(copy("Migrating"), json!({ "term": { "termUnit": "P1M" } }));
    assert_eq!(events(&record_of(unbilled), copy("Subscribed")), ["Activated"]);
}

#[test]
fn an_answer_without_an_id_is_about_the_requested_subscription() {
    let mut without_id = copy("Subscribed");
    without_id.as_object_mut().expect("an object").remove("id");
    let without_id = observation(without_id).of(SubscriptionId(ID));
    assert_eq!(without_id.id(), Some(SubscriptionId(ID)));
    let record = change(observe(None, &without_id, &cause(), noon()).expect("enough")).record;
    assert_eq!(record.subscription.plan_id, "silver", "its other members count");
    let other = SubscriptionId(Uuid::from_u128(9));
    assert_eq!(observation(copy("Subscribed")).of(other).id(), Some(SubscriptionId(ID)));
}

#[test]
fn a_first_observation_records_every_event_up_to_its_status() {
    for (status, expected) in [
        ("PendingFulfillmentStart", &["Purchased"] as &[_]),
        ("Subscribed", &["Purchased", "Activated"]),
        ("Suspended", &["Purchased", "Activated", "Suspended"]),
        // A subscription without dates was never activated (F-OBJ-6).
        ("Unsubscribed", &["Purchased", "Unsubscribed"]),
        ("Migrating", &["Purchased"]),
    ] {
        let change = change(decide(None, copy(status), noon()));
        assert_eq!(names(&change), expected, "{status}");
        assert_eq!(change.record.version, 1, "{status}");
        assert_eq!(change.record.status().as_str(), status);
        let first = &change.events[0].subscription;
        if status != "Migrating" {
            assert_eq!(first.saas_subscription_status, Status::PendingFulfillmentStart);
            assert_eq!(first.term.start_date, None, "no dates before the activation (F-OBJ-6)");
        }
    }
}

#[test]
fn an_ended_subscription_with_dates_was_once_active_as_f_obj_6_says() {
    let ended = with(copy("Subscribed"), json!({ "saasSubscriptionStatus": "Unsubscribed" }));
    let first = change(decide(None, ended.clone(), noon()));
    assert_eq!(names(&first), ["Purchased", "Activated", "Unsubscribed"]);
    assert_eq!(
        events(&record("PendingFulfillmentStart"), ended),
        ["Activated", "Unsubscribed"],
        "Pending -> Unsubscribed with the activation skipped (F-LC-12)"
    );
}

#[test]
fn t_29_events_of_skipped_states_are_recorded_in_order() {
    let renewed = json!({ "termUnit": "P1M", "startDate": "2026-04-04", "endDate": "2026-05-03" });
    let changes =
        json!({ "planId": "gold", "quantity": 20, "term": renewed, "name": "Contoso Ltd" });
    for (from, to, expected) in [
        (
            "PendingFulfillmentStart",
            "Suspended",
            &["Activated", "PlanChanged", "QuantityChanged", "DetailsChanged", "Suspended"]
                as &[_],
        ),
        (
            "Subscribed",
            "Suspended",
            &["PlanChanged", "QuantityChanged", "Renewed", "DetailsChanged", "Suspended"],
        ),
        (
            "Suspended",
            "Subscribed",
            &["PlanChanged", "QuantityChanged", "Renewed", "DetailsChanged", "Reinstated"],
        ),
        (
            "Suspended",
            "Unsubscribed",
            &["PlanChanged", "QuantityChanged", "Renewed", "Unsubscribed"],
        ),
    ] {
        let to = with(copy(to), changes.clone());
        assert_eq!(events(&record(from), to), expected, "{from}");
    }
}

#[test]
fn every_event_shows_the_subscription_right_after_it() {
    let to = with(copy("Suspended"), json!({ "planId": "gold", "quantity": 20 }));
    let change = change(decide(Some(&record("Subscribed")), to, later()));
    let shown: Vec<_> = change
        .events
        .iter()
        .map(|event| {
            let seen = &event.subscription;
            (seen.plan_id.as_str(), seen.quantity, seen.saas_subscription_status.as_str())
        })
        .collect();
    assert_eq!(
        shown,
        [
            ("gold", Some(10), "Subscribed"),
            ("gold", Some(20), "Subscribed"),
            ("gold", Some(20), "Suspended"),
        ]
    );
    let places: Vec<_> = change.events.iter().map(|event| (event.version, event.index)).collect();
    assert_eq!(places, [(2, 0), (2, 1), (2, 2)]);
    assert_eq!(change.events[1].id(), format!("{ID}-2-1"));
    let plan = EventKind::PlanChanged { from: "silver".into(), to: "gold".into() };
    assert_eq!(change.events[0].kind, plan);
    let seats = EventKind::QuantityChanged { from: Some(10), to: Some(20) };
    assert_eq!(change.events[1].kind, seats);
}

#[test]
fn no_event_follows_the_end_of_a_subscription() {
    let ended = record("Unsubscribed");
    for edited in [
        json!({ "planId": "gold" }),
        json!({ "quantity": 3 }),
        json!({ "quantity": null, "name": "renamed", "autoRenew": false }),
        json!({ "term": { "startDate": "2026-04-04", "endDate": "2026-05-03" } }),
    ] {
        let decision = decide(Some(&ended), with(copy("Unsubscribed"), edited.clone()), later());
        assert_eq!(decision, Decision::Unchanged, "{edited}");
    }
    for action in ["ChangePlan", "ChangeQuantity", "Renew", "Suspend", "Reinstate", "Subscribe"] {
        let operation: Operation = serde_json::from_value(json!({
            "id": Uuid::from_u128(1), "action": action, "planId": "gold", "quantity": 99,
        }))
        .expect("an operation");
        assert_eq!(apply(&ended, &operation, &cause(), later()), Decision::Unchanged, "{action}");
    }
    let reinstated = reinstate(&ended, &cause(), later());
    assert_eq!(reinstated, Decision::Stale(Staleness::Impossible), "F-LC-8");
}

#[test]
fn only_a_suspended_subscription_is_reinstated_as_f_lc_5_says() {
    let reinstated = change(reinstate(&record("Suspended"), &cause(), later()));
    assert_eq!(names(&reinstated), ["Reinstated"]);
    assert_eq!(*reinstated.record.status(), Status::Subscribed);
    let unheard = change(reinstate(&record("Subscribed"), &cause(), later()));
    assert_eq!(names(&unheard), [""; 0], "the record never heard of the suspension");
    for status in ["PendingFulfillmentStart", "Unsubscribed", "Migrating"] {
        let decision = reinstate(&record(status), &cause(), later());
        assert_eq!(decision, Decision::Stale(Staleness::Impossible), "{status}");
    }
}

#[test]
fn an_applied_operation_sets_only_the_value_it_requested() {
    let record = record("Subscribed");
    let operation = |body: Value| -> Operation { serde_json::from_value(body).expect("fits") };
    let plan = operation(json!({ "action": "ChangePlan", "planId": "gold", "quantity": 77 }));
    let planned = change(apply(&record, &plan, &cause(), later()));
    assert_eq!(names(&planned), ["PlanChanged"]);
    assert_eq!(planned.record.subscription.quantity, Some(10), "a plan change leaves the seats");

    let seats = operation(json!({ "action": "ChangeQuantity", "planId": "gold", "quantity": 20 }));
    let seated = change(apply(&record, &seats, &cause(), later()));
    assert_eq!(names(&seated), ["QuantityChanged"]);
    assert_eq!(seated.record.subscription.plan_id, "silver", "a seat change leaves the plan");

    // Real answers leave out null members (F-OP-3). An operation without a value changes nothing.
    for empty in [json!({ "action": "ChangePlan" }), json!({ "action": "ChangeQuantity" })] {
        assert_eq!(apply(&record, &operation(empty), &cause(), later()), Decision::Unchanged);
    }
    // A notice alone changes nothing: Get Subscription decides (F-WHS-3).
    for notice in ["Suspend", "Renew", "Unsubscribe", "Reinstate", "Subscribe", "Transfer"] {
        let notice = operation(json!({ "action": notice, "planId": "gold", "quantity": 20 }));
        assert_eq!(apply(&record, &notice, &cause(), later()), Decision::Unchanged);
    }
}

#[test]
fn observing_the_same_copy_twice_changes_nothing() {
    for from in STATUSES {
        for to in STATUSES {
            let first = decide(Some(&record(from)), copy(to), later());
            if let Decision::Commit(change) = first {
                let again = decide(Some(&change.record), copy(to), later());
                assert_eq!(again, Decision::Unchanged, "{from} -> {to}");
            }
        }
    }
}
