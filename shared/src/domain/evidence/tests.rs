//! Every action against every status (F-LC, F-WHA), and when an operation dates a read.

use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::domain::OperationSource;

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
        [true, true, true, true, true, true],  // Renew
        [false, false, true, true, false, false], // Suspend: or ended later
        [true, true, true, true, true, true],  // Reinstate: or suspended again
        [false, false, false, true, false, false], // Unsubscribe: nothing follows it
        [true, true, true, true, true, true],  // an unknown action
    ]) {
        let action: Action = serde_json::from_value(json!(action)).expect("any word");
        for (status, expected) in STATUSES.into_iter().zip(expected) {
            let observed = observed(status);
            assert_eq!(action.led_to(observed.status()), expected, "{action} {status:?}");
        }
    }
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
}

#[test]
fn an_operation_is_recent_only_within_the_settling_window() {
    let at: Timestamp = "2026-03-10T12:00:00Z".parse().expect("a timestamp");
    let ended =
        |status: &str| operation(json!({ "action": "Renew", "status": status, "timeStamp": at }));
    let over = at + SETTLING_WINDOW;
    let before = over - jiff::SignedDuration::from_nanos(1);
    assert!(is_recent(&ended("Succeeded"), at) && is_recent(&ended("Succeeded"), before));
    assert!(!is_recent(&ended("Succeeded"), over));
    assert!(!is_recent(&ended("Failed"), at), "a failed operation changed nothing");
    assert!(
        !is_recent(&operation(json!({ "status": "Succeeded" })), at),
        "an operation without a time"
    );
}

#[test]
fn the_cause_names_the_source_that_the_operation_says_and_no_requester_where_we_asked_for_nothing()
{
    let cause = |source: Value| {
        let requested = Requested {
            subscription: SubscriptionId(Uuid::from_u128(1)),
            id: OperationId(Uuid::from_u128(2)),
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
