//! The management API: how far the product has come, and everything that it missed sent again.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use emulator::Purchase;
use http::{HeaderMap, StatusCode};
use local::Options;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::test_env::{Answer, TestEnv, is_problem};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// A product that answers every event with the status it was told to, and keeps the ids it accepted.
#[derive(Default)]
struct Product {
    status: AtomicU16,
    accepted: Mutex<Vec<String>>,
}

impl Product {
    fn answers(&self, status: StatusCode) {
        self.status.store(status.as_u16(), Ordering::SeqCst);
    }

    fn take_accepted(&self) -> Vec<String> {
        std::mem::take(&mut self.accepted.lock().expect("unpoisoned"))
    }
}

async fn receive(State(product): State<Arc<Product>>, headers: HeaderMap) -> StatusCode {
    let status = StatusCode::from_u16(product.status.load(Ordering::SeqCst)).expect("a status");
    if status.is_success() {
        let id = headers["webhook-id"].to_str().expect("text").to_owned();
        product.accepted.lock().expect("unpoisoned").push(id);
    }
    status
}

/// A product that parks after a day.
async fn env() -> (TestEnv, Arc<Product>) {
    let product = Arc::new(Product::default());
    product.answers(StatusCode::NO_CONTENT);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let router = Router::new().fallback(receive).with_state(product.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let options = Options::default()
        .with("DELIVERY_ENDPOINT", &url)
        .with("DELIVERY_SIGNING_KEY", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
        .with("DELIVERY_PARK_AFTER_DAYS", "1");
    (TestEnv::with(options).await, product)
}

async fn told(env: &TestEnv) {
    env.system.deliver_events().await.expect("the stream is read");
    env.system.sweep().await.expect("a sweep");
}

/// Purchases that the product has not accepted for so long that they are parked.
async fn parked(env: &TestEnv, product: &Product, number: usize) -> Vec<Uuid> {
    product.answers(StatusCode::INTERNAL_SERVER_ERROR);
    let mut ids = Vec::new();
    for _ in 0..number {
        ids.push(env.active(Purchase::flat_rate("silver")).await);
    }
    told(env).await;
    env.advance(DAY + Duration::from_secs(60));
    told(env).await;
    ids
}

async fn deliveries(env: &TestEnv, path: &str) -> Vec<Value> {
    let answer = env.get(path).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    answer.json()["deliveries"].as_array().expect("a list").clone()
}

async fn recover(env: &TestEnv, body: &Value) -> Answer {
    let request = env.http.post(env.url("/deliveries/recover"));
    env.send(request.body(body.to_string())).await
}

/// Recovers page after page, and returns the number of pairs.
async fn recover_all(env: &TestEnv, mut body: Value) -> u64 {
    let mut recovered = 0;
    loop {
        let answer = recover(env, &body).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.body);
        let answer = answer.json();
        recovered += answer["recovered"].as_u64().expect("a number");
        body["next"] = answer["next"].clone();
        if body["next"].is_null() {
            return recovered;
        }
    }
}

#[tokio::test]
async fn a_delivery_waits_fails_is_parked_and_is_up_to_date_again() {
    let (env, product) = env().await;
    product.answers(StatusCode::INTERNAL_SERVER_ERROR);
    let id = env.active(Purchase::flat_rate("silver")).await;
    let path = format!("/subscriptions/{id}/deliveries");
    let purchased_at = env.events(id).await[0].recorded_at.to_string();

    let [new] = &deliveries(&env, &path).await[..] else { panic!("one receiver") };
    let expected = json!({
        "subscriptionId": id, "receiver": "endpoint", "state": "waiting", "deliveredVersion": 0,
        "waitingSince": purchased_at, "attempts": 0, "lastError": null, "nextAttemptAt": null,
    });
    assert_eq!(*new, expected);

    told(&env).await;
    let [failed] = &deliveries(&env, &path).await[..] else { panic!("one receiver") };
    assert_eq!((&failed["state"], &failed["attempts"]), (&json!("waiting"), &json!(1)));
    assert_eq!(failed["lastError"], "answered 500");
    assert!(failed["nextAttemptAt"].is_string(), "{failed}");

    env.advance(DAY + Duration::from_secs(60));
    told(&env).await;
    let [parked] = &deliveries(&env, &path).await[..] else { panic!("one receiver") };
    assert_eq!(
        (&parked["state"], &parked["waitingSince"]),
        (&json!("parked"), &json!(purchased_at))
    );
    assert!(parked["nextAttemptAt"].is_null(), "{parked}");

    product.answers(StatusCode::NO_CONTENT);
    assert_eq!(recover_all(&env, json!({ "state": "parked" })).await, 1);
    told(&env).await;
    let [done] = &deliveries(&env, &path).await[..] else { panic!("one receiver") };
    let version = env.events(id).await.last().expect("the activation").version;
    assert_eq!((&done["state"], &done["deliveredVersion"]), (&json!("upToDate"), &json!(version)));
    assert!(done["waitingSince"].is_null() && done["lastError"].is_null(), "{done}");

    let unknown = env.get(&format!("/subscriptions/{}/deliveries", Uuid::from_u128(0xabc))).await;
    is_problem(&unknown, StatusCode::NOT_FOUND, "unknown_subscription");
}

#[tokio::test]
async fn what_waits_and_what_is_parked_is_listed_apart() {
    let (env, product) = env().await;
    let parked: BTreeSet<_> = parked(&env, &product, 3).await.into_iter().collect();
    let waiting = env.active(Purchase::flat_rate("silver")).await;
    product.answers(StatusCode::NO_CONTENT);
    let ids = |listed: &[Value]| -> BTreeSet<Uuid> {
        let id =
            |it: &Value| it["subscriptionId"].as_str().expect("an id").parse().expect("a GUID");
        listed.iter().map(id).collect()
    };
    let listed = deliveries(&env, "/deliveries?state=parked").await;
    assert_eq!(ids(&listed), parked);
    assert!(listed.iter().all(|delivery| delivery["state"] == "parked"), "{listed:?}");
    let listed = deliveries(&env, "/deliveries?state=waiting").await;
    assert_eq!(ids(&listed), [waiting].into());
    told(&env).await;
    assert_eq!(deliveries(&env, "/deliveries?state=waiting").await, [Value::Null; 0]);
    for (query, expected) in [
        ("delivery=parked", parked.clone()),
        ("delivery=waiting", BTreeSet::new()),
        ("delivery=parked&offer=flat-rate-1&test=false", parked),
        ("delivery=parked&test=true", BTreeSet::new()),
        ("delivery=parked&status=Suspended", BTreeSet::new()),
    ] {
        let listed = env.get(&format!("/subscriptions?{query}")).await.json();
        let records = listed["subscriptions"].as_array().expect("a list");
        let of =
            |it: &Value| it["subscription"]["id"].as_str().expect("an id").parse().expect("a GUID");
        assert_eq!(records.iter().map(of).collect::<BTreeSet<Uuid>>(), expected, "{query}");
    }
    for query in [
        "delivery=",
        "delivery=late",
        "delivery=parked&sort=termEnd",
        "delivery=parked&search=contoso",
        "delivery=parked&limit=3",
    ] {
        let answer = env.get(&format!("/subscriptions?{query}")).await;
        is_problem(&answer, StatusCode::BAD_REQUEST, "malformed_request");
    }
    for query in ["", "?state=", "?state=upToDate", "?state=parked&next=x", "?limit=3"] {
        let answer = env.get(&format!("/deliveries{query}")).await;
        is_problem(&answer, StatusCode::BAD_REQUEST, "malformed_request");
    }
}

#[tokio::test]
async fn one_request_recovers_all_that_is_parked_in_order_and_nothing_else() {
    let (env, product) = env().await;
    let accepted = env.active(Purchase::flat_rate("silver")).await;
    told(&env).await;
    product.take_accepted();
    let parked = parked(&env, &product, 3).await;
    product.answers(StatusCode::NO_CONTENT);
    assert_eq!(recover_all(&env, json!({ "state": "parked" })).await, 3);
    told(&env).await;
    let accepted_now = product.take_accepted();
    assert_eq!(accepted_now.len(), 6, "{accepted_now:?}");
    for id in parked {
        let of_it: Vec<_> =
            accepted_now.iter().filter(|event| event.starts_with(&id.to_string())).collect();
        let recorded: Vec<_> = env.events(id).await.iter().map(shared::domain::Event::id).collect();
        assert_eq!(of_it, recorded.iter().collect::<Vec<_>>());
    }
    assert!(!accepted_now.iter().any(|event| event.starts_with(&accepted.to_string())));
    assert_eq!(recover_all(&env, json!({ "state": "parked" })).await, 0);
}

/// The product lost what it had received since a time.
#[tokio::test]
async fn everything_since_a_time_is_sent_again_and_nothing_from_before() {
    let (env, product) = env().await;
    let mut ids = Vec::new();
    for _ in 0..30 {
        ids.push(env.active(Purchase::per_seat("basic", 7)).await);
        env.advance(Duration::from_secs(1));
    }
    told(&env).await;
    env.advance(DAY);
    let since = env.system.clock.now();
    let changed = &ids[2..29];
    for id in changed {
        env.world(|world| world.change_quantity(*id, 9)).expect("a change");
    }
    env.deliver_statuses().await;
    told(&env).await;
    product.take_accepted();

    assert_eq!(recover_all(&env, json!({ "since": since })).await, 27, "more than a page");
    told(&env).await;
    let mut again = product.take_accepted();
    again.sort();
    let mut expected = Vec::new();
    for id in changed {
        expected.extend(env.events(*id).await.last().map(shared::domain::Event::id));
    }
    expected.sort();
    assert_eq!(again, expected);
    let later = env.system.clock.now() + jiff::SignedDuration::from_secs(1);
    assert_eq!(recover_all(&env, json!({ "since": later })).await, 0);
}

#[tokio::test]
async fn a_recovery_that_names_nothing_or_two_things_is_refused() {
    let (env, _product) = env().await;
    for body in [
        json!({}),
        json!({ "state": "waiting" }),
        json!({ "state": "parked", "since": "2026-03-10T12:00:00Z" }),
        json!({ "since": "yesterday" }),
        json!({ "since": null }),
        json!({ "state": "parked", "next": "?" }),
        json!({ "state": "parked", "all": true }),
        json!([]),
    ] {
        let answer = recover(&env, &body).await;
        is_problem(&answer, StatusCode::BAD_REQUEST, "malformed_request");
    }
    let without_product = TestEnv::new().await;
    let answer = recover(&without_product, &json!({ "state": "parked" })).await;
    is_problem(&answer, StatusCode::CONFLICT, "nobody_to_tell");
}
