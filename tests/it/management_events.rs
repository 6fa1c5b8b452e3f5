//! The management API: observing Microsoft's copy, the history in the form of delivered events, and
//! redeliveries.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use emulator::{Call, ErrorForm, FaultKind, Purchase, Times};
use http::{HeaderMap, StatusCode};
use local::Options;
use local::receiver::Receiver;
use serde_json::{Value, json};
use shared::domain::Event;
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::test_env::{Answer, TestEnv, is_problem};

async fn post(env: &TestEnv, id: Uuid, action: &str, body: &str) -> Answer {
    let url = env.url(&format!("/subscriptions/{id}/{action}"));
    env.send(env.http.post(url).body(body.to_owned())).await
}

#[tokio::test]
async fn observing_adopts_microsofts_current_state() {
    // F-GET-3, F-LC-12.
    let env = TestEnv::new().await;
    let id = env.active(Purchase::flat_rate("silver")).await;
    env.world(|world| {
        world.suspend(id).expect("a suspension");
        world.lose_deliveries();
    });
    let answer = post(&env, id, "observe", "").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!(answer.json()["subscription"]["saasSubscriptionStatus"], "Suspended");
    let record = env.record(id).await.expect("a record");
    assert_eq!(record.status().as_str(), "Suspended");
    assert_eq!(answer.headers["etag"], format!("\"{}\"", record.version));
    assert_eq!(env.event_names(id).await, ["Purchased", "Activated", "Suspended"]);
    // The second time there is nothing to adopt.
    let again = post(&env, id, "observe", "").await;
    assert_eq!(again.body, answer.body);
}

#[tokio::test]
async fn observing_creates_the_record_of_an_unreported_purchase() {
    let env = TestEnv::new().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    let answer = post(&env, id, "observe", "").await;
    assert_eq!(answer.json()["version"], 1, "{}", answer.body);
    assert_eq!(env.event_names(id).await, ["Purchased"]);
    let unknown = post(&env, Uuid::from_u128(0xabc), "observe", "").await;
    is_problem(&unknown, StatusCode::NOT_FOUND, "unknown_to_microsoft");
    env.fault(Call::GetSubscription, FaultKind::Status(500, ErrorForm::Html), Times::Always);
    let down = post(&env, id, "observe", "").await;
    is_problem(&down, StatusCode::SERVICE_UNAVAILABLE, "microsoft_unavailable");
}

const BATCH: &str = "application/cloudevents-batch+json";

async fn history(env: &TestEnv, path: &str, accept: &str) -> Answer {
    env.send(env.http.get(env.url(path)).header("accept", accept)).await
}

/// An environment whose product accepts every event.
async fn env_with_product() -> (TestEnv, Receiver) {
    let product = Receiver::start().await.expect("the product starts");
    let options = Options::default()
        .with("DELIVERY_ENDPOINT", product.url())
        .with("DELIVERY_SIGNING_KEY", product.key())
        .with("DELIVERY_SOURCE", "urn:example:marketplace");
    (TestEnv::with(options).await, product)
}

#[tokio::test]
async fn the_history_as_a_batch_equals_the_delivered_events() {
    let (env, product) = env_with_product().await;
    let id = env.active(Purchase::per_seat("basic", 7)).await;
    env.world(|world| world.change_quantity(id, 9)).expect("a change");
    env.deliver_statuses().await;
    env.system.deliver_events().await.expect("delivered");
    let delivered = product.events();
    assert_eq!(delivered.len(), 3);
    let path = format!("/subscriptions/{id}/events");
    for accept in [BATCH, "application/json;q=0.5, Application/CloudEvents-Batch+JSON;q=0.9"] {
        let read = history(&env, &path, accept).await;
        assert_eq!(read.headers["content-type"], BATCH);
        assert_eq!(read.json(), Value::Array(delivered.clone()), "the same text");
    }
    let after = delivered[0]["data"]["version"].as_u64().expect("a version");
    let rest = history(&env, &format!("{path}?after={after}"), BATCH).await;
    assert_eq!(rest.json(), Value::Array(delivered[1..].to_vec()));
    let nothing = history(&env, &format!("{path}?after={}", u64::MAX), BATCH).await;
    assert_eq!(nothing.json(), json!([]));
    let unknown = format!("/subscriptions/{}/events", Uuid::from_u128(0xabc));
    let unknown = history(&env, &unknown, BATCH).await;
    is_problem(&unknown, StatusCode::NOT_FOUND, "unknown_subscription");
    for accept in ["*/*", "application/json", "application/*", ""] {
        let read = history(&env, &path, accept).await;
        assert_eq!(read.headers["content-type"], "application/json", "{accept}");
        assert_eq!(read.headers["vary"], "accept");
        assert_eq!(read.json()["events"].as_array().map(Vec::len), Some(3));
    }
}

#[tokio::test]
async fn a_test_purchase_is_marked_in_record_events_and_api() {
    // F-OBJ-12
    let (env, product) = env_with_product().await;
    let preview = Purchase::flat_rate("silver").preview().auto_activated();
    for (purchase, mark) in [
        (Purchase::per_seat("basic", 7).test(), json!(true)),
        (preview, json!(true)),
        (Purchase::per_seat("basic", 7), Value::Null),
    ] {
        let id = env.purchase(purchase);
        env.visit(id).await;
        let record = env.get(&format!("/subscriptions/{id}")).await.json();
        assert_eq!(record["subscription"]["isTest"], mark);
        let stored = history(&env, &format!("/subscriptions/{id}/events"), "*/*").await.json();
        assert_eq!(stored["events"][0]["subscription"]["isTest"], mark, "{stored}");
        env.system.deliver_events().await.expect("delivered");
        let delivered = product.events().pop().expect("an event");
        assert_eq!(delivered["subject"], id.to_string());
        assert_eq!(delivered["data"]["after"]["isTest"], mark);
    }
    assert_eq!(product.complaints(), [""; 0]);
}

#[tokio::test]
async fn a_batch_links_to_its_next_page() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::per_seat("basic", 1)).await;
    for seats in 2..=205 {
        env.world(|world| world.change_quantity(id, 1 + seats % 90)).expect("a change");
        env.deliver_statuses().await;
        env.advance(Duration::from_secs(120));
    }
    let all = env.system.store.events(shared::domain::SubscriptionId(id), 0).await.expect("a page");
    assert!(all.next.is_some(), "more than one page");
    let (mut ids, mut path) = (Vec::new(), format!("/subscriptions/{id}/events"));
    loop {
        let page = history(&env, &path, BATCH).await;
        let events = page.json().as_array().expect("a batch").clone();
        ids.extend(events.iter().map(|event| event["id"].as_str().expect("an id").to_owned()));
        let Some(link) = page.headers.get("link") else { break };
        let link = link.to_str().expect("text");
        let next = link.strip_prefix('<').and_then(|rest| rest.strip_suffix(">; rel=\"next\""));
        path = next.expect("a link to the next page").to_owned();
    }
    assert_eq!(ids.len(), 206, "purchased, activated, and every change");
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
}

/// An environment whose product records the id of every delivery, repetitions included.
async fn env_with_listener() -> (TestEnv, Arc<Mutex<Vec<String>>>) {
    let received = Arc::new(Mutex::new(Vec::new()));
    let receive = |State(received): State<Arc<Mutex<Vec<String>>>>, headers: HeaderMap| async move {
        let id = headers["webhook-id"].to_str().expect("text").to_owned();
        received.lock().expect("unpoisoned").push(id);
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let router = Router::new().fallback(receive).with_state(received.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let options = Options::default()
        .with("DELIVERY_ENDPOINT", &url)
        .with("DELIVERY_SIGNING_KEY", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    (TestEnv::with(options).await, received)
}

#[tokio::test]
async fn a_redelivery_repeats_events_from_the_requested_version() {
    let (env, received) = env_with_listener().await;
    let received = || received.lock().expect("unpoisoned").clone();
    let id = env.active(Purchase::per_seat("basic", 7)).await;
    env.world(|world| world.change_quantity(id, 9)).expect("a change");
    env.deliver_statuses().await;
    env.system.deliver_events().await.expect("delivered");
    let events = env.events(id).await;
    let first = received();
    assert_eq!(first, events.iter().map(Event::id).collect::<Vec<_>>());

    let version = events[1].version;
    let body = json!({ "fromVersion": version }).to_string();
    let answer = post(&env, id, "redeliver", &body).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.body);
    assert_eq!(answer.json(), json!({ "targets": ["endpoint"], "fromVersion": version }));
    env.system.sweep().await.expect("a sweep");
    assert_eq!(received()[3..], first[1..], "the same events with their old ids");
    // Without a version, the redelivery starts where the delivery stopped: nothing is pending.
    for body in ["", "{}", " ", r#"{"fromVersion":null}"#] {
        let answer = post(&env, id, "redeliver", body).await;
        assert_eq!(answer.json(), json!({ "targets": ["endpoint"], "fromVersion": null }));
    }
    env.system.sweep().await.expect("a sweep");
    assert_eq!(received().len(), 5);
}

#[tokio::test]
async fn an_impossible_redelivery_is_refused() {
    let (env, _product) = env_with_product().await;
    let id = env.active(Purchase::flat_rate("silver")).await;
    for body in ["[]", "x", r#"{"from":1}"#, r#"{"fromVersion":0}"#, r#"{"fromVersion":-1}"#] {
        let answer = post(&env, id, "redeliver", body).await;
        is_problem(&answer, StatusCode::BAD_REQUEST, "malformed_request");
    }
    let beyond = post(&env, id, "redeliver", r#"{"fromVersion":99}"#).await;
    is_problem(&beyond, StatusCode::CONFLICT, "unknown_version");
    let unknown = post(&env, Uuid::from_u128(0xabc), "redeliver", "").await;
    is_problem(&unknown, StatusCode::NOT_FOUND, "unknown_subscription");

    let without_product = TestEnv::new().await;
    let id = without_product.active(Purchase::flat_rate("silver")).await;
    is_problem(
        &post(&without_product, id, "redeliver", "").await,
        StatusCode::CONFLICT,
        "nobody_to_tell",
    );
}
