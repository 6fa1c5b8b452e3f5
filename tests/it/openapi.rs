//! The description of the publisher's own API: it describes every answer, with all its members.

mod closed;
mod complete;
mod declines;
mod description;
mod doctor;
mod erasures;
mod notes;
mod offers;
mod receivers;
mod reconciliations;

use std::collections::BTreeSet;
use std::time::Duration;

use emulator::{Call, ErrorForm, FaultKind, Purchase, Times};
use http::Method;
use local::Options;
use serde_json::json;
use uuid::Uuid;

use crate::test_env::TestEnv;
use complete::{COMPLETE, annotate_complete, store_complete};
use description::{Caller, Description};

const BATCH: (&str, &str) = ("accept", "application/cloudevents-batch+json");

#[tokio::test]
async fn every_answer_is_described_and_every_described_member_is_shown() {
    let options = Options::default()
        .with("DELIVERY_ENDPOINT", "http://127.0.0.1:9/events")
        .with("DELIVERY_SIGNING_KEY", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
        .with(
            "DELIVERY_ENDPOINTS",
            r#"[{"name":"crm","url":"http://127.0.0.1:9/crm","offers":["flat"],
                "eventTypes":["saas-fulfillment.subscription.renewed.v1"]}]"#,
        )
        .with("DELIVERY_SIGNING_KEYS", r#"{"crm":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}"#);
    let env = TestEnv::with(options).await;
    let mut caller = Caller::new(&env).await;
    let nobody = Uuid::from_u128(0xabc);
    let seats = env.active(Purchase::per_seat("basic", 10)).await;
    let flat = env.active(Purchase::flat_rate("silver")).await;
    let pending = env.purchase(Purchase::flat_rate("silver"));
    env.visit(pending).await;
    store_complete(&env).await;
    annotate_complete(&env).await;
    let complete = format!("/subscriptions/{COMPLETE}");
    let one = format!("/subscriptions/{seats}");

    for path in [
        "/subscriptions",
        "/subscriptions?status=Subscribed&offer=per-seat-1",
        "/subscriptions?sort=termEnd",
        "/subscriptions?delivery=waiting&test=false",
        "/subscriptions?sort=name",
        "/subscriptions?search=contoso&limit=2",
        "/subscriptions/openapi.json?colour=blue",
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
        (r#"{"reference":"C-1","metadata":{"a":"1"}}"#, vec![]),
        (r#"{"reference":null,"metadata":null}"#, vec![("if-match", "\"999\"")]),
        (r#"{"reference":" "}"#, vec![]),
        (r#"{"planId":"silver"}"#, vec![]),
        (r#"{"quantity":11}"#, vec![("if-match", "\"999\"")]),
        (r#"{"quantity":11}"#, vec![("idempotency-key", "a")]),
        (r#"{"quantity":11}"#, vec![("idempotency-key", "a")]),
        (r#"{"quantity":12}"#, vec![("idempotency-key", "a")]),
        (r#"{"quantity":12}"#, vec![]),
    ] {
        caller.call(Method::PATCH, &one, &headers, body).await;
    }
    for body in [r#"{"quantity":1}"#, r#"{"metadata":{"a":null}}"#] {
        caller.call(Method::PATCH, &format!("/subscriptions/{nobody}"), &[], body).await;
    }
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
    for path in [
        format!("{one}/deliveries"),
        format!("/subscriptions/{nobody}/deliveries"),
        format!("{one}/deliveries?unknown=1"),
        format!("{complete}/attempts?limit=1"),
        format!("/subscriptions/{nobody}/attempts"),
        format!("{one}/attempts?limit=0"),
        "/deliveries?state=waiting".to_owned(),
        "/deliveries".to_owned(),
    ] {
        caller.get(&path).await;
    }
    for body in [r#"{"since":"2026-01-01T00:00:00Z"}"#, "{}"] {
        caller.post("/deliveries/recover", body).await;
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

    declines::call(&mut caller, slow).await;
    reconciliations::call(&mut caller).await;
    receivers::call(&mut caller).await;
    offers::call(&mut caller).await;

    let without_receivers = TestEnv::new().await;
    doctor::call(&mut caller, &without_receivers).await;
    erasures::call(&mut caller).await;
    notes::call(&mut caller).await;

    let unanswered = caller.description.unanswered();
    let unanswered: Vec<_> =
        unanswered.iter().filter(|(_, status)| !matches!(status, 500 | 503)).collect();
    assert!(unanswered.is_empty(), "described and never answered: {unanswered:?}");
    // A gateway alone says the first one; Microsoft sends the other only if asked for one plan (F-PLN-4).
    assert_eq!(caller.description.never_shown(), ["host", "sourceOffers"]);
}

#[tokio::test]
async fn an_answer_with_an_unnamed_member_is_refused_here_and_allowed_by_the_published_schema() {
    let env = TestEnv::new().await;
    store_complete(&env).await;
    annotate_complete(&env).await;
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
            (Method::POST, format!("{one}/decline"), r#"{"reason":"no"}"#),
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
            (method.strip_prefix("Method: "), path.strip_prefix("Path: "))
            && [
                "/subscriptions",
                "/deliveries",
                "/doctor",
                "/offers",
                "/receivers",
                "/reconciliations",
            ]
            .iter()
            .any(|prefix| path.starts_with(prefix))
        {
            deployed.insert((method.to_ascii_lowercase(), path.to_owned()));
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
