//! The publisher's own API: looking at Microsoft's copy now, history in the form in which the product
//! is told, and telling it again.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use emulator::{Call, ErrorForm, FaultKind, Purchase, Times};
use http::{HeaderMap, StatusCode};
use local::Options;
use local::receiver::{Receiver, SenderClock};
use serde_json::{Value, json};
use shared::domain::Event;
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::scene::{Answer, Scene, is_problem};

async fn post(scene: &Scene, id: Uuid, what: &str, body: &str) -> Answer {
    let url = scene.url(&format!("/subscriptions/{id}/{what}"));
    scene.send(scene.http.post(url).body(body.to_owned())).await
}

#[tokio::test]
async fn an_observation_adopts_what_microsoft_says_now() {
    // F-GET-3, F-LC-12.
    let scene = Scene::new().await;
    let id = scene.active(Purchase::flat_rate("silver")).await;
    scene.world(|world| {
        world.suspend(id).expect("a suspension");
        world.lose_deliveries();
    });
    let answer = post(&scene, id, "observe", "").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!(answer.json()["subscription"]["saasSubscriptionStatus"], "Suspended");
    let record = scene.record(id).await.expect("a record");
    assert_eq!(record.status().as_str(), "Suspended");
    assert_eq!(answer.headers["etag"], format!("\"{}\"", record.version));
    assert_eq!(scene.event_names(id).await, ["Purchased", "Activated", "Suspended"]);
    // Once more, there is nothing to adopt.
    let again = post(&scene, id, "observe", "").await;
    assert_eq!(again.body, answer.body);
}

#[tokio::test]
async fn an_observation_makes_the_record_of_a_purchase_that_nobody_reported() {
    let scene = Scene::new().await;
    let id = scene.purchase(Purchase::flat_rate("silver"));
    let answer = post(&scene, id, "observe", "").await;
    assert_eq!(answer.json()["version"], 1, "{}", answer.body);
    assert_eq!(scene.event_names(id).await, ["Purchased"]);
    let nobody = post(&scene, Uuid::from_u128(0xabc), "observe", "").await;
    is_problem(&nobody, StatusCode::NOT_FOUND, "unknown_to_microsoft");
    scene.fault(Call::GetSubscription, FaultKind::Status(500, ErrorForm::Html), Times::Always);
    let down = post(&scene, id, "observe", "").await;
    is_problem(&down, StatusCode::SERVICE_UNAVAILABLE, "unavailable");
}

const BATCH: &str = "application/cloudevents-batch+json";

async fn history(scene: &Scene, path: &str, accept: &str) -> Answer {
    scene.send(scene.http.get(scene.url(path)).header("accept", accept)).await
}

/// A stage whose product takes what it is told.
async fn with_product() -> (Scene, Receiver) {
    let product = Receiver::start(SenderClock::Emulated).await.expect("the product starts");
    let options = Options::default()
        .with("DELIVERY_ENDPOINT", product.url())
        .with("DELIVERY_SIGNING_KEY", product.key())
        .with("DELIVERY_SOURCE", "urn:example:marketplace");
    (Scene::with(options).await, product)
}

#[tokio::test]
async fn a_product_that_was_away_reads_the_events_as_it_is_told_them() {
    let (scene, product) = with_product().await;
    let id = scene.active(Purchase::per_seat("basic", 7)).await;
    scene.world(|world| world.change_quantity(id, 9)).expect("a change");
    scene.deliver_statuses().await;
    scene.stage.tell().await.expect("the product is told");
    let told = product.events();
    assert_eq!(told.len(), 3);
    let path = format!("/subscriptions/{id}/events");
    for accept in [BATCH, "application/json;q=0.5, Application/CloudEvents-Batch+JSON;q=0.9"] {
        let read = history(&scene, &path, accept).await;
        assert_eq!(read.headers["content-type"], BATCH);
        assert_eq!(read.json(), Value::Array(told.clone()), "to the letter");
    }
    let after = told[0]["data"]["version"].as_u64().expect("a version");
    let rest = history(&scene, &format!("{path}?after={after}"), BATCH).await;
    assert_eq!(rest.json(), Value::Array(told[1..].to_vec()));
    let nothing = history(&scene, &format!("{path}?after={}", u64::MAX), BATCH).await;
    assert_eq!(nothing.json(), json!([]));
    let nobody = format!("/subscriptions/{}/events", Uuid::from_u128(0xabc));
    let nobody = history(&scene, &nobody, BATCH).await;
    is_problem(&nobody, StatusCode::NOT_FOUND, "unknown_subscription");
    for accept in ["*/*", "application/json", "application/*", ""] {
        let read = history(&scene, &path, accept).await;
        assert_eq!(read.headers["content-type"], "application/json", "{accept}");
        assert_eq!(read.headers["vary"], "accept");
        assert_eq!(read.json()["events"].as_array().map(Vec::len), Some(3));
    }
}

#[tokio::test]
async fn the_next_page_of_a_batch_is_linked_to() {
    let scene = Scene::new().await;
    let id = scene.active(Purchase::per_seat("basic", 1)).await;
    for seats in 2..=205 {
        scene.world(|world| world.change_quantity(id, 1 + seats % 90)).expect("a change");
        scene.deliver_statuses().await;
        scene.advance(Duration::from_secs(120));
    }
    let all =
        scene.stage.store.events(shared::domain::SubscriptionId(id), 0).await.expect("a page");
    assert!(all.next.is_some(), "there is more than a page");
    let (mut ids, mut path) = (Vec::new(), format!("/subscriptions/{id}/events"));
    loop {
        let page = history(&scene, &path, BATCH).await;
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

/// A product that takes down the id of whatever it is sent, as often as it is sent.
async fn with_listener() -> (Scene, Arc<Mutex<Vec<String>>>) {
    let taken = Arc::new(Mutex::new(Vec::new()));
    let take = |State(taken): State<Arc<Mutex<Vec<String>>>>, headers: HeaderMap| async move {
        let id = headers["webhook-id"].to_str().expect("text").to_owned();
        taken.lock().expect("nobody panics").push(id);
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let router = Router::new().fallback(take).with_state(taken.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let options = Options::default()
        .with("DELIVERY_ENDPOINT", &url)
        .with("DELIVERY_SIGNING_KEY", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    (Scene::with(options).await, taken)
}

#[tokio::test]
async fn events_are_told_again_from_a_version_on() {
    let (scene, taken) = with_listener().await;
    let taken = || taken.lock().expect("nobody panics").clone();
    let id = scene.active(Purchase::per_seat("basic", 7)).await;
    scene.world(|world| world.change_quantity(id, 9)).expect("a change");
    scene.deliver_statuses().await;
    scene.stage.tell().await.expect("the product is told");
    let events = scene.events(id).await;
    let told = taken();
    assert_eq!(told, events.iter().map(Event::id).collect::<Vec<_>>());

    let version = events[1].version;
    let body = json!({ "fromVersion": version }).to_string();
    let answer = post(&scene, id, "redeliver", &body).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.body);
    assert_eq!(answer.json(), json!({ "targets": ["endpoint"], "fromVersion": version }));
    scene.stage.sweep().await.expect("a sweep");
    assert_eq!(taken()[3..], told[1..], "the same events, with the ids they had");
    // From where it stopped: nothing was left.
    for body in ["", "{}", " ", r#"{"fromVersion":null}"#] {
        let answer = post(&scene, id, "redeliver", body).await;
        assert_eq!(answer.json(), json!({ "targets": ["endpoint"], "fromVersion": null }));
    }
    scene.stage.sweep().await.expect("a sweep");
    assert_eq!(taken().len(), 5);
}

#[tokio::test]
async fn what_can_not_be_told_again_is_refused() {
    let (scene, _product) = with_product().await;
    let id = scene.active(Purchase::flat_rate("silver")).await;
    for body in ["[]", "x", r#"{"from":1}"#, r#"{"fromVersion":0}"#, r#"{"fromVersion":-1}"#] {
        let answer = post(&scene, id, "redeliver", body).await;
        is_problem(&answer, StatusCode::BAD_REQUEST, "malformed_request");
    }
    let beyond = post(&scene, id, "redeliver", r#"{"fromVersion":99}"#).await;
    is_problem(&beyond, StatusCode::CONFLICT, "unknown_version");
    let nobody = post(&scene, Uuid::from_u128(0xabc), "redeliver", "").await;
    is_problem(&nobody, StatusCode::NOT_FOUND, "unknown_subscription");

    let alone = Scene::new().await;
    let id = alone.active(Purchase::flat_rate("silver")).await;
    is_problem(&post(&alone, id, "redeliver", "").await, StatusCode::CONFLICT, "nobody_to_tell");
}
