//! Every wire form of sections 3 to 5 of the specification.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::domain::{Cause, CustomerOperation, Decision, Status, Subscription, observe};

mod operations;
mod pages;
mod plans;

const ID: &str = "37f9dea2-4345-438f-b0bd-03d40d28c7e0";

/// The whole object of section 3, with members that we do not read (F-OBJ-12, F-OBJ-14).
fn full() -> Value {
    json!({
        "id": ID,
        "publisherId": "fabrikam",
        "offerId": "offer-1-preview",
        "name": "Contoso production",
        "saasSubscriptionStatus": "Subscribed",
        "beneficiary": {
            "emailId": "adele@contoso.example",
            "objectId": "04e4f9f4-0d5b-4c0c-9d3b-7ab26c6ae0a4",
            "tenantId": "6a1d1e2e-8a59-4d5c-9e0b-6b0e7a1c9f3d",
            "puid": "10032000A1B2C3D4",
            "iss": null, "idp": null, "groupIds": null, "altsecid": null, "CLIENT-IP": null,
        },
        "purchaser": {
            "emailId": "rita@reseller.example",
            "tenantId": "5d3f1b7e-90aa-4f0e-b1c2-3e4a5d6c7f80",
        },
        "planId": "silver",
        "quantity": 10,
        "term": {
            "termUnit": "P1Y", "startDate": "2026-03-04T00:00:00Z",
            "endDate": "2027-03-03T00:00:00Z", "chargeDuration": "P1M",
        },
        "autoRenew": true,
        "isTest": false,
        "isFreeTrial": true,
        "allowedCustomerOperations": ["Read", "Delete", "Update"],
        "sandboxType": "None",
        "created": "2026-03-01T22:59:45.5468572Z",
        "lastModified": "0001-01-01T00:00:00",
        "sessionMode": "None",
        "sessionId": null, "fulfillmentId": null, "isBlending": false, "tags": null,
    })
}

fn with(changes: Value) -> Value {
    let mut body = full();
    for (name, value) in changes.as_object().expect("changes are an object") {
        body[name] = value.clone();
    }
    body
}

fn without(name: &str) -> Value {
    let mut body = full();
    body.as_object_mut().expect("an object").remove(name);
    body
}

fn read(body: &Value) -> Observation {
    serde_json::from_str(&body.to_string()).expect("the tolerant reader accepts it")
}

/// The subscription that a record of this object holds.
fn subscription(body: &Value) -> Subscription {
    let now = Timestamp::UNIX_EPOCH;
    match observe(None, &read(body), &Cause::Landing, now) {
        Ok(Decision::Commit(change)) => change.record.subscription,
        other => panic!("no record: {other:?}"),
    }
}

fn time(text: &str) -> Timestamp {
    text.parse().expect("a timestamp")
}

#[test]
fn t_8_every_documented_field_of_a_subscription_is_read() {
    let read = subscription(&full());
    assert_eq!(read.id.to_string(), ID);
    assert_eq!(read.publisher_id.as_deref(), Some("fabrikam"));
    assert_eq!(read.offer_id, "offer-1-preview");
    assert_eq!(read.name.as_deref(), Some("Contoso production"));
    assert_eq!(read.saas_subscription_status, Status::Subscribed);
    assert_eq!(read.plan_id, "silver");
    assert_eq!(read.quantity, Some(10));
    assert_eq!(read.beneficiary.email_id.as_deref(), Some("adele@contoso.example"));
    assert_eq!(read.beneficiary.puid.as_deref(), Some("10032000A1B2C3D4"));
    assert!(read.beneficiary.object_id.is_some() && read.beneficiary.tenant_id.is_some());
    assert_ne!(read.purchaser.tenant_id, read.beneficiary.tenant_id, "a reseller's purchase");
    assert_eq!(read.purchaser.puid, None);
    assert_eq!(read.term.term_unit.as_deref(), Some("P1Y"));
    assert_eq!(read.term.charge_duration.as_deref(), Some("P1M"));
    assert_eq!(read.term.start_date, Some(time("2026-03-04T00:00:00Z")));
    assert_eq!(read.term.end_date, Some(time("2027-03-03T00:00:00Z")));
    assert_eq!(read.auto_renew, Some(true));
    assert!(read.is_free_trial);
    assert_eq!(read.created, Some(time("2026-03-01T22:59:45.5468572Z")));
    assert!(read.allows(&CustomerOperation::Delete));
}

#[test]
fn t_8_each_quantity_form_of_f_obj_5_is_read() {
    for (sent, expected) in [
        (json!(20), Some(20)),
        (json!("20"), Some(20)),
        (json!(" 25"), Some(25)),
        (json!(0), None),
        (json!(""), None),
        (json!(null), None),
        (json!({}), None),
    ] {
        let read = subscription(&with(json!({ "quantity": sent })));
        assert_eq!(read.quantity, expected, "{sent}");
    }
    assert_eq!(subscription(&without("quantity")).quantity, None);
}

#[test]
fn t_8_any_field_but_the_keys_may_be_missing_or_malformed() {
    let key = ["id", "offerId", "planId", "saasSubscriptionStatus"];
    let names: Vec<String> = full().as_object().expect("an object").keys().cloned().collect();
    for name in names.iter().filter(|name| !key.contains(&name.as_str())) {
        assert_eq!(subscription(&without(name)).id.to_string(), ID, "{name} is missing");
        for nonsense in [json!(null), json!(7.5), json!({"a": []}), json!([[1]]), json!("?")] {
            let body = with(json!({ name: nonsense }));
            assert_eq!(subscription(&body).plan_id, "silver", "{name}: {nonsense}");
        }
    }
}

#[test]
fn t_8_dates_may_be_missing_unset_or_in_any_form_of_f_gen_12() {
    // F-OBJ-6: before the activation the term holds its unit alone.
    let pending = with(json!({
        "saasSubscriptionStatus": "PendingFulfillmentStart", "term": { "termUnit": "P1M" },
    }));
    let term = subscription(&pending).term;
    assert_eq!((term.start_date, term.end_date), (None, None));
    for (sent, expected) in [
        (json!("2019-05-31"), Some("2019-05-31T00:00:00Z")),
        (json!("2019-05-31T00:00:00"), Some("2019-05-31T00:00:00Z")),
        (json!("2019-05-31T01:02:03.1234567Z"), Some("2019-05-31T01:02:03.1234567Z")),
        (json!("0001-01-01T00:00:00"), None),
        (json!(""), None),
        (json!(null), None),
    ] {
        let body = with(json!({ "term": { "termUnit": "P1M", "startDate": sent } }));
        assert_eq!(subscription(&body).term.start_date, expected.map(time), "{sent}");
    }
}

#[test]
fn t_8_words_are_trimmed_case_insensitive_and_may_be_unknown() {
    for (sent, expected) in [
        (" PendingFulfillmentStart ", Status::PendingFulfillmentStart),
        ("subscribed", Status::Subscribed),
        ("SUSPENDED", Status::Suspended),
        ("Unsubscribed", Status::Unsubscribed),
        // Listed and never seen (F-OBJ-3).
        ("NotStarted", Status::Other("NotStarted".into())),
    ] {
        let body = with(json!({ "saasSubscriptionStatus": sent }));
        assert_eq!(read(&body).status(), Some(&expected), "{sent}");
    }
    // F-OBJ-7: an open string.
    for unit in ["P1M", "P5Y", "P18M", "PAY"] {
        let body = with(json!({ "term": { "termUnit": unit } }));
        assert_eq!(subscription(&body).term.term_unit.as_deref(), Some(unit));
    }
    let padded =
        with(json!({ "planId": " silver ", "beneficiary": { "emailId": " a@b.example" } }));
    assert_eq!(subscription(&padded).plan_id, "silver");
    assert_eq!(subscription(&padded).beneficiary.email_id.as_deref(), Some("a@b.example"));
}

#[test]
fn t_8_people_may_be_null_empty_or_misspelt_as_f_obj_4_says() {
    let body = with(json!({
        "beneficiary": { "emailId": "", "objectId": null, "tenantId": null, "puid": null },
        "purchaser": null,
    }));
    let read = subscription(&body);
    assert_eq!(read.beneficiary, crate::domain::Party::default());
    assert_eq!(read.purchaser, crate::domain::Party::default());
    let misspelt = with(json!({ "beneficiary": { "pid": "1003" } }));
    assert_eq!(subscription(&misspelt).beneficiary.puid.as_deref(), Some("1003"));
    let one_is_no_guid = with(json!({ "beneficiary": { "objectId": "live#1", "puid": "1003" } }));
    let beneficiary = subscription(&one_is_no_guid).beneficiary;
    assert_eq!((beneficiary.object_id, beneficiary.puid.as_deref()), (None, Some("1003")));
}

#[test]
fn the_old_name_of_the_status_is_read_and_the_new_one_wins() {
    // F-GEN-10: a member that Microsoft adds must not make the others unreadable.
    let both = with(json!({ "status": "Suspended" }));
    assert_eq!(read(&both).status(), Some(&Status::Subscribed), "the current name counts");
    assert_eq!(subscription(&both).saas_subscription_status, Status::Subscribed);
    let mut old = without("saasSubscriptionStatus");
    old["status"] = json!("Suspended");
    assert_eq!(read(&old).status(), Some(&Status::Suspended));
    assert_eq!(subscription(&old).saas_subscription_status, Status::Suspended);
}

#[test]
fn t_13_allowed_customer_operations_are_read_in_any_order() {
    let may = |operations: Value| {
        let read = subscription(&with(json!({ "allowedCustomerOperations": operations })));
        [CustomerOperation::Read, CustomerOperation::Update, CustomerOperation::Delete]
            .map(|operation| read.allows(&operation))
    };
    assert_eq!(may(json!(["Delete", "Update", "Read"])), [true; 3]);
    assert_eq!(may(json!([" read ", "DELETE", "update"])), [true; 3]);
    assert_eq!(may(json!(["Read"])), [true, false, false], "a reseller's purchase (F-OBJ-11)");
    assert_eq!(may(json!([])), [false; 3]);
    assert_eq!(may(json!(null)), [true; 3], "Microsoft itself refuses a forbidden change");
}

#[test]
fn resolve_is_read_in_the_full_and_in_the_short_form() {
    // F-RES-5.
    let full_form = json!({
        "id": ID, "subscriptionName": "Contoso production", "offerId": "offer-1-preview",
        "planId": "silver", "quantity": 10, "subscription": full(),
    });
    let read = resolved(full_form.to_string().as_bytes()).expect("an answer");
    assert_eq!(read.id().map(|id| id.to_string()).as_deref(), Some(ID));
    assert_eq!(read.status(), Some(&Status::Subscribed));
    assert_eq!(read.quantity, Some(10));

    // F-RES-6: no subscription inside, and no quantity on flat-rate plans.
    let short = json!({ "id": ID, "subscriptionName": "Contoso", "offerId": "o", "planId": "p" });
    let read = resolved(short.to_string().as_bytes()).expect("an answer");
    assert_eq!(read.status(), None);
    assert_eq!(read.name.as_deref(), Some("Contoso"));
    assert_eq!((read.offer_id.as_deref(), read.plan_id.as_deref()), (Some("o"), Some("p")));
    assert_eq!(read.quantity, None);
    let null = json!({ "id": ID, "quantity": "", "subscription": null });
    assert!(resolved(null.to_string().as_bytes()).is_some());
    assert!(resolved(b"").is_none() && resolved(b"<html>").is_none());
}

fn page(body: Value) -> SubscriptionPage {
    SubscriptionPage::parse(body.to_string().as_bytes()).expect("a page")
}

#[test]
fn every_answer_is_read_with_a_byte_order_mark_and_with_a_member_that_is_there_twice() {
    // F-GEN-14.
    let marked = |body: &str| format!("\u{feff}{body}").into_bytes();
    let twice = |name: &str, value: &str| {
        marked(&format!(r#"{{"{name}":null,"id":"{ID}","{name}":{value}}}"#))
    };
    let page = SubscriptionPage::parse(&twice("subscriptions", "[{}]")).expect("a page");
    assert_eq!(page.subscriptions.len(), 1);
    assert!(SubscriptionPage::parse(&marked("")).expect("an empty list").subscriptions.is_empty());
    let read = resolved(&twice("planId", "\"silver\"")).expect("a purchase");
    assert_eq!(read.plan_id.as_deref(), Some("silver"));
    let read: Observation = object(&twice("planId", "\"silver\"")).expect("a subscription");
    assert_eq!(read.plan_id.as_deref(), Some("silver"));
    let read = operation(&twice("planId", "\"silver\"")).expect("an operation");
    assert_eq!(read.plan_id.as_deref(), Some("silver"));
    assert_eq!(operations(&twice("operations", "[{}]")).expect("a list").len(), 1);
    let read: PlanPage = parse_or_empty(&twice("plans", "[{}]")).expect("plans");
    assert_eq!(read.plans.expect("plans").len(), 1);
}

#[test]
fn an_array_is_never_read_as_an_object() {
    let list = json!([ID, "fabrikam", "offer-1"]);
    assert!(
        SubscriptionPage::parse(json!([[full()], "?continuationToken=a"]).to_string().as_bytes())
            .is_none()
    );
    let page = page(json!({ "subscriptions": [list, full()] }));
    assert_eq!((page.subscriptions.len(), page.unreadable), (1, 1));
    assert!(resolved(list.to_string().as_bytes()).is_none());
    assert!(operation(list.to_string().as_bytes()).is_none());
    assert!(operations(json!([[ID]]).to_string().as_bytes()).is_none());
    assert!(operations(json!([null]).to_string().as_bytes()).is_none());
    assert!(parse_or_empty::<PlanPage>(b"[[{}]]").is_none());
    let people = subscription(&with(json!({ "beneficiary": ["a@b.example", null, ID] })));
    assert_eq!(people.beneficiary, crate::domain::Party::default());
    assert_eq!(subscription(&with(json!({ "term": ["P1M"] }))).term.term_unit, None);
}

#[test]
fn a_member_sent_under_both_names_leaves_the_others_readable() {
    let tenant = "6a1d1e2e-8a59-4d5c-9e0b-6b0e7a1c9f3d";
    let twice = json!({ "tenantId": tenant, "puid": "1003", "pid": "1004" });
    let beneficiary = subscription(&with(json!({ "beneficiary": twice }))).beneficiary;
    assert_eq!(beneficiary.tenant_id.map(|id| id.to_string()).as_deref(), Some(tenant));
    assert_eq!(beneficiary.puid.as_deref(), Some("1003"));
}

#[test]
fn an_unreadable_subscription_in_resolve_leaves_the_rest_readable() {
    for embedded in [json!("later"), json!([]), json!(7), json!(null)] {
        let body = json!({ "id": ID, "planId": "silver", "subscription": embedded }).to_string();
        let read = resolved(body.as_bytes()).expect("a purchase");
        assert_eq!(read.id().map(|id| id.to_string()).as_deref(), Some(ID), "{body}");
        assert_eq!(read.status(), None, "Get Subscription returns the rest (F-RES-6)");
    }
}
