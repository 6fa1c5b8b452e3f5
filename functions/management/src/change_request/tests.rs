use serde_json::{Value, json};
use shared::domain::{Cause, Decision, Observation, observe};

use super::*;

fn record(more: &Value) -> Record {
    let mut observed = json!({
        "id": "6f1d5a2e-0c57-4d0a-9a53-3b8c1e7f0a11", "offerId": "offer", "planId": "basic",
        "quantity": 10, "saasSubscriptionStatus": "Subscribed",
    });
    for (name, value) in more.as_object().expect("an object") {
        observed[name] = value.clone();
    }
    let observed: Observation = serde_json::from_value(observed).expect("an observation");
    let now = "2026-03-10T12:00:00Z".parse().expect("a timestamp");
    match observe(None, &observed, &Cause::Management, now) {
        Ok(Decision::Commit(change)) => change.record,
        other => panic!("{other:?}"),
    }
}

fn terms(plans: Value, operations: Value) -> Terms {
    Terms {
        plans: serde_json::from_str(&plans.to_string()).expect("plans"),
        operations: serde_json::from_value(operations).expect("operations"),
    }
}

fn code(checked: Result<(), Problem>) -> Option<&'static str> {
    checked.err().map(|problem| problem.code)
}

fn plan(id: &str) -> Asked {
    Asked::Plan(id.to_owned())
}

#[test]
fn t_12_a_change_is_a_plan_or_a_quantity_never_both() {
    assert_eq!(Asked::change(br#"{"planId":" gold "}"#), Ok(plan("gold")));
    assert_eq!(Asked::change(br#"{"quantity":5}"#), Ok(Asked::Quantity(5)));
    let long = format!(r#"{{"planId":"{}"}}"#, "x".repeat(101));
    for body in [
        r#"{"planId":"gold","quantity":5}"#,
        r#"{"quantity":0}"#,
        r#"{"quantity":1000001}"#,
        r#"{"quantity":-1}"#,
        r#"{"quantity":"5"}"#,
        r#"{"planId":" "}"#,
        r#"{"plan":"gold"}"#,
        &long,
        "{}",
        "[]",
        "",
    ] {
        assert_eq!(
            Asked::change(body.as_bytes()).map_err(|problem| problem.code),
            Err("invalid_change"),
            "{body}"
        );
    }
}

#[test]
fn only_what_the_status_and_the_customers_rights_permit_is_asked_for() {
    let status = |status: &str| record(&json!({ "saasSubscriptionStatus": status }));
    for (asked, record, expected) in [
        (plan("team"), status("Subscribed"), None),
        (plan("team"), status("PendingFulfillmentStart"), Some("not_subscribed")),
        (Asked::Quantity(3), status("Suspended"), Some("not_subscribed")),
        (Asked::Quantity(3), status("Unsubscribed"), Some("not_subscribed")),
        (Asked::Quantity(3), status("SomethingNew"), Some("not_subscribed")),
        // F-CAN-6.
        (Asked::Cancel, status("PendingFulfillmentStart"), None),
        (Asked::Cancel, status("Subscribed"), None),
        (Asked::Cancel, status("Suspended"), None),
        (Asked::Cancel, status("SomethingNew"), None),
        (Asked::Cancel, status("Unsubscribed"), Some("unsubscribed")),
        (plan("basic"), status("Subscribed"), Some("already_in_force")),
        (Asked::Quantity(10), status("Subscribed"), Some("already_in_force")),
        (Asked::Quantity(3), record(&json!({ "quantity": null })), Some("flat_rate")),
    ] {
        assert_eq!(code(asked.check(&record)), expected, "{asked:?} {}", record.status());
    }
    // F-OBJ-11.
    for (allowed, change, cancel) in [
        (json!(["Read"]), Some("not_allowed"), Some("not_allowed")),
        (json!(["Update", "Read"]), None, Some("not_allowed")),
        (json!(["Delete", "Read"]), Some("not_allowed"), None),
        (json!(null), None, None),
    ] {
        let record = record(&json!({ "allowedCustomerOperations": allowed }));
        assert_eq!(code(plan("team").check(&record)), change, "{allowed}");
        assert_eq!(code(Asked::Quantity(3).check(&record)), change, "{allowed}");
        assert_eq!(code(Asked::Cancel.check(&record)), cancel, "{allowed}");
    }
}

#[test]
fn seats_stay_within_the_limits_of_the_plan_as_far_as_they_are_known() {
    // F-CHQ-6, F-PLN-2, F-PLN-8.
    let record = record(&json!({}));
    let limited = json!([{ "planId": "basic", "minQuantity": 5, "maxQuantity": 100 }]);
    for (plans, seats, expected) in [
        (&limited, 4, Some("quantity_out_of_limits")),
        (&limited, 5, None),
        (&limited, 100, None),
        (&limited, 101, Some("quantity_out_of_limits")),
        (&json!([{ "planId": "basic" }]), 101, None),
        (&json!([{ "planId": "team", "maxQuantity": 3 }]), 101, None),
        (&json!([]), 101, None),
    ] {
        let checked = Asked::Quantity(seats).check_terms(&record, &terms(plans.clone(), json!([])));
        assert_eq!(code(checked), expected, "{plans} {seats}");
    }
}

#[test]
fn a_plan_is_one_that_microsoft_offers_as_far_as_it_says() {
    let record = record(&json!({}));
    let offered = json!([{ "planId": "basic" }, { "planId": "team" }, {}]);
    for (plans, wanted, expected) in [
        (&offered, "team", None),
        (&offered, "Team", Some("plan_not_available")),
        (&offered, "enterprise", Some("plan_not_available")),
        (&json!([]), "enterprise", None),
    ] {
        let checked = plan(wanted).check_terms(&record, &terms(plans.clone(), json!([])));
        assert_eq!(code(checked), expected, "{plans} {wanted}");
    }
}

#[test]
fn nothing_is_changed_while_an_operation_is_under_way() {
    let record = record(&json!({}));
    for (status, expected) in [
        (json!("InProgress"), Some("operation_pending")),
        (json!("NotStarted"), Some("operation_pending")),
        (json!("SomethingNew"), Some("operation_pending")),
        (json!("Succeeded"), None),
        (json!("Failed"), None),
        (json!("Conflict"), None),
    ] {
        let terms = terms(json!([]), json!([{ "status": status }]));
        for asked in [plan("team"), Asked::Quantity(3)] {
            assert_eq!(code(asked.check_terms(&record, &terms)), expected, "{asked:?} {status}");
        }
    }
}

#[test]
fn requests_that_mean_the_same_have_the_same_line() {
    let id = record(&json!({})).id();
    let line = |body: &str| Asked::change(body.as_bytes()).expect("a change").line(id);
    assert_eq!(line(r#"{"quantity":5}"#), line("{ \"quantity\" : 5 }"));
    assert_eq!(line(r#"{"planId":"gold"}"#), line(r#"{"planId":"gold ", "quantity": null}"#));
    let different = [
        line(r#"{"quantity":5}"#),
        line(r#"{"quantity":6}"#),
        line(r#"{"planId":"5"}"#),
        Asked::Cancel.line(id),
    ];
    for (place, one) in different.iter().enumerate() {
        assert!(!different[place + 1..].contains(one), "{one}");
    }
}
