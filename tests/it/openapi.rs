//! The description of the publisher's own API: it describes every answer, with all its members.

mod closed;
mod description;

use std::collections::BTreeSet;
use std::time::Duration;

use emulator::{Call, ErrorForm, FaultKind, Purchase, Times};
use http::Method;
use local::Options;
use serde_json::{Value, json};
use shared::domain::{NextVersion, SubscriptionId};
use shared::store::Commit;
use uuid::Uuid;

use crate::test_env::TestEnv;
use description::{Caller, Description};

const BATCH: (&str, &str) = ("accept", "application/cloudevents-batch+json");

/// A subscription whose record and events have every member there is.
const COMPLETE: Uuid = Uuid::from_u128(0xc0);

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
        "signUp": sign_up(),
        "superseded": [{ "at": noon, "held": {
            "status": "Subscribed", "planId": "silver", "quantity": null,
            "termStart": null, "termEnd": null,
        } }],
    })
}

fn decision() -> Value {
    json!({ "verdict": "reject", "by": "product", "reason": "not now" })
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
    ];
    let account = json!({ "tenantId": Uuid::from_u128(4), "objectId": Uuid::from_u128(3) });
    let requester = json!({ "by": "buyer", "account": account });
    let common = json!({
        "subscriptionId": COMPLETE, "version": 1,
        "cause": { "by": "webhook", "action": "ChangePlan", "operationId": Uuid::from_u128(2),
                   "source": "Azure", "requester": requester },
        "recordedAt": "2026-03-10T12:00:00.5Z", "before": complete_subscription(),
        "subscription": complete_subscription(), "signUp": sign_up(), "decision": decision(),
        "correlationId": Uuid::from_u128(5),
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

async fn store_complete(env: &TestEnv) {
    let read = |event| serde_json::from_value(event).expect("an event");
    let next = NextVersion {
        record: serde_json::from_value(complete_record()).expect("a record"),
        events: complete_events().into_iter().map(read).collect(),
    };
    let commit = Commit { next: Some(next), mark: None };
    env.system.store.commit(SubscriptionId(COMPLETE), &commit).await.expect("it is stored");
}

#[tokio::test]
async fn every_answer_is_described_and_every_described_member_is_shown() {
    let options = Options::default()
        .with("DELIVERY_ENDPOINT", "https://product.example/events")
        .with("DELIVERY_SIGNING_KEY", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    let env = TestEnv::with(options).await;
    let mut caller = Caller::new(&env).await;
    let nobody = Uuid::from_u128(0xabc);
    let seats = env.active(Purchase::per_seat("basic", 10)).await;
    let flat = env.active(Purchase::flat_rate("silver")).await;
    let pending = env.purchase(Purchase::flat_rate("silver"));
    env.visit(pending).await;
    store_complete(&env).await;
    let complete = format!("/subscriptions/{COMPLETE}");
    let one = format!("/subscriptions/{seats}");

    for path in [
        "/subscriptions",
        "/subscriptions?status=Subscribed&offer=per-seat-1",
        "/subscriptions?sort=termEnd",
        "/subscriptions?sort=name",
        "/subscriptions?next=x",
        "/subscriptions/openapi.json",
        &one,
        &format!("/subscriptions/{flat}"),
        &format!("/subscriptions/{pending}"),
        &complete,
        &format!("{complete}/events"),
        &format!("/subscriptions/{nobody}"),
        "/subscriptions/x",
        &format!("{one}/events"),
        &format!("{one}/events?after=1"),
        &format!("{one}/events?after=x"),
        &format!("/subscriptions/{nobody}/events"),
        &format!("{one}/plans"),
        &format!("/subscriptions/{flat}/plans"),
        &format!("/subscriptions/{nobody}/plans"),
        "/subscriptions/x/plans",
        &format!("{one}/operations"),
        "/subscriptions/x/operations",
        &format!("{one}/operations/{nobody}"),
        &format!("{one}/operations/%20"),
    ] {
        caller.get(path).await;
    }
    for id in [&one, &complete] {
        caller.call(Method::GET, &format!("{id}/events"), &[BATCH], "").await;
    }

    for (body, headers) in [
        ("{}", vec![]),
        (r#"{"quantity":10}"#, vec![]),
        (r#"{"quantity":101}"#, vec![]),
        (r#"{"planId":"silver"}"#, vec![]),
        (r#"{"quantity":11}"#, vec![("if-match", "\"999\"")]),
        (r#"{"quantity":11}"#, vec![("idempotency-key", "a")]),
        (r#"{"quantity":11}"#, vec![("idempotency-key", "a")]),
        (r#"{"quantity":12}"#, vec![("idempotency-key", "a")]),
        (r#"{"quantity":12}"#, vec![]),
    ] {
        caller.call(Method::PATCH, &one, &headers, body).await;
    }
    caller.call(Method::PATCH, &format!("/subscriptions/{nobody}"), &[], r#"{"quantity":1}"#).await;
    let operation = env.world(|world| *world.operations(seats).last().expect("an operation"));
    caller.get(&format!("{one}/operations/{operation}")).await;
    caller.get(&format!("{one}/operations")).await;
    caller.get(&one).await;
    env.deliver_statuses().await;
    caller.get(&format!("{one}/operations/{operation}")).await;

    for (id, status) in [(seats, 200), (nobody, 404)] {
        let observe = format!("/subscriptions/{id}/observe");
        let answer = caller.post(&observe, "").await;
        assert_eq!(answer.status, status);
        let redeliver = format!("/subscriptions/{id}/redeliver");
        for body in ["", r#"{"fromVersion":1}"#, r#"{"fromVersion":99}"#, "[]"] {
            caller.post(&redeliver, body).await;
        }
    }
    caller.post("/subscriptions/x/observe", "").await;
    env.fault(Call::GetSubscription, FaultKind::Status(400, ErrorForm::Nested), Times::Once);
    caller.post(&format!("{one}/observe"), "").await;
    env.fault(Call::ListOperations, FaultKind::Status(400, ErrorForm::Nested), Times::Once);
    caller.get(&format!("{one}/operations")).await;
    env.fault(Call::ListOperations, FaultKind::Status(404, ErrorForm::Nested), Times::Once);
    caller.get(&format!("{one}/operations")).await;
    env.fault(Call::GetOperation, FaultKind::Status(409, ErrorForm::Nested), Times::Once);
    caller.get(&format!("{one}/operations/{operation}")).await;

    for (id, headers) in [
        (seats, vec![("if-match", "\"999\"")]),
        (seats, vec![("if-match", "x")]),
        (seats, vec![("idempotency-key", "a")]),
        (nobody, vec![]),
    ] {
        caller.call(Method::DELETE, &format!("/subscriptions/{id}"), &headers, "").await;
    }
    for call in [Call::UpdateSubscription, Call::DeleteSubscription] {
        env.fault(call, FaultKind::LoseAnswer, Times::Once);
    }
    caller
        .call(Method::PATCH, &format!("/subscriptions/{flat}"), &[], r#"{"planId":"gold"}"#)
        .await;
    env.deliver_statuses().await;
    caller.call(Method::DELETE, &format!("/subscriptions/{flat}"), &[], "").await;
    env.deliver_statuses().await;
    caller.call(Method::DELETE, &one, &[], "").await;
    env.deliver_statuses().await;
    caller.call(Method::DELETE, &one, &[], "").await;
    caller.get(&format!("{one}/plans")).await;

    for (id, status) in
        [(pending.to_string(), 200), (seats.to_string(), 409), ("x".to_owned(), 400)]
    {
        let activate = format!("/subscriptions/{id}/activate");
        let answer = caller.post(&activate, "").await;
        assert_eq!(answer.status, status);
    }
    caller.post(&format!("/subscriptions/{nobody}/activate"), "").await;

    env.world(|world| {
        world.settings_mut().behaviour.activation_delay = Duration::from_secs(300);
    });
    let slow = env.purchase(Purchase::flat_rate("silver"));
    let answer = caller.post(&format!("/subscriptions/{slow}/activate"), "").await;
    assert_eq!(answer.status, 202);

    let unanswered = caller.description.unanswered();
    let unanswered: Vec<_> =
        unanswered.iter().filter(|(_, status)| !matches!(status, 500 | 503)).collect();
    assert!(unanswered.is_empty(), "described and never answered: {unanswered:?}");
    // Microsoft sends it only if asked for one plan (F-PLN-4).
    assert_eq!(caller.description.never_shown(), ["sourceOffers"]);
}

#[tokio::test]
async fn an_answer_with_an_unnamed_member_is_refused_here_and_allowed_by_the_published_schema() {
    let env = TestEnv::new().await;
    store_complete(&env).await;
    let description = Description::of(&env).await;
    let complete = format!("/subscriptions/{COMPLETE}");
    let record = env.get(&complete).await.json();
    let events = env.get(&format!("{complete}/events")).await.json()["events"].clone();
    let request = env.http.get(env.url(&format!("{complete}/events"))).header(BATCH.0, BATCH.1);
    let batch = env.send(request).await.json();
    let problem = env.get("/subscriptions/x").await.json();
    for (name, body, places) in [
        (
            "Record",
            &record,
            &[
                "",
                "/subscription",
                "/subscription/term",
                "/subscription/beneficiary",
                "/activation",
                "/pendingOperation",
                "/pendingOperation/decision",
                "/bound",
                "/signUp",
            ][..],
        ),
        ("Event", &events[0], &["", "/cause", "/before", "/subscription", "/signUp", "/decision"]),
        ("Event", &events[3], &["/change"]),
        ("CloudEvent", &batch[0], &["", "/data", "/data/cause", "/data/tracking", "/data/after"]),
        ("CloudEvent", &batch[0], &["/data/before", "/data/signUp", "/data/decision"]),
        ("CloudEvent", &batch[3], &["/data/change"]),
        ("Problem", &problem, &[""]),
    ] {
        let schema = json!({ "$ref": format!("#/components/schemas/{name}") });
        assert_eq!(description.complaints(&schema, body), [""; 0], "{body}");
        for place in places {
            let mut more = body.clone();
            more.pointer_mut(place).expect("a place")["unnamed"] = json!(1);
            let complaints = description.complaints(&schema, &more);
            assert!(complaints.iter().any(|text| text.contains("unnamed")), "{name}{place}");
            assert_eq!(description.published_complaints(&schema, &more), [""; 0], "{name}{place}");
        }
    }
}

#[tokio::test]
async fn an_outage_and_a_fault_of_the_settings_are_described_for_every_call_that_can_meet_one() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::per_seat("basic", 10)).await;
    let mut caller = Caller::new(&env).await;
    let one = format!("/subscriptions/{id}");
    for (fault, expected) in [(500, 503), (403, 500)] {
        env.fault(Call::Any, FaultKind::Status(fault, ErrorForm::Html), Times::Always);
        for (method, path, body) in [
            (Method::GET, format!("{one}/plans"), ""),
            (Method::GET, format!("{one}/operations"), ""),
            (Method::GET, format!("{one}/operations/{id}"), ""),
            (Method::PATCH, one.clone(), r#"{"quantity":11}"#),
            (Method::DELETE, one.clone(), ""),
            (Method::POST, format!("{one}/observe"), ""),
            (Method::POST, format!("{one}/activate"), ""),
        ] {
            let answer = caller.call(method, &path, &[], body).await;
            assert_eq!(answer.status, expected, "{path}");
        }
        env.world(|world| world.faults_mut().clear());
    }
}

#[tokio::test]
async fn the_description_lists_exactly_the_deployed_routes() {
    let env = TestEnv::new().await;
    let document = Description::of(&env).await.document;
    let template = include_str!("../../template.yaml");
    let mut deployed = BTreeSet::new();
    let lines: Vec<_> = template.lines().map(str::trim).collect();
    for pair in lines.windows(2) {
        let [method, path] = pair else { continue };
        if let (Some(method), Some(path)) =
            (method.strip_prefix("Method: "), path.strip_prefix("Path: /subscriptions"))
        {
            deployed.insert((method.to_ascii_lowercase(), format!("/subscriptions{path}")));
        }
    }
    let mut named = BTreeSet::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for method in item.as_object().expect("an item").keys().filter(|key| *key != "parameters") {
            named.insert((method.clone(), path.clone()));
        }
    }
    assert_eq!(named, deployed);
    assert_eq!(document["openapi"], "3.1.0");
    // Every reference leads somewhere.
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"").skip(1) {
        let reference = reference.split('"').next().expect("an end");
        let pointer = reference.strip_prefix('#').expect("a place in the document itself");
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
    assert_eq!(
        document["paths"]["/subscriptions"]["get"]["parameters"][0]["name"],
        json!("status")
    );
}
