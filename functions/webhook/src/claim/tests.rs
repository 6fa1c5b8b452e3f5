use jiff::SignedDuration;
use serde_json::{Value, json};

use super::*;

const SUBSCRIPTION: Uuid = Uuid::from_u128(0x5b);
const OPERATION: Uuid = Uuid::from_u128(0x09);

fn claim(action: Action, operation: Option<Uuid>) -> Claim {
    Claim {
        operation: operation.map(OperationId::from),
        subscription: SubscriptionId(SUBSCRIPTION),
        action,
        time_stamp: None,
        plan_id: None,
        quantity: None,
    }
}

fn parsed(body: &Value) -> Result<Claim, Unreadable> {
    Claim::parse(body.to_string().as_bytes())
}

fn operation(body: Value) -> Operation {
    serde_json::from_value(body).expect("an operation")
}

#[test]
fn t_21_the_sparse_form_of_f_whp_6_is_read() {
    let body = json!({
        "id": OPERATION, "activityId": Uuid::nil(), "operationRequestSource": "Azure",
        "subscriptionId": SUBSCRIPTION, "timeStamp": "2026-02-10T18:48:58.4449937Z", "action": "Renew",
    });
    let read = Claim {
        time_stamp: Some("2026-02-10T18:48:58.4449937Z".parse().expect("a timestamp")),
        ..claim(Action::Renew, Some(OPERATION))
    };
    assert_eq!(parsed(&body), Ok(read));
}

#[test]
fn a_call_is_young_for_fifteen_minutes_after_its_time_and_never_without_one() {
    let at: Timestamp = "2026-02-10T18:48:58Z".parse().expect("a timestamp");
    let dated = Claim { time_stamp: Some(at), ..claim(Action::Renew, Some(OPERATION)) };
    let old = at + SignedDuration::from_mins(15);
    assert!(dated.is_young(at) && dated.is_young(old - SignedDuration::from_nanos(1)));
    assert!(!dated.is_young(old));
    assert!(!claim(Action::Renew, Some(OPERATION)).is_young(at));
}

#[test]
fn t_21_the_very_old_form_of_f_whp_6_is_read() {
    let body = json!({ "subscriptionId": SUBSCRIPTION, "operationType": "Reinstate" });
    assert_eq!(parsed(&body), Ok(claim(Action::Reinstate, None)));
}

#[test]
fn t_21_the_older_member_names_count_where_the_newer_are_empty() {
    let old =
        json!({ "operationId": OPERATION, "subscriptionId": SUBSCRIPTION, "action": "Suspend" });
    assert_eq!(parsed(&old), Ok(claim(Action::Suspend, Some(OPERATION))));
    let both = json!({
        "id": OPERATION, "operationId": Uuid::nil(), "subscriptionId": SUBSCRIPTION,
        "action": "Suspend", "operationType": "Suspended",
    });
    assert_eq!(parsed(&both), Ok(claim(Action::Suspend, Some(OPERATION))));
    let empty = json!({
        "id": null, "operationId": OPERATION, "subscriptionId": SUBSCRIPTION,
        "action": " ", "operationType": "Suspend",
    });
    assert_eq!(parsed(&empty), Ok(claim(Action::Suspend, Some(OPERATION))));
}

#[test]
fn t_21_words_are_read_in_any_case_and_trimmed() {
    // F-GEN-11, F-WHA-17, F-WHP-7.
    let body = json!({
        "id": format!(" {} ", OPERATION.to_string().to_uppercase()),
        "subscriptionId": format!("{{{SUBSCRIPTION}}}"),
        "action": " changeQuantity ", "planId": " gold ", "quantity": " 25",
    });
    let read = Claim {
        plan_id: Some("gold".into()),
        quantity: Some(25),
        ..claim(Action::ChangeQuantity, Some(OPERATION))
    };
    assert_eq!(parsed(&body), Ok(read));
}

#[test]
fn t_21_unknown_members_and_odd_values_do_no_harm() {
    // F-GEN-10, F-OBJ-5.
    let odd = [json!(null), json!(""), json!([]), json!({ "a": 1 }), json!(-1), json!(1e300)];
    for odd in odd {
        let body = json!({
            "id": odd, "subscriptionId": SUBSCRIPTION, "action": "Suspend", "planId": null,
            "quantity": odd, "status": odd, "subscription": odd, "timeStamp": odd, "new": odd,
            "purchaseToken": odd,
        });
        assert_eq!(parsed(&body), Ok(claim(Action::Suspend, None)), "{odd}");
    }
}

#[test]
fn t_21_an_unknown_action_is_read_verbatim() {
    let body = json!({ "id": OPERATION, "subscriptionId": SUBSCRIPTION, "action": "Transfer" });
    assert_eq!(parsed(&body), Ok(claim(Action::Other("Transfer".into()), Some(OPERATION))));
}

#[test]
fn t_21_a_byte_order_mark_and_surrounding_whitespace_are_skipped() {
    let body = json!({ "subscriptionId": SUBSCRIPTION, "action": "Suspend" });
    let marked = format!("\u{feff}\r\n {body}\n");
    assert_eq!(Claim::parse(marked.as_bytes()), Ok(claim(Action::Suspend, None)));
}

#[test]
fn half_a_character_and_a_second_member_cost_nothing_that_we_use() {
    // F-GEN-14.
    let body = format!(
        r#"{{"subscriptionId":"{SUBSCRIPTION}","action":"Renew","action":"Suspend",
            "planId":"a \ud83d","subscription":{{"name":"cut \ud83d","name":"\ude00"}}}}"#
    );
    let read = Claim::parse(body.as_bytes()).expect("a claim");
    assert_eq!((read.action, read.plan_id.as_deref()), (Action::Suspend, Some("a \u{fffd}")));
    let mut body = body.into_bytes();
    let cut = body.windows(3).position(|bytes| bytes == b"cut").expect("a name");
    body[cut] = 0xff;
    assert_eq!(Claim::parse(&body).map(|read| read.subscription), Ok(SubscriptionId(SUBSCRIPTION)));
}

#[test]
fn a_body_without_subscription_or_action_is_unreadable() {
    for subscription in [json!(null), json!(""), json!("not a guid"), json!(7)] {
        let body = json!({ "subscriptionId": subscription, "action": "Suspend" });
        assert_eq!(parsed(&body), Err(Unreadable::NoSubscription), "{subscription}");
    }
    for action in [json!(null), json!(""), json!("  "), json!([]), json!({})] {
        let body = json!({ "subscriptionId": SUBSCRIPTION, "action": action });
        assert_eq!(parsed(&body), Err(Unreadable::NoAction), "{action}");
    }
    assert_eq!(parsed(&json!({})), Err(Unreadable::NoSubscription));
}

#[test]
fn a_body_that_is_no_json_object_is_unreadable() {
    let list = json!([OPERATION, OPERATION, SUBSCRIPTION, "Suspend", "Suspend", "gold", 7]);
    assert_eq!(parsed(&list), Err(Unreadable::NotJson), "an array of the right values");
    let nested = format!("{{\"action\":{}", "[".repeat(10_000));
    for body in [
        b"".as_slice(),
        b"null",
        b"7",
        b"\"Suspend\"",
        b"{",
        b"{\"action\":\"Suspend\",}",
        b"<html></html>",
        b"\xff\xfe{\x00}\x00",
        b"\xef\xbb\xbf\xef\xbb\xbf{}",
        nested.as_bytes(),
    ] {
        let text = String::from_utf8_lossy(&body[..body.len().min(40)]).into_owned();
        assert_eq!(Claim::parse(body), Err(Unreadable::NotJson), "{text}");
    }
}

#[test]
fn t_20_a_claim_agrees_only_with_the_operation_it_describes() {
    // F-WHS-2: each row changes one value of the operation.
    let body = |action: &str| {
        json!({
            "id": OPERATION, "subscriptionId": SUBSCRIPTION, "action": action, "planId": "gold", "quantity": 10,
        })
    };
    for (action, member, value, agrees) in [
        ("ChangePlan", "planId", json!("gold"), true),
        ("ChangePlan", "planId", json!(" gold "), true),
        ("ChangePlan", "planId", json!("silver"), false),
        ("ChangePlan", "action", json!("ChangeQuantity"), false),
        ("ChangePlan", "action", json!(null), false),
        ("ChangeQuantity", "quantity", json!("10"), true),
        ("ChangeQuantity", "quantity", json!(11), false),
        ("ChangeQuantity", "action", json!("ChangePlan"), false),
        // A flat-rate plan may report one seat (F-WHP-3), and a notice requests no value.
        ("ChangePlan", "quantity", json!(1), true),
        ("Reinstate", "planId", json!("silver"), true),
        ("Reinstate", "action", json!("reinstate"), true),
        ("Suspend", "action", json!("Reinstate"), false),
    ] {
        let claim = parsed(&body(action)).expect("a claim");
        let mut fact = body(action);
        fact[member] = value.clone();
        assert_eq!(claim.agrees_with(&operation(fact)), agrees, "{action}, {member}: {value}");
    }
}

#[test]
fn t_20_a_missing_member_on_either_side_is_no_contradiction() {
    let sparse = parsed(&json!({ "subscriptionId": SUBSCRIPTION, "action": "ChangePlan" }))
        .expect("a claim");
    assert!(sparse.agrees_with(&operation(json!({ "action": "ChangePlan", "planId": "gold" }))));
    let full = json!({ "subscriptionId": SUBSCRIPTION, "action": "ChangePlan", "planId": "gold" });
    let full = parsed(&full).expect("a claim");
    assert!(full.agrees_with(&operation(json!({ "action": "ChangePlan" }))));
}
