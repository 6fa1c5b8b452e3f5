//! A test event, on request: it takes the way of every event, and no list shows it.

use emulator::Purchase;
use http::StatusCode;
use local::Options;
use serde_json::{Value, json};
use shared::domain::{Position, TEST_SUBSCRIPTION};
use shared::store::{Cursor, CursorState, Outbox as _, Target, Trouble};

use crate::doctor_env::DoctorEnv;
use crate::test_env::{TestEnv, is_problem};

const TEST_EVENT: &str = "/doctor/test-event";

async fn send(env: &TestEnv) -> String {
    let answer = env.send(env.http.post(env.url(TEST_EVENT))).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.body);
    answer.json()["id"].as_str().expect("an id").to_owned()
}

async fn state(env: &TestEnv, id: &str) -> Value {
    let answer = env.get(&format!("{TEST_EVENT}/{id}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    answer.json()
}

#[tokio::test]
async fn a_test_event_reaches_the_product_signed_and_says_so() {
    let doctor = DoctorEnv::new().await;
    let env = &doctor.env;
    let bought = env.active(Purchase::flat_rate("silver")).await;
    let mut ids = Vec::new();
    for _ in 0..2 {
        let id = send(env).await;
        let kind = "saas-fulfillment.subscription.test.v1";
        let expected = json!({
            "id": id, "type": kind, "state": "waiting",
            "receivers": [{ "receiver": "endpoint", "state": "waiting" }],
        });
        assert_eq!(state(env, &id).await, expected);
        env.system.deliver_events().await.expect("the stream is read");
        let mut delivered = state(env, &id).await;
        let receiver = delivered["receivers"][0].take();
        let expected = json!({ "id": id, "type": kind, "state": "delivered", "receivers": [null] });
        assert_eq!(delivered, expected);
        assert_eq!((&receiver["state"], &receiver["status"]), (&json!("delivered"), &json!(204)));
        ids.push(id);
        env.pass(1);
    }
    assert_ne!(ids[0], ids[1]);
    assert_eq!(state(env, &ids[0]).await["state"], "delivered", "the earlier one still is");
    assert_eq!(doctor.product.complaints(), [""; 0], "signed, and described by its schema");
    let events = doctor.product.events();
    let is_test = |event: &&Value| event["type"] == "saas-fulfillment.subscription.test.v1";
    let tests: Vec<_> = events.iter().filter(is_test).collect();
    assert_eq!(tests.iter().map(|event| event["id"].clone()).collect::<Vec<_>>(), ids);
    for event in tests {
        assert_eq!(event["subject"], TEST_SUBSCRIPTION.to_string());
        // Nothing for a product that applies the state after any event.
        assert_eq!(event["data"]["after"]["saasSubscriptionStatus"], "Unsubscribed");
        assert_eq!(event["data"]["after"]["isTest"], true);
        assert_eq!(event["data"]["before"], event["data"]["after"]);
    }
    for query in ["", "?status=Unsubscribed", "?sort=lastChange"] {
        let list = env.get(&format!("/subscriptions{query}")).await.json();
        assert!(!list.to_string().contains(&TEST_SUBSCRIPTION.to_string()), "{list}");
    }
    assert_eq!(env.record(bought).await.expect("a record").status().as_str(), "Subscribed");
    let unknown = env.get(&format!("/subscriptions/{TEST_SUBSCRIPTION}")).await;
    is_problem(&unknown, StatusCode::NOT_FOUND, "unknown_subscription");
}

#[tokio::test]
async fn a_test_event_that_the_product_refuses_tells_the_error_and_holds_up_no_later_one() {
    let options = Options::default()
        .with("DELIVERY_ENDPOINT", "http://127.0.0.1:9/events")
        .with("DELIVERY_SIGNING_KEY", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    let env = TestEnv::with(options).await;
    let first = send(&env).await;
    env.system.deliver_events().await.expect("the stream is read");
    let failed = state(&env, &first).await;
    assert_eq!(
        (&failed["state"], &failed["receivers"][0]["attempts"]),
        (&json!("failed"), &json!(1))
    );
    let receiver = &failed["receivers"][0];
    assert!(receiver["lastError"].as_str().is_some_and(|error| !error.is_empty()), "{failed}");
    assert!(receiver["nextAttempt"].is_string(), "{failed}");
    // The next one starts at once, and not after the pause of the first.
    env.pass(1);
    let second = send(&env).await;
    assert_eq!(state(&env, &second).await["state"], "waiting");
    env.system.sweep().await.expect("a sweep");
    let failed = state(&env, &second).await;
    assert_eq!(
        (&failed["state"], &failed["receivers"][0]["attempts"]),
        (&json!("failed"), &json!(1))
    );
    // The first one is sent no more, and stays what it was.
    let replaced = state(&env, &first).await;
    let receiver = &replaced["receivers"][0];
    assert_eq!(
        (&replaced["state"], &receiver["lastError"]),
        (&json!("failed"), &json!("not connected"))
    );
    assert!(receiver.get("nextAttempt").is_none(), "{replaced}");
}

#[tokio::test]
async fn a_test_event_that_was_parked_is_failed_without_another_attempt_and_the_next_takes_its_place()
 {
    let doctor = DoctorEnv::new().await;
    let id = send(&doctor.env).await;
    let now = doctor.env.system.clock.now();
    let trouble = Trouble { since: now, attempts: 9, last: "answered 500".to_owned() };
    let state_of = CursorState::Parked { at: now, trouble };
    let cursor = Cursor {
        revision: 1,
        delivered: Position::default(),
        state: state_of,
        ..Cursor::default()
    };
    let saved = doctor.table().save_cursor(TEST_SUBSCRIPTION, Target::Endpoint, &cursor).await;
    saved.expect("saved");
    let expected = json!({
        "id": id, "type": "saas-fulfillment.subscription.test.v1", "state": "failed",
        "receivers": [{ "receiver": "endpoint", "state": "failed", "attempts": 9,
                        "lastError": "answered 500" }],
    });
    assert_eq!(state(&doctor.env, &id).await, expected);
    doctor.env.pass(1);
    let next = send(&doctor.env).await;
    doctor.env.system.sweep().await.expect("a sweep");
    assert_eq!(state(&doctor.env, &next).await["state"], "delivered");
    let replaced = state(&doctor.env, &id).await;
    let expected = "not sent: a later test event took its place";
    assert_eq!(
        (&replaced["state"], &replaced["receivers"][0]["lastError"]),
        (&json!("failed"), &json!(expected))
    );
}

#[tokio::test]
async fn unknown_test_events_and_a_deployment_without_receivers_are_problems() {
    let env = TestEnv::new().await;
    let answer = env.send(env.http.post(env.url(TEST_EVENT))).await;
    is_problem(&answer, StatusCode::CONFLICT, "nobody_to_tell");
    for id in [
        "x".to_owned(),
        format!("{TEST_SUBSCRIPTION}-1-0"),
        format!("{TEST_SUBSCRIPTION}-0-0"),
        format!("{TEST_SUBSCRIPTION}-{}-0", u64::MAX),
        format!("{TEST_SUBSCRIPTION}-1-1"),
        "6f1d5a2e-0c57-4d0a-9a53-3b8c1e7f0a11-4-0".to_owned(),
    ] {
        let answer = env.get(&format!("{TEST_EVENT}/{id}")).await;
        is_problem(&answer, StatusCode::NOT_FOUND, "unknown_test_event");
    }
}

/// Long enough to be looked at, and no longer: nobody needs the history of tests.
#[tokio::test]
async fn a_test_event_expires_after_a_day() {
    let doctor = DoctorEnv::new().await;
    send(&doctor.env).await;
    let url = doctor.env.system.database_url().expect("an embedded database");
    let raw = local::database::client(url, "us-east-1");
    let table = &doctor.env.system.variables["TABLE_NAME"];
    let items =
        raw.scan().table_name(table).send().await.expect("a scan").items.unwrap_or_default();
    let [event] = &items[..] else { panic!("one item: {items:?}") };
    let expires: i64 = event["expires_at"].as_n().expect("a number").parse().expect("seconds");
    let now = doctor.env.system.clock.now().as_second();
    assert!((expires - now - 24 * 60 * 60).abs() < 60, "{expires} {now}");
}
