//! Injected faults.

use crate::publisher::{active, get, request, subscription_path, world};
use ::http::Method;
use emulator::{Call, ErrorForm, Fault, FaultKind, Outcome, Purchase, Times};
use serde_json::json;
use std::time::Duration;

const LIST: &str = "/saas/subscriptions";

#[test]
fn a_fault_strikes_its_call_the_given_number_of_times() {
    let mut world = world();
    let id = active(&mut world, Purchase::flat_rate("silver"));
    let kind = FaultKind::Status(500, ErrorForm::Nested);
    world.faults_mut().add(Fault { call: Call::GetSubscription, kind, times: Times::N(2) });
    assert_eq!(get(&mut world, LIST).status, 200);
    let statuses: Vec<u16> =
        (0..3).map(|_| get(&mut world, &subscription_path(id)).status).collect();
    assert_eq!(statuses, [500, 500, 200]);
    assert!(world.faults_mut().is_empty());
}

#[test]
fn a_fault_can_have_every_form_of_error_body() {
    let mut world = world();
    let bodies: Vec<String> = ErrorForm::ALL
        .map(|form| {
            world.faults_mut().once(Call::Any, FaultKind::Status(503, form));
            String::from_utf8(get(&mut world, LIST).body).unwrap()
        })
        .to_vec();
    assert!(bodies[0].contains(r#""code":"#) && bodies[1].starts_with(r#"{"error":"#));
    assert!(bodies[2].starts_with(r#"{"Error":"#) && bodies[3].starts_with('"'));
    assert!(bodies[4].is_empty() && bodies[5].starts_with("<html>"));
}

#[test]
fn throttling_answers_with_a_retry_after() {
    let mut world = world();
    world.faults_mut().once(Call::ListSubscriptions, FaultKind::RetryAfter(429, "7".to_owned()));
    let reply = get(&mut world, LIST);
    assert_eq!((reply.status, reply.header("retry-after")), (429, Some("7")));
}

#[test]
fn a_call_with_a_lost_answer_is_processed_and_a_dropped_one_is_not() {
    let mut world = world();
    let id = world.purchase(Purchase::flat_rate("silver"));
    let path = format!("{}/activate", subscription_path(id));
    for (kind, status) in [
        (FaultKind::DropBefore, "PendingFulfillmentStart"),
        (FaultKind::Hang, "PendingFulfillmentStart"),
        (FaultKind::Garbage("<html>".to_owned()), "PendingFulfillmentStart"),
        (FaultKind::LoseAnswer, "Subscribed"),
    ] {
        world.faults_mut().once(Call::Activate, kind.clone());
        let request = request(&mut world, Method::POST, &path).with_json(&json!({}));
        let outcome = world.marketplace(&request).outcome;
        assert_eq!(world.subscription(id).status, status, "{kind:?}");
        match kind {
            FaultKind::DropBefore => assert!(matches!(outcome, Outcome::DropConnection)),
            FaultKind::Hang => assert!(matches!(outcome, Outcome::Hang)),
            FaultKind::LoseAnswer => assert!(matches!(outcome, Outcome::LoseAnswer)),
            _ => assert!(matches!(outcome, Outcome::Reply(reply) if reply.body == b"<html>")),
        }
    }
}

#[test]
fn a_delay_is_part_of_the_answer() {
    let mut world = world();
    let late = Duration::from_secs(3);
    world.faults_mut().once(Call::ListSubscriptions, FaultKind::Delay(late));
    let request = request(&mut world, Method::GET, LIST);
    let answer = world.marketplace(&request);
    assert_eq!((answer.delay, answer.reply().map(|reply| reply.status)), (late, Some(200)));
}
