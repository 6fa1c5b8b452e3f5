//! A subscription about which everything is known that can be.

use serde_json::{Value, json};
use shared::domain::{NextVersion, SubscriptionId};
use shared::store::{Attempt, Attempts as _, Commit};
use uuid::Uuid;

use crate::test_env::{TestEnv, table};

/// A subscription whose record and events have every member there is.
pub(super) const COMPLETE: Uuid = Uuid::from_u128(0xc0);

fn complete_subscription() -> Value {
    let party = json!({
        "emailId": "a@contoso.example", "objectId": Uuid::from_u128(3),
        "tenantId": Uuid::from_u128(4), "puid": "1003",
    });
    json!({
        "id": COMPLETE, "publisherId": "fabrikam", "offerId": "offer", "name": "Contoso",
        "saasSubscriptionStatus": "Subscribed", "planId": "gold", "quantity": 10,
        "term": { "termUnit": "P1Y", "startDate": "2026-03-04T00:00:00Z",
                  "endDate": "2027-03-04T00:00:00Z", "chargeDuration": "P1M" },
        "beneficiary": party, "purchaser": party, "autoRenew": true, "isFreeTrial": false,
        "isTest": true,
        "allowedCustomerOperations": ["Read", "Update"], "created": "2026-03-01T22:59:45Z",
    })
}

/// As stored: with the members that the API doesn't show.
fn complete_record() -> Value {
    let noon = "2026-03-10T12:00:00Z";
    json!({
        "subscription": complete_subscription(), "version": 1, "updatedAt": noon,
        "changedAt": noon,
        "activation": { "state": "awaitsMicrosoft", "since": noon },
        "pendingOperation": {
            "id": Uuid::from_u128(2), "action": "ChangePlan", "since": noon,
            "decision": decision(),
        },
        "deadlineAnnounced": true,
        "bound": { "role": "purchaser", "rule": "tenantAndObject", "at": noon },
        "decision": { "verdict": "accept", "by": "publisher", "reason": "a known customer",
                      "principal": "arn:aws:x", "at": noon },
        "claim": claimed(),
        "signUp": sign_up(),
        "superseded": [{ "at": noon, "held": {
            "status": "Subscribed", "planId": "silver", "quantity": null,
            "termStart": null, "termEnd": null,
        } }],
    })
}

fn claimant() -> Value {
    let account = json!({ "tenantId": Uuid::from_u128(4), "objectId": Uuid::from_u128(3) });
    json!({ "account": account, "role": "beneficiary", "rule": "tenantAndObject",
            "at": "2026-03-10T12:00:00Z" })
}

fn claimed() -> Value {
    let mut claim = claimant();
    claim["state"] = json!("claimed");
    claim
}

fn decision() -> Value {
    json!({ "verdict": "reject", "by": "product", "reason": "not now", "principal": "arn:aws:x" })
}

fn sign_up() -> Value {
    json!({ "contactEmail": "a@contoso.example", "fields": { "company": "A" }, "language": "sv" })
}

fn complete_events() -> Vec<Value> {
    let kinds = [
        json!({ "type": "Activated", "cause": { "by": "activation", "principal": "arn:aws:x" } }),
        json!({ "type": "PlanChanged", "from": "silver", "to": "gold" }),
        json!({ "type": "QuantityChanged", "from": null, "to": 10 }),
        json!({ "type": "ChangeRejected",
                "change": { "of": "plan", "from": "gold", "to": "silver" } }),
        json!({ "type": "ChangeRejected", "change": { "of": "seats", "from": 10, "to": null } }),
        json!({ "type": "Claimed", "claimant": claimant() }),
        json!({ "type": "Imported", "announced": false }),
    ];
    let account = json!({ "tenantId": Uuid::from_u128(4), "objectId": Uuid::from_u128(3) });
    let requester = json!({ "by": "buyer", "account": account });
    let common = json!({
        "subscriptionId": COMPLETE, "version": 1,
        "cause": { "by": "webhook", "action": "ChangePlan", "operationId": Uuid::from_u128(2),
                   "source": "Azure", "requester": requester },
        "recordedAt": "2026-03-10T12:00:00.5Z", "before": complete_subscription(),
        "subscription": complete_subscription(), "signUp": sign_up(), "decision": decision(),
        "unclaimed": true, "correlationId": Uuid::from_u128(5),
    });
    let events = kinds.into_iter().enumerate().map(|(index, mut event)| {
        let members = event.as_object_mut().expect("an object");
        for (name, value) in common.as_object().expect("an object") {
            members.entry(name).or_insert_with(|| value.clone());
        }
        members.insert("index".to_owned(), json!(index));
        event
    });
    events.collect()
}

pub(super) async fn store_complete(env: &TestEnv) {
    let read = |event| serde_json::from_value(event).expect("an event");
    let record = serde_json::from_value(complete_record()).expect("a record");
    let next = NextVersion::of(record, complete_events().into_iter().map(read).collect());
    let commit = Commit { next: Some(next), mark: None };
    let id = SubscriptionId(COMPLETE);
    env.system.store.commit(id, &commit).await.expect("it is stored");
    let attempt = json!({
        "at": "2026-03-10T12:00:00Z", "receiver": "endpoint", "eventId": format!("{id}-1-0"),
        "eventType": "saas-fulfillment.subscription.activated.v1", "status": 503, "latencyMs": 118,
        "reason": "answered 503", "class": "product", "answer": "the queue is full",
    });
    let attempt: Attempt = serde_json::from_value(attempt).expect("an attempt");
    table(env).save_attempt(id, &attempt).await.expect("it is stored");
}

pub(super) async fn annotate_complete(env: &TestEnv) {
    let annotations = json!({ "reference": "C-4711", "metadata": { "seller": "A" } });
    assert_eq!(env.change(COMPLETE, &annotations).await.status, 200);
}
