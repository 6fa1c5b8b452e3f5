//! The publisher's own API: requests that are repeated, and requests on a condition.

use std::time::Duration;

use emulator::{Call, ErrorForm, FaultKind, Purchase, Times};
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::json;
use shared::config::{Dependencies, ManagementSettings};
use shared::host::environment::Environment;
use shared::store::IdempotencyRecord;
use uuid::Uuid;

use crate::scene::{Answer, Scene, is_problem};

/// A change or, without a body, a cancellation.
async fn ask(scene: &Scene, id: Uuid, body: Option<&str>, headers: &[(&str, &str)]) -> Answer {
    let method = if body.is_some() { Method::PATCH } else { Method::DELETE };
    let mut request = scene.http.request(method, scene.url(&format!("/subscriptions/{id}")));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    scene.send(request.body(body.unwrap_or_default().to_owned())).await
}

async fn keyed(scene: &Scene, id: Uuid, body: Option<&str>, key: &str) -> Answer {
    ask(scene, id, body, &[("idempotency-key", key)]).await
}

fn replayed(answer: &Answer) -> bool {
    answer.headers.contains_key("idempotency-replayed")
}

const ELEVEN: Option<&str> = Some(r#"{"quantity":11}"#);

#[tokio::test]
async fn t_28_the_same_request_under_the_same_key_is_asked_for_once() {
    let scene = Scene::new().await;
    let id = scene.active(Purchase::per_seat("basic", 10)).await;
    let first = keyed(&scene, id, ELEVEN, "order-1").await;
    assert_eq!((first.status, replayed(&first)), (StatusCode::ACCEPTED, false), "{}", first.body);
    // However it is written, and whatever has come of it meanwhile.
    let again = keyed(&scene, id, Some(r#"{ "quantity": 11 }"#), "order-1").await;
    assert_eq!(scene.deliver_statuses().await, [200]);
    let later = keyed(&scene, id, ELEVEN, "order-1").await;
    for answer in [again, later] {
        assert_eq!((answer.status, &answer.body), (first.status, &first.body));
        assert!(replayed(&answer));
        for header in ["location", "content-type", "retry-after"] {
            assert_eq!(answer.headers[header], first.headers[header]);
        }
    }
    assert_eq!(scene.calls(Call::UpdateSubscription), 1);

    let first = keyed(&scene, id, None, "order-2").await;
    let again = keyed(&scene, id, None, "order-2").await;
    assert_eq!((again.status, &again.body), (first.status, &first.body));
    assert_eq!((first.status, replayed(&again)), (StatusCode::ACCEPTED, true));
    assert_eq!(scene.calls(Call::DeleteSubscription), 1);
}

#[tokio::test]
async fn a_key_that_comes_with_another_request_is_refused() {
    let scene = Scene::new().await;
    let id = scene.active(Purchase::per_seat("basic", 10)).await;
    let other = scene.active(Purchase::per_seat("basic", 10)).await;
    assert_eq!(keyed(&scene, id, ELEVEN, "a").await.status, StatusCode::ACCEPTED);
    for (id, body) in [
        (id, Some(r#"{"quantity":12}"#)),
        (id, Some(r#"{"planId":"team"}"#)),
        (id, None),
        (other, ELEVEN),
    ] {
        let answer = keyed(&scene, id, body, "a").await;
        is_problem(&answer, StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused");
    }
    assert_eq!(scene.calls(Call::UpdateSubscription) + scene.calls(Call::DeleteSubscription), 1);
}

#[tokio::test]
async fn a_key_is_good_for_a_day() {
    let scene = Scene::new().await;
    let id = scene.active(Purchase::per_seat("basic", 10)).await;
    assert_eq!(keyed(&scene, id, ELEVEN, "a").await.status, StatusCode::ACCEPTED);
    assert_eq!(scene.deliver_statuses().await, [200]);
    scene.advance(Duration::from_secs(24 * 60 * 60 - 60));
    assert!(replayed(&keyed(&scene, id, ELEVEN, "a").await));
    scene.advance(Duration::from_secs(60));
    let anew = keyed(&scene, id, ELEVEN, "a").await;
    is_problem(&anew, StatusCode::CONFLICT, "already_in_force");
    let other = keyed(&scene, id, Some(r#"{"quantity":12}"#), "a").await;
    assert_eq!((other.status, replayed(&other)), (StatusCode::ACCEPTED, false));
}

#[tokio::test]
async fn an_outcome_that_nobody_knows_stays_unknown_and_nothing_is_asked_for_again() {
    // F-ERR-2.
    let scene = Scene::new().await;
    let id = scene.active(Purchase::per_seat("basic", 10)).await;
    scene.fault(Call::UpdateSubscription, FaultKind::LoseAnswer, Times::Once);
    for _ in 0..2 {
        let answer = keyed(&scene, id, ELEVEN, "a").await;
        is_problem(&answer, StatusCode::GATEWAY_TIMEOUT, "outcome_unknown");
    }
    assert_eq!(scene.calls(Call::UpdateSubscription), 1);
}

#[tokio::test]
async fn a_refusal_of_microsofts_is_repeated_as_it_was() {
    let scene = Scene::new().await;
    let id = scene.active(Purchase::per_seat("basic", 10)).await;
    let refusal = FaultKind::Status(400, ErrorForm::Nested);
    scene.fault(Call::UpdateSubscription, refusal, Times::Once);
    let first = keyed(&scene, id, ELEVEN, "a").await;
    is_problem(&first, StatusCode::CONFLICT, "refused");
    let again = keyed(&scene, id, ELEVEN, "a").await;
    is_problem(&again, StatusCode::CONFLICT, "refused");
    assert_eq!((&again.body, replayed(&again)), (&first.body, true));
    assert_eq!(scene.calls(Call::UpdateSubscription), 1);
}

#[tokio::test]
async fn what_was_not_carried_out_may_be_asked_for_again_under_its_key() {
    let scene = Scene::new().await;
    let id = scene.active(Purchase::per_seat("basic", 10)).await;
    // Refused before Microsoft was asked, throttled for too long, locked.
    scene.world(|world| world.suspend(id)).expect("a suspension");
    assert_eq!(scene.deliver_statuses().await, [200]);
    is_problem(&keyed(&scene, id, ELEVEN, "a").await, StatusCode::CONFLICT, "not_subscribed");
    scene.world(|world| world.reinstate(id)).expect("a reinstatement");
    assert!(scene.deliver_statuses().await.iter().all(|status| *status == 200));
    scene.advance(Duration::from_secs(120));
    let throttled = FaultKind::RetryAfter(429, "600".to_owned());
    scene.fault(Call::UpdateSubscription, throttled, Times::Once);
    let answer = keyed(&scene, id, ELEVEN, "a").await;
    is_problem(&answer, StatusCode::SERVICE_UNAVAILABLE, "unavailable");
    let locked = FaultKind::Status(409, ErrorForm::Nested);
    scene.fault(Call::UpdateSubscription, locked, Times::Once);
    is_problem(&keyed(&scene, id, ELEVEN, "a").await, StatusCode::CONFLICT, "operation_pending");
    let answer = keyed(&scene, id, ELEVEN, "a").await;
    assert_eq!((answer.status, replayed(&answer)), (StatusCode::ACCEPTED, false));
}

/// The functions' own view of the requests.
fn settings(scene: &Scene) -> ManagementSettings {
    let variables = scene.stage.variables.clone();
    let environment = Environment::from_fn(move |name| variables.get(name).cloned());
    let dependencies =
        Dependencies::with_clock(&environment, scene.stage.clock.clone()).expect("settings");
    ManagementSettings::read(&environment, &dependencies).expect("settings")
}

#[tokio::test]
async fn a_request_that_died_under_way_is_first_under_way_and_then_unknown() {
    let scene = Scene::new().await;
    let id = scene.active(Purchase::per_seat("basic", 10)).await;
    let died = IdempotencyRecord {
        request: format!("PATCH {id} quantity 11"),
        begun_at: scene.stage.clock.now(),
        response: None,
    };
    settings(&scene).idempotency.begin("a", &died).await.expect("kept");
    let answer = keyed(&scene, id, ELEVEN, "a").await;
    is_problem(&answer, StatusCode::CONFLICT, "request_in_progress");
    scene.advance(Duration::from_secs(60));
    let answer = keyed(&scene, id, ELEVEN, "a").await;
    is_problem(&answer, StatusCode::GATEWAY_TIMEOUT, "outcome_unknown");
    assert_eq!(scene.calls(Call::UpdateSubscription), 0);
}

#[tokio::test]
async fn what_is_kept_of_a_request_expires_and_holds_no_more_than_it_must() {
    let scene = Scene::new().await;
    let id = scene.active(Purchase::per_seat("basic", 10)).await;
    let first = keyed(&scene, id, ELEVEN, "a").await;
    let now = scene.stage.clock.now();
    let kept = settings(&scene).idempotency.find("a", now).await.expect("a read");
    let kept = kept.expect("it is kept");
    assert_eq!(kept.request, format!("PATCH {id} quantity 11"));
    assert_eq!(kept.response.expect("an answer").body, first.body);
    let url = scene.stage.database_url().expect("an embedded database");
    let raw = local::database::client(url, "us-east-1");
    let table = &scene.stage.variables["TABLE_NAME"];
    let item = raw.scan().table_name(table).send().await.expect("a scan").items.unwrap_or_default();
    let item = item.into_iter().find(|item| item["pk"].as_s().is_ok_and(|pk| pk == "REQUEST#a"));
    let expires = item.expect("the item")["expires_at"].as_n().expect("a number").clone();
    let day = kept.begun_at + SignedDuration::from_hours(24);
    assert_eq!(expires, day.as_second().to_string());
}

#[tokio::test]
async fn keys_and_conditions_that_can_not_be_read_are_refused() {
    let scene = Scene::new().await;
    let id = scene.active(Purchase::per_seat("basic", 10)).await;
    let long = "x".repeat(256);
    for headers in [
        &[("idempotency-key", "")][..],
        &[("idempotency-key", "two words")],
        &[("idempotency-key", &long)],
        &[("idempotency-key", "a"), ("idempotency-key", "b")],
        &[("if-match", "7")],
        &[("if-match", "\"7")],
    ] {
        let answer = ask(&scene, id, ELEVEN, headers).await;
        is_problem(&answer, StatusCode::BAD_REQUEST, "malformed_request");
    }
    assert_eq!(scene.calls(Call::UpdateSubscription), 0);
}

#[tokio::test]
async fn a_change_is_made_only_of_the_version_that_it_was_thought_of_for() {
    let scene = Scene::new().await;
    let id = scene.active(Purchase::per_seat("basic", 10)).await;
    let seen = scene.get(&format!("/subscriptions/{id}")).await;
    let seen = seen.headers["etag"].to_str().expect("text").to_owned();
    // The customer is faster, and we don't know yet.
    scene.world(|world| world.change_quantity(id, 15)).expect("a change");
    assert_eq!(scene.deliver_statuses().await, [200]);
    for (tag, status) in [
        (seen.as_str(), 412),
        ("\"999\"", 412),
        (&format!("W/{seen}"), 412),
        ("\"998\", \"999\"", 412),
    ] {
        for body in [ELEVEN, None] {
            let answer = ask(&scene, id, body, &[("if-match", tag)]).await;
            assert_eq!(answer.status.as_u16(), status, "{tag}: {}", answer.body);
            is_problem(&answer, StatusCode::PRECONDITION_FAILED, "version_mismatch");
        }
    }
    assert_eq!(scene.calls(Call::UpdateSubscription) + scene.calls(Call::DeleteSubscription), 0);
    let seen = scene.get(&format!("/subscriptions/{id}")).await;
    let seen = seen.headers["etag"].to_str().expect("text").to_owned();
    let headers = [("if-match", seen.as_str()), ("idempotency-key", "a")];
    let first = ask(&scene, id, ELEVEN, &headers).await;
    assert_eq!(first.status, StatusCode::ACCEPTED, "{}", first.body);
    // Repeated, it meets the version that it made itself.
    let again = ask(&scene, id, ELEVEN, &headers).await;
    assert_eq!((again.status, &again.body), (StatusCode::ACCEPTED, &first.body));
    assert_eq!(scene.deliver_statuses().await, [200]);
    let any = ask(&scene, id, Some(r#"{"quantity":12}"#), &[("if-match", "*")]).await;
    assert_eq!(any.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn a_change_at_microsoft_that_was_not_reported_yet_is_another_version() {
    let scene = Scene::new().await;
    let id = scene.active(Purchase::per_seat("basic", 10)).await;
    let seen = scene.get(&format!("/subscriptions/{id}")).await;
    let seen = seen.headers["etag"].to_str().expect("text").to_owned();
    scene.world(|world| {
        world.change_quantity(id, 15).expect("a change");
        world.lose_deliveries();
        world.advance(Duration::from_secs(15 * 60));
    });
    let answer = ask(&scene, id, ELEVEN, &[("if-match", &seen)]).await;
    is_problem(&answer, StatusCode::PRECONDITION_FAILED, "version_mismatch");
    assert_eq!(scene.record(id).await.expect("a record").subscription.quantity, Some(15));
    assert_eq!(json!(scene.calls(Call::UpdateSubscription)), json!(0));
}
