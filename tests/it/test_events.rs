//! Test events of every type: what is sent fits its schema, and what was sent and answered is shown.

use std::collections::BTreeSet;
use std::time::Duration;

use http::StatusCode;
use local::Options;
use local::receiver::Receiver;
use local::schemas::Schemas;
use serde_json::{Value, json};
use shared::domain::{Event, EventKind, TEST_SUBSCRIPTION};
use shared::publisher::cloud_event::{MEDIA_TYPE, type_name};
use shared::store::{Attempts as _, Inspection as _, Outbox as _, Target};
use standardwebhooks::Webhook;

use crate::delivery_env::{DeliveryEnv, KEY, id};
use crate::delivery_product::{Behaviour, verify_at_any_time};
use crate::raw_receiver::{RawReceiver, Then};
use crate::test_env::{Answer, TestEnv, is_problem};

const TEST_EVENT: &str = "/doctor/test-event";

async fn ask(env: &TestEnv, body: &Value) -> Answer {
    env.send(env.http.post(env.url(TEST_EVENT)).body(body.to_string())).await
}

/// Sends a test event of this type, and returns how it stands after the stream and a sweep.
async fn sent(env: &TestEnv, kind: &EventKind) -> Value {
    env.pass(1);
    let answer = ask(env, &json!({ "type": type_name(kind) })).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.body);
    let id = answer.json()["id"].as_str().expect("an id").to_owned();
    env.system.deliver_events().await.expect("the stream is read");
    env.advance(Duration::from_secs(180));
    env.system.sweep().await.expect("a sweep");
    let answer = env.get(&format!("{TEST_EVENT}/{id}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    answer.json()
}

#[tokio::test]
async fn a_test_event_of_each_type_fits_its_schema_and_is_shown_as_sent_and_answered() {
    let product = Receiver::start().await.expect("the product starts");
    let options = Options::default().with("DELIVERY_ENDPOINT", product.url());
    let env = TestEnv::with(options.with("DELIVERY_SIGNING_KEY", product.key())).await;
    let webhook = Webhook::new(product.key()).expect("a key");
    let mut schemas = BTreeSet::new();
    for kind in EventKind::examples() {
        let shown = sent(&env, &kind).await;
        assert_eq!(
            (&shown["type"], &shown["state"]),
            (&json!(type_name(&kind)), &json!("delivered"))
        );
        let [receiver] = &shown["receivers"].as_array().expect("a list")[..] else {
            panic!("one receiver: {shown}")
        };
        assert_eq!((&receiver["receiver"], &receiver["status"]), (&json!("endpoint"), &json!(204)));
        assert!(
            receiver["latencyMs"].is_u64() && receiver.get("lastError").is_none(),
            "{receiver}"
        );
        // What is shown is what arrived, and its signature holds.
        let request = &receiver["request"];
        let body = request["body"].as_str().expect("a body");
        let headers = request["headers"].as_object().expect("headers").iter();
        let headers: http::HeaderMap = headers
            .map(|(name, value)| {
                let value = value.as_str().expect("text").parse().expect("a header");
                (name.parse::<http::HeaderName>().expect("a name"), value)
            })
            .collect();
        assert_eq!(headers["content-type"], MEDIA_TYPE);
        assert_eq!(headers["webhook-id"], shown["id"].as_str().expect("an id"));
        verify_at_any_time(&webhook, &headers, body.as_bytes()).expect("a signature");
        assert!(!shown.to_string().contains(product.key()), "the key is shown");
        let event: Value = serde_json::from_str(body).expect("JSON");
        assert_eq!(product.events().last(), Some(&event), "{}", kind.name());
        assert_eq!(event["subject"], TEST_SUBSCRIPTION.to_string());
        assert_eq!(event["data"]["after"]["isTest"], true);
        assert_eq!(event["data"]["after"]["offerId"], "test");
        schemas.insert(event["dataschema"].as_str().expect("text").to_owned());
    }
    assert_eq!(product.complaints(), [""; 0], "each is signed, and fits its schema");
    let known = Schemas::read();
    assert_eq!(schemas.iter().map(String::as_str).collect::<BTreeSet<_>>(), known.ids().collect());
    let list = env.get("/subscriptions").await.json();
    assert_eq!(list["subscriptions"], json!([]), "no list shows it");
}

#[tokio::test]
async fn a_refused_test_event_shows_the_answer_and_holds_up_no_other_type() {
    let answer = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 14\r\n\r\nwhat is that?\n";
    let receiver = RawReceiver::start(answer.to_vec(), Then::Closes).await;
    let env = receiver.env().await;
    for (number, kind) in EventKind::examples()[8..11].iter().enumerate() {
        let shown = sent(&env, kind).await;
        let one = &shown["receivers"][0];
        assert_eq!(
            (&shown["state"], &one["lastError"]),
            (&json!("failed"), &json!("answered 400"))
        );
        assert_eq!((&one["status"], &one["answer"]), (&json!(400), &json!("what is that?")));
        let body = one["request"]["body"].as_str().expect("a body");
        assert!(body.contains(&type_name(kind)), "{body}");
        assert!(receiver.requests() > number, "each is sent");
    }
    // The replaced ones stay what they were.
    let attempts = env.get(&format!("/subscriptions/{TEST_SUBSCRIPTION}/attempts")).await.json();
    let attempts = attempts["attempts"].as_array().expect("a list").clone();
    let ids: BTreeSet<_> = attempts.iter().map(|it| it["eventId"].to_string()).collect();
    assert_eq!(ids.len(), 3, "{attempts:?}");
    for id in ids {
        let shown = env.get(&format!("{TEST_EVENT}/{}", id.trim_matches('"'))).await.json();
        assert_eq!(
            (&shown["state"], &shown["receivers"][0]["status"]),
            (&json!("failed"), &json!(400))
        );
    }
}

#[tokio::test]
async fn an_accepted_test_event_is_kept_with_what_each_receiver_was_sent_and_an_other_event_is_not()
{
    let env = DeliveryEnv::with(&[("DELIVERY_EVENT_BUS", "bus")]);
    let test = Event::test(EventKind::Suspended, None, None, env.begun_at());
    env.table.record_test(&test).await.expect("recorded");
    env.stream(std::slice::from_ref(&test)).await;
    let kept = env.table.attempts(TEST_SUBSCRIPTION, 100, None).await.expect("a page").items;
    let receivers: Vec<_> = kept.iter().map(|attempt| attempt.receiver.as_str()).collect();
    assert_eq!(receivers, ["event-bus", "endpoint"]);
    let statuses: Vec<_> = kept.iter().map(|attempt| (attempt.status, &attempt.reason)).collect();
    assert_eq!(statuses, [(None, &None), (Some(204), &None)]);
    let requests = kept.iter().map(|attempt| attempt.request.as_ref().expect("a request"));
    let requests: Vec<_> = requests.collect();
    assert_eq!((requests[0].headers.len(), requests[1].headers.len()), (0, 4));
    assert!(requests[0].body == requests[1].body && requests[0].body.contains("suspended.v1"));
    let cursor = env.table.cursor(TEST_SUBSCRIPTION, Target::Endpoint).await.expect("a cursor");
    assert_eq!(cursor.delivered, test.position());
    env.product.behaves(|_| Behaviour::Answers(500));
    let events = env.record(1, 10).await;
    env.stream(&events).await;
    let kept = env.table.attempts(id(1), 100, None).await.expect("a page").items;
    assert_eq!((kept.len(), kept[0].request.is_none()), (1, true));
}

#[tokio::test]
async fn a_test_event_for_one_receiver_reaches_no_other_and_an_unknown_name_is_refused() {
    let accepts = b"HTTP/1.1 204 No Content\r\n\r\n".to_vec();
    let crm = RawReceiver::start(accepts.clone(), Then::Closes).await;
    let endpoint = RawReceiver::start(accepts, Then::Closes).await;
    let named = json!([{ "name": "crm", "url": crm.url() }]).to_string();
    let keys = json!({ "crm": KEY }).to_string();
    let options = Options::default().with("DELIVERY_ENDPOINTS", &named);
    let env = endpoint.env_with(options.with("DELIVERY_SIGNING_KEYS", &keys)).await;
    for (receiver, expected) in [("crm", (1, 0)), ("endpoint", (1, 1))] {
        env.pass(1);
        let answer = ask(&env, &json!({ "receiver": receiver })).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.body);
        let id = answer.json()["id"].as_str().expect("an id").to_owned();
        env.system.deliver_events().await.expect("the stream is read");
        let shown = env.get(&format!("{TEST_EVENT}/{id}")).await.json();
        let receivers = shown["receivers"].as_array().expect("a list");
        let names: Vec<_> = receivers.iter().map(|one| &one["receiver"]).collect();
        assert_eq!((&shown["state"], &names[..]), (&json!("delivered"), &[&json!(receiver)][..]));
        assert_eq!(receivers[0]["status"], 204, "{shown}");
        assert_eq!((crm.requests(), endpoint.requests()), expected);
    }
    let refused = ask(&env, &json!({ "receiver": "billing" })).await;
    is_problem(&refused, StatusCode::NOT_FOUND, "unknown_receiver");
    let detail = refused.json()["detail"].to_string();
    assert!(detail.contains("there are endpoint and crm"), "{detail}");
    env.pass(1);
    let answer = ask(&env, &json!({})).await;
    env.system.deliver_events().await.expect("the stream is read");
    let id = answer.json()["id"].as_str().expect("an id").to_owned();
    let shown = env.get(&format!("{TEST_EVENT}/{id}")).await.json();
    assert_eq!((&shown["state"], crm.requests()), (&json!("delivered"), 2), "without a name: all");
}

#[tokio::test]
async fn a_receiver_that_was_added_after_a_test_event_was_not_sent_it() {
    let accepts = b"HTTP/1.1 204 No Content\r\n\r\n".to_vec();
    let crm = RawReceiver::start(accepts, Then::Closes).await;
    let named = json!([{ "name": "crm", "url": crm.url() }]).to_string();
    let keys = json!({ "crm": KEY }).to_string();
    let options = Options::default().with("DELIVERY_ENDPOINTS", &named);
    let env = TestEnv::with(options.with("DELIVERY_SIGNING_KEYS", &keys)).await;
    let id = ask(&env, &json!({})).await.json()["id"].as_str().expect("an id").to_owned();
    let state = async || env.get(&format!("{TEST_EVENT}/{id}")).await.json();
    assert_eq!(state().await["state"], "waiting", "no delivery has run yet");
    // The delivery adds it with its first run.
    env.advance(Duration::from_secs(600));
    env.system.deliver_events().await.expect("the stream is read");
    let shown = state().await;
    assert_eq!((&shown["state"], crm.requests()), (&json!("failed"), 0), "{shown}");
    let says = shown["receivers"][0]["lastError"].as_str().expect("text");
    assert_eq!(says, "not sent: the receiver was added after this test event");
}

#[tokio::test]
async fn an_unknown_type_is_refused_with_the_known_ones() {
    let receiver =
        RawReceiver::start(b"HTTP/1.1 204 No Content\r\n\r\n".to_vec(), Then::Closes).await;
    let env = receiver.env().await;
    for body in [
        json!({ "type": "saas-fulfillment.subscription.plan-changed.v2" }),
        json!({ "type": "PlanChanged" }),
        json!({ "type": "" }),
    ] {
        let answer = ask(&env, &body).await;
        is_problem(&answer, StatusCode::BAD_REQUEST, "malformed_request");
        let detail = answer.json()["detail"].as_str().expect("text").to_owned();
        for kind in EventKind::examples() {
            assert!(detail.contains(&type_name(&kind)), "{detail}");
        }
    }
    for body in [json!({ "kind": "Test" }), json!([]), json!({ "type": 7 })] {
        is_problem(&ask(&env, &body).await, StatusCode::BAD_REQUEST, "malformed_request");
    }
    let shown = ask(&env, &json!({})).await;
    assert_eq!(shown.status, StatusCode::ACCEPTED, "{}", shown.body);
    let shown =
        env.get(&format!("{TEST_EVENT}/{}", shown.json()["id"].as_str().expect("an id"))).await;
    assert_eq!(shown.json()["type"], "saas-fulfillment.subscription.test.v1");
}
