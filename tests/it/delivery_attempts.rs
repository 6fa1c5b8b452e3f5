//! Attempts that a receiver did not accept are kept, with what it answered.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use delivery::Driver;
use emulator::Purchase;
use http::StatusCode;
use jiff::SignedDuration;
use local::Options;
use serde_json::{Value, json};
use shared::domain::{Cause, Decision, Event, EventKind, NextVersion, Status, SubscriptionId};
use shared::store::{
    Attempt, Attempts, Commit, CursorState, Erasures, Outbox, Page, Store, StoreError, Target,
};
use uuid::Uuid;

use crate::delivery_env::{DeliveryEnv, id, records};
use crate::delivery_product::Behaviour;
use crate::log_lines::Lines;
use crate::raw_receiver::{RawReceiver, Then};
use crate::test_env::{TestEnv, is_problem};

async fn kept(env: &DeliveryEnv, number: u128) -> Vec<Attempt> {
    env.table.attempts(id(number), 100, None).await.expect("a page").items
}

/// What is kept of the first event of a purchase, after an attempt.
async fn kept_when(env: &DeliveryEnv, behaviour: Behaviour, answer: &'static [u8]) -> Attempt {
    env.product.behaves(move |_| behaviour);
    env.product.says(answer);
    let events = env.record(1, 10).await;
    env.stream(&events[..1]).await;
    let kept = kept(env, 1).await;
    let [attempt] = &kept[..] else { panic!("one attempt: {kept:?}") };
    attempt.clone()
}

fn attempt(env: &DeliveryEnv, status: Option<u16>, reason: &str) -> Attempt {
    Attempt {
        at: env.begun_at(),
        receiver: "endpoint".to_owned(),
        event_id: env.recorded(1)[0].clone(),
        event_type: "saas-fulfillment.subscription.purchased.v1".to_owned(),
        status,
        latency_ms: 0,
        reason: Some(reason.to_owned()),
        class: Some("product".to_owned()),
        answer: None,
        request: None,
    }
}

#[tokio::test]
async fn a_refusal_is_kept_with_its_status_and_the_beginning_of_its_text() {
    let env = DeliveryEnv::new();
    let kept = kept_when(&env, Behaviour::Answers(503), b"{\n  \"error\": \"full\"\n}").await;
    let answer = Some("{ \"error\": \"full\" }".to_owned());
    assert_eq!(kept, Attempt { answer, ..attempt(&env, Some(503), "answered 503") });
}

#[tokio::test]
async fn an_attempt_without_an_answer_is_kept_with_the_time_that_it_took() {
    let env = DeliveryEnv::new();
    let kept = kept_when(&env, Behaviour::Hangs, b"").await;
    assert_eq!(kept, Attempt { latency_ms: 10_000, ..attempt(&env, None, "no answer") });
    let env = DeliveryEnv::new();
    let kept = kept_when(&env, Behaviour::IsUnreachable, b"").await;
    assert_eq!(kept, attempt(&env, None, "not connected"));
}

#[tokio::test]
async fn an_accepted_event_leaves_no_attempt() {
    let env = DeliveryEnv::new();
    let events = env.record(1, 10).await;
    env.stream(&events).await;
    env.assert_all_delivered([1]);
    assert_eq!(kept(&env, 1).await, []);
}

#[tokio::test]
async fn each_attempt_is_kept_and_the_latest_comes_first() {
    let env = DeliveryEnv::new();
    env.product.behaves(|_| Behaviour::Answers(500));
    let events = env.record(1, 10).await;
    env.stream(&events).await;
    env.sweep_for_minutes(10).await;
    let kept = kept(&env, 1).await;
    assert_eq!(kept.len(), env.product.arrivals().len());
    assert!(kept.len() > 3, "{kept:?}");
    let times: Vec<_> = kept.iter().map(|attempt| attempt.at).collect();
    let arrivals: Vec<_> = env.product.arrivals().iter().rev().map(|arrival| arrival.at).collect();
    assert_eq!(times, arrivals);
}

#[tokio::test]
async fn a_long_text_is_cut_and_bytes_that_are_no_text_are_left_out() {
    let long: &[u8] = &[b'x'; 100_000];
    let kept = kept_when(&DeliveryEnv::new(), Behaviour::Answers(500), long).await;
    assert_eq!(kept.answer, Some("x".repeat(500)));
    let binary: &[u8] = b"\x1f\x8b\x08\0\0\0\0\0\0\x03\xcb\x48\xcd\xc9\xc9\x57\x28\xcf\x2f\xca";
    let kept = kept_when(&DeliveryEnv::new(), Behaviour::Answers(500), binary).await;
    assert_eq!((kept.status, kept.answer), (Some(500), None));
}

#[tokio::test]
async fn no_text_is_kept_if_the_setting_says_so() {
    let env = DeliveryEnv::with(&[("DELIVERY_ATTEMPT_TEXT", "off")]);
    let kept = kept_when(&env, Behaviour::Answers(503), b"Adele is unknown").await;
    assert_eq!(kept, attempt(&env, Some(503), "answered 503"));
}

#[tokio::test]
async fn a_failure_of_the_event_bus_is_kept_with_its_code() {
    let env = DeliveryEnv::with(&[("DELIVERY_EVENT_BUS", "bus")]);
    env.product.bus_refuses(1);
    let events = env.record(1, 10).await;
    env.stream(&events).await;
    let expected = Attempt {
        receiver: "event-bus".to_owned(),
        ..attempt(&env, None, "the bus: ThrottlingException")
    };
    assert_eq!(kept(&env, 1).await, [expected]);
    env.sweep_for_minutes(2).await;
    assert_eq!(env.product.bus_entries().len(), events.len());
    assert_eq!(kept(&env, 1).await.len(), 1);
}

/// A table that keeps no attempts.
struct Broken;

#[async_trait]
impl Attempts for Broken {
    async fn save_attempt(&self, _: SubscriptionId, _: &Attempt) -> Result<(), StoreError> {
        Err(StoreError::unavailable("failed on purpose"))
    }

    async fn attempts(
        &self,
        _: SubscriptionId,
        _: u8,
        _: Option<&str>,
    ) -> Result<Page<Attempt>, StoreError> {
        Err(StoreError::unavailable("failed on purpose"))
    }
}

#[tokio::test]
async fn a_failed_write_is_logged_and_changes_nothing_of_the_delivery() {
    let env = DeliveryEnv::new();
    env.product.behaves(|_| Behaviour::AsksToWait(503, 600));
    env.product.says(b"Adele is unknown");
    let events = env.record(1, 10).await;
    let delivery = env.delivery_keeping(Arc::new(Broken));
    let (lines, _guard) = Lines::collect("trace");
    let failures = delivery.stream(&records(&events)).await;
    assert!(failures.batch_item_failures.is_empty());
    let text = lines.text();
    assert!(text.contains("could not keep an attempt"), "{text}");
    assert!(!text.contains("Adele"), "{text}");
    let cursor = env.table.cursor(id(1), Target::Endpoint).await.expect("a read");
    let CursorState::Due { at, trouble: Some(trouble) } = cursor.state else {
        panic!("not due: {cursor:?}")
    };
    assert_eq!((trouble.attempts, trouble.last.as_str()), (1, "answered 503"));
    assert_eq!(at.duration_since(env.begun_at()).as_secs(), 601);
    env.product.behaves(|_| Behaviour::Accepts);
    env.clock.advance(SignedDuration::from_secs(602));
    delivery.sweep(Driver::BesideTheStream).await.expect("a sweep");
    env.assert_all_delivered([1]);
}

#[tokio::test]
async fn what_a_receiver_answers_while_an_erasure_is_carried_out_is_not_kept() {
    let env = DeliveryEnv::new();
    let events = env.record(1, 10).await;
    assert!(events[0].names_people());
    let mut ended = env.table.record(id(1)).expect("a record");
    ended.version += 1;
    ended.subscription.saas_subscription_status = Status::Unsubscribed;
    let commit = Commit { next: Some(NextVersion::of(ended, Vec::new())), mark: None };
    env.table.commit(id(1), &commit).await.expect("committed");
    env.product.says(b"Adele is unknown");
    let (table, now) = (env.table.clone(), env.now());
    // The event is on its way when the record becomes a tombstone.
    env.product.behaves(move |_| {
        let record = table.record(id(1)).expect("a record");
        let Decision::Commit(next) = record.erase(&Cause::Management { principal: None }, now)
        else {
            panic!("nothing to erase")
        };
        let commit = Commit { next: Some(next), mark: None };
        let mut committed = table.commit(id(1), &commit);
        let committed = committed.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(committed, Poll::Ready(Ok(()))), "a table in memory never waits");
        Behaviour::Answers(500)
    });
    env.stream(&events[..1]).await;
    assert!(env.table.record(id(1)).expect("a record").is_erased());
    assert_eq!(kept(&env, 1).await, [attempt(&env, Some(500), "answered 500")]);
}

#[tokio::test]
async fn no_answer_is_kept_after_an_erasure() {
    let env = DeliveryEnv::new();
    let events = env.record(1, 10).await;
    env.stream(&events).await;
    let mut record = env.table.record(id(1)).expect("a record");
    record.version += 1;
    let kind = EventKind::PersonalDataErased;
    let mut erased = Event { kind, version: record.version, ..events[0].without_people() };
    erased.subscription.saas_subscription_status = Status::Unsubscribed;
    let next = NextVersion::of(record, vec![erased.clone()]);
    let commit = Commit { next: Some(next), mark: None };
    env.table.commit(id(1), &commit).await.expect("committed");
    env.table.erase_events(id(1)).await.expect("erased");
    env.product.behaves(|_| Behaviour::Answers(500));
    env.product.says(b"Adele is unknown");
    env.stream(&[erased]).await;
    let kept = kept(&env, 1).await;
    assert_eq!(kept.len(), 1);
    assert_eq!((kept[0].status, kept[0].answer.as_deref()), (Some(500), None), "{kept:?}");
}

async fn ask(env: &TestEnv, id: Uuid, query: &str) -> Vec<Value> {
    let answer = env.get(&format!("/subscriptions/{id}/attempts{query}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    answer.json()["attempts"].as_array().expect("a list").clone()
}

/// A receiver whose answer begins like this, and a purchase that it has refused.
async fn refused(answer: &[u8], then: Then) -> (RawReceiver, TestEnv, Uuid) {
    let receiver = RawReceiver::start(answer.to_vec(), then).await;
    let env = receiver.env_with(Options::default()).await;
    let id = env.active(Purchase::flat_rate("silver")).await;
    env.system.deliver_events().await.expect("the stream is there");
    (receiver, env, id)
}

#[tokio::test]
async fn a_body_that_hangs_or_breaks_off_is_kept_as_far_as_it_came() {
    for (case, answer, then, text) in [
        (
            "endless",
            "Transfer-Encoding: chunked\r\n\r\n7\r\nso far \r\n",
            Then::HoldsItOpen,
            Some("so far"),
        ),
        ("missing", "Content-Length: 100\r\n\r\n", Then::HoldsItOpen, None),
        ("too short", "Content-Length: 100\r\n\r\nso far", Then::Closes, Some("so far")),
    ] {
        let answer = format!("HTTP/1.1 500 Internal Server Error\r\n{answer}");
        let (receiver, env, id) = refused(answer.as_bytes(), then).await;
        assert_eq!(receiver.requests(), 1, "{case}");
        let attempts = ask(&env, id, "").await;
        let [attempt] = &attempts[..] else { panic!("{case}: {attempts:?}") };
        assert_eq!((&attempt["status"], &attempt["reason"]), (&json!(500), &json!("answered 500")));
        assert_eq!(attempt.get("answer").and_then(Value::as_str), text, "{case}: {attempt}");
        let deliveries = env.get(&format!("/subscriptions/{id}/deliveries")).await.json();
        assert_eq!(deliveries["deliveries"][0]["attempts"], 1, "{case}");
    }
}

#[tokio::test]
async fn the_api_lists_attempts_page_by_page_the_latest_first() {
    let full = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 17\r\n\r\nthe queue is full";
    let (receiver, env, id) = refused(full, Then::Closes).await;
    for _ in 0..4 {
        env.advance(std::time::Duration::from_secs(3700));
        env.system.sweep().await.expect("a sweep");
    }
    assert_eq!(receiver.requests(), 5);
    let all = ask(&env, id, "").await;
    assert_eq!(all.len(), 5);
    assert!(all.is_sorted_by_key(|attempt| std::cmp::Reverse(attempt["at"].to_string())));
    let first: Event = env.events(id).await.remove(0);
    for attempt in &all {
        assert!(attempt["latencyMs"].is_u64(), "{attempt}");
        let mut known = attempt.clone();
        let object = known.as_object_mut().expect("an object");
        object.retain(|name, _| !matches!(name.as_str(), "at" | "latencyMs"));
        assert_eq!(
            known,
            json!({
                "receiver": "endpoint", "eventId": first.id(), "status": 503, "class": "product",
                "eventType": "saas-fulfillment.subscription.purchased.v1",
                "reason": "answered 503", "answer": "the queue is full",
            })
        );
    }
    let (mut paged, mut next) = (Vec::new(), String::new());
    loop {
        let page =
            env.get(&format!("/subscriptions/{id}/attempts?limit=2&next={next}")).await.json();
        paged.extend(page["attempts"].as_array().expect("a list").clone());
        match page["next"].as_str() {
            Some(cursor) => cursor.clone_into(&mut next),
            None => break,
        }
    }
    assert_eq!(paged, all);
}

#[tokio::test]
async fn attempts_of_nobody_and_pages_that_are_none_are_refused() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::flat_rate("silver")).await;
    assert_eq!(ask(&env, id, "").await, [json!(null); 0]);
    let nobody = Uuid::from_u128(0xabc);
    let answer = env.get(&format!("/subscriptions/{nobody}/attempts")).await;
    is_problem(&answer, StatusCode::NOT_FOUND, "unknown_subscription");
    for query in ["limit=0", "limit=101", "next=x", "next=UkVDT1JE", "colour=blue"] {
        let answer = env.get(&format!("/subscriptions/{id}/attempts?{query}")).await;
        is_problem(&answer, StatusCode::BAD_REQUEST, "malformed_request");
    }
}
