//! Every action against every status (F-LC, F-WHA), and when an operation dates a read.

use serde_json::{Value, json};
use uuid::Uuid;

use super::super::decision::{Decision, NextVersion};
use super::super::observe::observe;
use super::super::record::SETTLING_WINDOW;
use super::*;
use crate::domain::{OperationSource, Requester};

const ACTIONS: [&str; 8] = [
    "Subscribe",
    "ChangePlan",
    "ChangeQuantity",
    "Renew",
    "Suspend",
    "Reinstate",
    "Unsubscribe",
    "Transfer",
];

/// The four statuses of F-OBJ-3, an undocumented one, and a copy without a status.
const STATUSES: [Option<&str>; 6] = [
    Some("PendingFulfillmentStart"),
    Some("Subscribed"),
    Some("Suspended"),
    Some("Unsubscribed"),
    Some("Migrating"),
    None,
];

fn noon() -> Timestamp {
    "2026-03-10T12:00:00Z".parse().expect("a timestamp")
}

fn operation(body: Value) -> Operation {
    serde_json::from_value(body).expect("an operation")
}

/// On the plan `silver`, with ten seats.
fn observed(status: Option<&str>) -> Observation {
    let body = json!({ "saasSubscriptionStatus": status, "planId": "silver", "quantity": 10 });
    serde_json::from_value(body).expect("an observation")
}

#[test]
fn an_action_led_to_its_own_status_or_a_later_one() {
    for (action, expected) in ACTIONS.into_iter().zip([
        // Pending, Subscribed, Suspended, Unsubscribed, another word, no status
        [false, true, true, true, true, true], // Subscribe: past the purchase
        [true, true, true, true, true, true],  // ChangePlan: leads to no status
        [true, true, true, true, true, true],  // ChangeQuantity
        [false, true, true, true, true, true], // Renew: past the activation
        [false, false, true, true, false, false], // Suspend: or ended later
        [true, true, true, true, true, true],  // Reinstate: or suspended again
        [false, false, false, true, false, false], // Unsubscribe: nothing follows it
        [true, true, true, true, true, true],  // an unknown action
    ]) {
        let action: Action = serde_json::from_value(json!(action)).expect("any word");
        for (status, expected) in STATUSES.into_iter().zip(expected) {
            assert_eq!(action.led_to(&observed(status), noon()), expected, "{action} {status:?}");
        }
    }
}

#[test]
fn f_obj_6_a_renewal_led_to_a_term_that_ends_later_or_has_no_dates() {
    let until = |status: &str, end: Option<&str>| {
        let term = json!({ "termUnit": "P1M", "endDate": end });
        let body = json!({ "saasSubscriptionStatus": status, "term": term });
        serde_json::from_value::<Observation>(body).expect("an observation")
    };
    let led_to = |status, end| Action::Renew.led_to(&until(status, end), noon());
    assert!(led_to("Subscribed", Some("2026-04-09T00:00:00Z")));
    assert!(led_to("Subscribed", None));
    assert!(!led_to("Subscribed", Some("2026-03-09T00:00:00Z")), "the term that is over");
    assert!(!led_to("Suspended", Some("2026-03-09T00:00:00Z")));
    assert!(led_to("Unsubscribed", Some("2026-03-09T00:00:00Z")), "it ended later");

    let renewal = operation(json!({ "action": "Renew", "timeStamp": noon() }));
    assert!(renewal.is_visible_in(&until("Subscribed", Some("2026-04-09T00:00:00Z"))));
    assert!(!renewal.is_visible_in(&until("Subscribed", Some("2026-03-09T00:00:00Z"))));
}

#[test]
fn an_operation_is_visible_only_in_the_value_it_sets() {
    for (action, expected) in ACTIONS.into_iter().zip([
        // Pending, Subscribed, Suspended, Unsubscribed, another word, no status
        [false, true, false, false, false, false], // Subscribe
        [true, true, true, true, true, true],      // ChangePlan: to the plan shown
        [true, true, true, true, true, true],      // ChangeQuantity: to the seats shown
        [false, true, false, false, false, false], // Renew
        [false, false, true, false, false, false], // Suspend
        [false, true, false, false, false, false], // Reinstate
        [false, false, false, true, false, false], // Unsubscribe
        [false, false, false, false, false, false], // an unknown action proves nothing
    ]) {
        let asked = operation(json!({ "action": action, "planId": "silver", "quantity": 10 }));
        for (status, expected) in STATUSES.into_iter().zip(expected) {
            assert_eq!(asked.is_visible_in(&observed(status)), expected, "{action} {status:?}");
        }
    }
    for other in [
        json!({ "action": "ChangePlan", "planId": "gold", "quantity": 10 }),
        json!({ "action": "ChangePlan", "quantity": 10 }),
        json!({ "action": "ChangeQuantity", "planId": "silver", "quantity": 20 }),
        json!({ "action": "ChangeQuantity", "planId": "silver" }),
        json!({ "planId": "silver", "quantity": 10 }),
    ] {
        assert!(!operation(other.clone()).is_visible_in(&observed(Some("Subscribed"))), "{other}");
    }
}

#[test]
fn only_a_succeeded_operation_dates_the_read_that_shows_it() {
    let at: Timestamp = "2026-03-10T12:00:00Z".parse().expect("a timestamp");
    let asked = |status: &str, plan: &str| {
        let body = json!({ "action": "ChangePlan", "planId": plan, "status": status,
                           "timeStamp": at });
        proven_by(Some(&operation(body)), observed(Some("Subscribed"))).as_of
    };
    assert_eq!(asked("Succeeded", "silver"), Some(at));
    assert_eq!(asked("Succeeded", "gold"), None, "the read doesn't show it");
    for status in ["InProgress", "NotStarted", "Failed", "Conflict"] {
        assert_eq!(asked(status, "silver"), None, "{status}");
    }
    assert_eq!(proven_by(None, observed(Some("Subscribed"))).as_of, None);
    let renewal = json!({ "action": "Renew", "status": "Succeeded", "timeStamp": at });
    let before = observed(Some("Subscribed"));
    assert_eq!(proven_by(Some(&operation(renewal)), before).as_of, None, "the former term");
}

#[test]
fn of_equal_requests_the_one_that_knows_the_operations_id_is_the_origin() {
    let request = |by: &str, at: i64, id: Option<u128>| OwnRequest {
        action: Action::ChangeQuantity,
        plan_id: None,
        quantity: Some(7),
        requester: Requester::Publisher { principal: Some(by.to_owned()) },
        ruling: None,
        at: noon() - SignedDuration::from_secs(at),
        operation_id: id.map(|id| OperationId::from(Uuid::from_u128(id))),
    };
    let body = json!({ "action": "ChangeQuantity", "quantity": 7, "timeStamp": noon() });
    let requested = Requested {
        subscription: SubscriptionId(Uuid::from_u128(1)),
        id: OperationId::from(Uuid::from_u128(2)),
        action: Action::ChangeQuantity,
        operation: Some(operation(body)),
        cause: Cause::Reconciliation,
    };
    let origin = |requests: [OwnRequest; 2]| {
        let mut record = record();
        record.own_requests = requests.to_vec();
        requested.own_request(&record, noon()).map(|own| own.requester.clone())
    };
    let (near, far) = (request("near", 0, None), request("far", 60, Some(2)));
    assert_eq!(origin([near.clone(), far.clone()]), Some(far.requester));
    let unknown = request("far", 60, None);
    assert_eq!(origin([unknown, near.clone()]), Some(near.requester), "the nearest in time");
}

fn record() -> Record {
    let body = json!({ "id": Uuid::from_u128(1), "offerId": "offer", "planId": "silver",
                       "saasSubscriptionStatus": "Subscribed" });
    let observed: Observation = serde_json::from_value(body).expect("an observation");
    match observe(None, &observed, &Cause::Reconciliation, noon()) {
        Ok(Decision::Commit(next)) => next.record,
        other => panic!("no record: {other:?}"),
    }
}

#[test]
fn an_operation_settles_until_a_window_after_it_was_first_seen_settled() {
    let id = Uuid::from_u128(9);
    let ended = |status: &str, hours: i64| {
        let at = noon() - SignedDuration::from_hours(hours);
        operation(json!({ "id": id, "action": "Renew", "status": status, "timeStamp": at }))
    };
    let unseen = record();
    for hours in [0, 1, 100] {
        assert!(is_settling(&ended("Succeeded", hours), Some(&unseen), noon()), "{hours}");
    }
    let noted = unseen.note_settled(&id.into(), noon());
    let Decision::Commit(NextVersion { record: seen, events, .. }) = noted else {
        panic!("{noted:?}")
    };
    assert_eq!(events, []);
    let over = noon() + SETTLING_WINDOW;
    let before = over - SignedDuration::from_nanos(1);
    for hours in [0, 1, 100] {
        assert!(is_settling(&ended("Succeeded", hours), Some(&seen), before), "{hours}");
        assert!(!is_settling(&ended("Succeeded", hours), Some(&seen), over), "{hours}");
    }
    assert_eq!(seen.note_settled(&id.into(), over), Decision::Unchanged);
    for status in ["Failed", "Conflict", "InProgress"] {
        assert!(!is_settling(&ended(status, 0), Some(&unseen), noon()), "{status}");
    }
}

#[test]
fn without_a_record_an_operation_settles_for_fifteen_minutes_after_its_request() {
    let asked = |minutes: i64| {
        let at = noon() - SignedDuration::from_mins(minutes);
        operation(json!({ "action": "Subscribe", "status": "Succeeded", "timeStamp": at }))
    };
    assert!(is_settling(&asked(14), None, noon()));
    assert!(!is_settling(&asked(15), None, noon()));
    let undated = operation(json!({ "action": "Subscribe", "status": "Succeeded" }));
    assert!(!is_settling(&undated, None, noon()));
}

#[test]
fn the_cause_names_the_source_that_the_operation_says_and_no_requester_where_we_asked_for_nothing()
{
    let cause = |source: Value| {
        let requested = Requested {
            subscription: SubscriptionId(Uuid::from_u128(1)),
            id: OperationId::from(Uuid::from_u128(2)),
            action: Action::ChangePlan,
            operation: Some(operation(json!({ "operationRequestSource": source }))),
            cause: Cause::Webhook {
                action: Action::ChangePlan,
                operation_id: None,
                source: None,
                requester: None,
            },
        };
        requested.cause_on(None, Timestamp::UNIX_EPOCH)
    };
    for (said, source) in [
        (json!("Azure"), Some(OperationSource::Azure)),
        (json!("Partner"), Some(OperationSource::Partner)),
        (json!(null), None),
    ] {
        let expected = Cause::Webhook {
            action: Action::ChangePlan,
            operation_id: None,
            source,
            requester: None,
        };
        assert_eq!(cause(said.clone()), expected, "{said}");
    }
}
