//! The management API: idempotency keys and `If-Match`.

use std::time::Duration;

use emulator::{Call, ErrorForm, FaultKind, Purchase, Times};
use http::{Method, StatusCode};
use jiff::SignedDuration;
use local::Options;
use serde_json::json;
use shared::config::{Dependencies, ManagementSettings};
use shared::host::environment::Environment;
use shared::store::IdempotencyRecord;
use uuid::Uuid;

use crate::failing_store::{Failing, Switch};
use crate::test_env::{Answer, TestEnv, is_problem};

/// A change or, without a body, a cancellation.
async fn ask(env: &TestEnv, id: Uuid, body: Option<&str>, headers: &[(&str, &str)]) -> Answer {
    let method = if body.is_some() { Method::PATCH } else { Method::DELETE };
    let mut request = env.http.request(method, env.url(&format!("/subscriptions/{id}")));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    env.send(request.body(body.unwrap_or_default().to_owned())).await
}

async fn ask_with_key(env: &TestEnv, id: Uuid, body: Option<&str>, key: &str) -> Answer {
    ask(env, id, body, &[("idempotency-key", key)]).await
}

fn replayed(answer: &Answer) -> bool {
    answer.headers.contains_key("idempotency-replayed")
}

const ELEVEN: Option<&str> = Some(r#"{"quantity":11}"#);

#[tokio::test]
async fn t_28_a_request_repeated_under_its_key_reaches_microsoft_once() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::per_seat("basic", 10)).await;
    let first = ask_with_key(&env, id, ELEVEN, "order-1").await;
    assert_eq!((first.status, replayed(&first)), (StatusCode::ACCEPTED, false), "{}", first.body);
    // Neither other JSON whitespace nor the change's outcome matters.
    let again = ask_with_key(&env, id, Some(r#"{ "quantity": 11 }"#), "order-1").await;
    assert_eq!(env.deliver_statuses().await, [200]);
    let later = ask_with_key(&env, id, ELEVEN, "order-1").await;
    for answer in [again, later] {
        assert_eq!((answer.status, &answer.body), (first.status, &first.body));
        assert!(replayed(&answer));
        for header in ["location", "content-type", "retry-after"] {
            assert_eq!(answer.headers[header], first.headers[header]);
        }
    }
    assert_eq!(env.calls(Call::UpdateSubscription), 1);

    let first = ask_with_key(&env, id, None, "order-2").await;
    let again = ask_with_key(&env, id, None, "order-2").await;
    assert_eq!((again.status, &again.body), (first.status, &first.body));
    assert_eq!((first.status, replayed(&again)), (StatusCode::ACCEPTED, true));
    assert_eq!(env.calls(Call::DeleteSubscription), 1);
}

#[tokio::test]
async fn a_key_reused_for_another_request_is_refused() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::per_seat("basic", 10)).await;
    let other = env.active(Purchase::per_seat("basic", 10)).await;
    assert_eq!(ask_with_key(&env, id, ELEVEN, "a").await.status, StatusCode::ACCEPTED);
    for (id, body) in [
        (id, Some(r#"{"quantity":12}"#)),
        (id, Some(r#"{"planId":"team"}"#)),
        (id, None),
        (other, ELEVEN),
    ] {
        let answer = ask_with_key(&env, id, body, "a").await;
        is_problem(&answer, StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused");
    }
    assert_eq!(env.calls(Call::UpdateSubscription) + env.calls(Call::DeleteSubscription), 1);
}

#[tokio::test]
async fn a_key_is_valid_for_a_day() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::per_seat("basic", 10)).await;
    assert_eq!(ask_with_key(&env, id, ELEVEN, "a").await.status, StatusCode::ACCEPTED);
    assert_eq!(env.deliver_statuses().await, [200]);
    env.advance(Duration::from_secs(24 * 60 * 60 - 60));
    assert!(replayed(&ask_with_key(&env, id, ELEVEN, "a").await));
    env.advance(Duration::from_secs(60));
    let expired = ask_with_key(&env, id, ELEVEN, "a").await;
    is_problem(&expired, StatusCode::CONFLICT, "already_in_force");
    let other = ask_with_key(&env, id, Some(r#"{"quantity":12}"#), "a").await;
    assert_eq!((other.status, replayed(&other)), (StatusCode::ACCEPTED, false));
}

#[tokio::test]
async fn an_unknown_outcome_stays_unknown_and_nothing_is_requested_again() {
    // F-ERR-2.
    let env = TestEnv::new().await;
    let id = env.active(Purchase::per_seat("basic", 10)).await;
    env.fault(Call::UpdateSubscription, FaultKind::LoseAnswer, Times::Once);
    for _ in 0..2 {
        let answer = ask_with_key(&env, id, ELEVEN, "a").await;
        is_problem(&answer, StatusCode::GATEWAY_TIMEOUT, "outcome_unknown");
    }
    assert_eq!(env.calls(Call::UpdateSubscription), 1);
}

#[tokio::test]
async fn a_refusal_from_microsoft_is_replayed_unchanged() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::per_seat("basic", 10)).await;
    let refusal = FaultKind::Status(400, ErrorForm::Nested);
    env.fault(Call::UpdateSubscription, refusal, Times::Once);
    let first = ask_with_key(&env, id, ELEVEN, "a").await;
    is_problem(&first, StatusCode::CONFLICT, "refused");
    let again = ask_with_key(&env, id, ELEVEN, "a").await;
    is_problem(&again, StatusCode::CONFLICT, "refused");
    assert_eq!((&again.body, replayed(&again)), (&first.body, true));
    assert_eq!(env.calls(Call::UpdateSubscription), 1);
}

#[tokio::test]
async fn a_request_that_was_not_carried_out_can_reuse_its_key() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::per_seat("basic", 10)).await;
    // Three requests that Microsoft did not carry out: refused by us, throttled, and locked.
    env.world(|world| world.suspend(id)).expect("a suspension");
    assert_eq!(env.deliver_statuses().await, [200]);
    is_problem(&ask_with_key(&env, id, ELEVEN, "a").await, StatusCode::CONFLICT, "not_subscribed");
    env.world(|world| world.reinstate(id)).expect("a reinstatement");
    assert!(env.deliver_statuses().await.iter().all(|status| *status == 200));
    env.advance(Duration::from_secs(120));
    let throttled = FaultKind::RetryAfter(429, "600".to_owned());
    env.fault(Call::UpdateSubscription, throttled, Times::Once);
    let answer = ask_with_key(&env, id, ELEVEN, "a").await;
    is_problem(&answer, StatusCode::SERVICE_UNAVAILABLE, "microsoft_unavailable");
    let locked = FaultKind::Status(409, ErrorForm::Nested);
    env.fault(Call::UpdateSubscription, locked, Times::Once);
    is_problem(
        &ask_with_key(&env, id, ELEVEN, "a").await,
        StatusCode::CONFLICT,
        "operation_pending",
    );
    let answer = ask_with_key(&env, id, ELEVEN, "a").await;
    assert_eq!((answer.status, replayed(&answer)), (StatusCode::ACCEPTED, false));
}

/// The settings of the management function, which hold its idempotency store.
fn settings(env: &TestEnv) -> ManagementSettings {
    let variables = env.system.variables.clone();
    let environment = Environment::from_fn(move |name| variables.get(name).cloned());
    let dependencies =
        Dependencies::with_clock(&environment, env.system.clock.clone()).expect("settings");
    ManagementSettings::read(&environment, &dependencies).expect("settings")
}

#[tokio::test]
async fn an_interrupted_request_is_first_in_progress_and_then_unknown() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::per_seat("basic", 10)).await;
    let interrupted = IdempotencyRecord {
        request: format!("PATCH {id} quantity 11"),
        begun_at: env.system.clock.now(),
        response: None,
    };
    settings(&env).idempotency.begin("a", &interrupted).await.expect("stored");
    let answer = ask_with_key(&env, id, ELEVEN, "a").await;
    is_problem(&answer, StatusCode::CONFLICT, "request_in_progress");
    env.advance(Duration::from_secs(60));
    let answer = ask_with_key(&env, id, ELEVEN, "a").await;
    is_problem(&answer, StatusCode::GATEWAY_TIMEOUT, "outcome_unknown");
    assert_eq!(env.calls(Call::UpdateSubscription), 0);
}

#[tokio::test]
async fn an_idempotency_record_expires_and_holds_only_request_and_response() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::per_seat("basic", 10)).await;
    let first = ask_with_key(&env, id, ELEVEN, "a").await;
    let now = env.system.clock.now();
    let record = settings(&env).idempotency.find("a", now).await.expect("a read");
    let record = record.expect("a record");
    assert_eq!(record.request, format!("PATCH {id} quantity 11"));
    assert_eq!(record.response.expect("an answer").body, first.body);
    let url = env.system.database_url().expect("an embedded database");
    let raw = local::database::client(url, "us-east-1");
    let table = &env.system.variables["TABLE_NAME"];
    let item = raw.scan().table_name(table).send().await.expect("a scan").items.unwrap_or_default();
    let item = item.into_iter().find(|item| item["pk"].as_s().is_ok_and(|pk| pk == "REQUEST#a"));
    let expires = item.expect("the item")["expires_at"].as_n().expect("a number").clone();
    let day = record.begun_at + SignedDuration::from_hours(24);
    assert_eq!(expires, day.as_second().to_string());
}

#[tokio::test]
async fn malformed_keys_and_conditions_are_refused() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::per_seat("basic", 10)).await;
    let long = "x".repeat(256);
    for headers in [
        &[("idempotency-key", "")][..],
        &[("idempotency-key", "two words")],
        &[("idempotency-key", &long)],
        &[("idempotency-key", "a"), ("idempotency-key", "b")],
        &[("if-match", "7")],
        &[("if-match", "\"7")],
    ] {
        let answer = ask(&env, id, ELEVEN, headers).await;
        is_problem(&answer, StatusCode::BAD_REQUEST, "malformed_request");
    }
    assert_eq!(env.calls(Call::UpdateSubscription), 0);
}

#[tokio::test]
async fn a_change_with_if_match_applies_only_to_that_version() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::per_seat("basic", 10)).await;
    let seen = env.get(&format!("/subscriptions/{id}")).await;
    let seen = seen.headers["etag"].to_str().expect("text").to_owned();
    // The customer's change comes first.
    env.world(|world| world.change_quantity(id, 15)).expect("a change");
    assert_eq!(env.deliver_statuses().await, [200]);
    for (tag, status) in [
        (seen.as_str(), 412),
        ("\"999\"", 412),
        (&format!("W/{seen}"), 412),
        ("\"998\", \"999\"", 412),
    ] {
        for body in [ELEVEN, None] {
            let answer = ask(&env, id, body, &[("if-match", tag)]).await;
            assert_eq!(answer.status.as_u16(), status, "{tag}: {}", answer.body);
            is_problem(&answer, StatusCode::PRECONDITION_FAILED, "version_mismatch");
        }
    }
    assert_eq!(env.calls(Call::UpdateSubscription) + env.calls(Call::DeleteSubscription), 0);
    let seen = env.get(&format!("/subscriptions/{id}")).await;
    let seen = seen.headers["etag"].to_str().expect("text").to_owned();
    let headers = [("if-match", seen.as_str()), ("idempotency-key", "a")];
    let first = ask(&env, id, ELEVEN, &headers).await;
    assert_eq!(first.status, StatusCode::ACCEPTED, "{}", first.body);
    // The repeated request is replayed, although its own change made a new version.
    let again = ask(&env, id, ELEVEN, &headers).await;
    assert_eq!((again.status, &again.body), (StatusCode::ACCEPTED, &first.body));
    assert_eq!(env.deliver_statuses().await, [200]);
    let any = ask(&env, id, Some(r#"{"quantity":12}"#), &[("if-match", "*")]).await;
    assert_eq!(any.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn an_unreported_change_at_microsoft_fails_if_match() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::per_seat("basic", 10)).await;
    let seen = env.get(&format!("/subscriptions/{id}")).await;
    let seen = seen.headers["etag"].to_str().expect("text").to_owned();
    env.world(|world| {
        world.change_quantity(id, 15).expect("a change");
        world.lose_deliveries();
        world.advance(Duration::from_secs(15 * 60));
    });
    let answer = ask(&env, id, ELEVEN, &[("if-match", &seen)]).await;
    is_problem(&answer, StatusCode::PRECONDITION_FAILED, "version_mismatch");
    assert_eq!(env.record(id).await.expect("a record").subscription.quantity, Some(15));
    assert_eq!(json!(env.calls(Call::UpdateSubscription)), json!(0));
}

#[tokio::test]
async fn if_match_refuses_a_record_that_changes_after_it_was_checked() {
    let (switch, options) = Switch::new(Options::default());
    let env = TestEnv::with(options).await;
    let id = env.active(Purchase::per_seat("basic", 10)).await;
    let version = env.record(id).await.expect("a record").version;
    let ask = async |version: u64| {
        let tag = format!("\"{version}\"");
        ask(&env, id, ELEVEN, &[("if-match", &tag), ("idempotency-key", "a")]).await
    };
    switch.set(Failing::Overtaken);
    is_problem(&ask(version).await, StatusCode::PRECONDITION_FAILED, "version_mismatch");
    assert_eq!(env.calls(Call::UpdateSubscription), 0);
    // Nothing was carried out, so the key is free.
    assert_eq!(ask(version + 1).await.status, StatusCode::ACCEPTED);
    assert_eq!(env.calls(Call::UpdateSubscription), 1);
}

#[tokio::test]
async fn of_two_equal_requests_with_if_match_at_the_same_moment_one_is_refused() {
    let env = TestEnv::new().await;
    for body in [ELEVEN, None] {
        let id = env.active(Purchase::per_seat("basic", 10)).await;
        let tag = format!("\"{}\"", env.record(id).await.expect("a record").version);
        let ask = async || ask(&env, id, body, &[("if-match", &tag)]).await;
        let (first, second) = tokio::join!(ask(), ask());
        let mut statuses = [first.status.as_u16(), second.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [202, 412], "{body:?}: {} {}", first.body, second.body);
    }
    assert_eq!(env.calls(Call::UpdateSubscription), 1);
    assert_eq!(env.calls(Call::DeleteSubscription), 1);
}
