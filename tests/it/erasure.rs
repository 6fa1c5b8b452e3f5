//! The erasure of personal data: when it is refused, and that it happens once and stays.

use emulator::Purchase;
use http::StatusCode;
use jiff::SignedDuration;
use local::Options;
use serde_json::json;
use shared::domain::KEPT_AFTER_END;
use uuid::Uuid;

use crate::browser::Browser;
use crate::erasure_env::{DAY, end, ended, erase, erase_version, erased};
use crate::raw_receiver::{RawReceiver, Then};
use crate::sign_in::env_with_sign_in;
use crate::test_env::{TestEnv, is_problem};

#[tokio::test]
async fn only_the_data_of_an_ended_subscription_is_erased() {
    let env = TestEnv::new().await;
    let unknown = erase(&env, Uuid::from_u128(0xabc)).await;
    is_problem(&unknown, StatusCode::NOT_FOUND, "unknown_subscription");
    let pending = env.purchase(Purchase::flat_rate("silver"));
    env.visit(pending).await;
    let active = env.active(Purchase::flat_rate("silver")).await;
    let suspended = env.active(Purchase::flat_rate("silver")).await;
    env.world(|world| world.suspend(suspended)).expect("a suspension");
    env.deliver_all().await;
    env.advance(20 * DAY);
    for id in [pending, active, suspended] {
        let before = env.record(id).await;
        is_problem(&erase(&env, id).await, StatusCode::CONFLICT, "not_ended");
        assert_eq!(env.record(id).await, before);
    }
}

#[tokio::test]
async fn data_stays_for_seven_days_after_the_end() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::flat_rate("silver")).await;
    end(&env, id).await;
    let ended_at = env.events(id).await.pop().expect("an event").recorded_at;
    for wait in [DAY, 6 * DAY - std::time::Duration::from_secs(60)] {
        env.advance(wait);
        let refused = erase(&env, id).await;
        is_problem(&refused, StatusCode::CONFLICT, "too_early");
        let possible_at = (ended_at + KEPT_AFTER_END).to_string();
        assert!(refused.body.contains(&possible_at), "{possible_at}: {}", refused.body);
    }
    env.advance(std::time::Duration::from_secs(60));
    let answer = erased(&env, id).await;
    assert_eq!(answer.json()["erasedAt"], json!(env.system.clock.now()));
}

#[tokio::test]
async fn undelivered_events_postpone_an_erasure_also_when_they_are_parked() {
    let answer = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n".to_vec();
    let receiver = RawReceiver::start(answer, Then::Closes).await;
    let options = Options::default().with("DELIVERY_PARK_AFTER_DAYS", "1");
    let env = receiver.env_with(options).await;
    let id = env.active(Purchase::flat_rate("silver")).await;
    env.world(|world| world.unsubscribe(id)).expect("an end");
    env.deliver_all().await;
    env.advance(8 * DAY);
    is_problem(&erase(&env, id).await, StatusCode::CONFLICT, "undelivered_events");
    env.system.deliver_events().await.expect("an attempt");
    assert!(receiver.requests() > 0);
    is_problem(&erase(&env, id).await, StatusCode::CONFLICT, "undelivered_events");
    env.advance(2 * DAY);
    env.system.sweep().await.expect("a sweep");
    let waiting = env.get("/doctor").await.body;
    assert!(waiting.contains("parked"), "{waiting}");
    is_problem(&erase(&env, id).await, StatusCode::CONFLICT, "undelivered_events");
    assert!(!env.record(id).await.expect("a record").is_erased());
}

#[tokio::test]
async fn without_a_receiver_no_event_waits_for_one() {
    let env = TestEnv::new().await;
    let id = ended(&env).await;
    assert_eq!(erase(&env, id).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_repeated_erasure_changes_nothing_and_gets_the_same_answer() {
    let env = TestEnv::new().await;
    let id = ended(&env).await;
    let before = env.record(id).await.expect("a record");
    let other = erase_version(&env, id, before.version + 7).await;
    is_problem(&other, StatusCode::PRECONDITION_FAILED, "version_mismatch");
    let first = erase_version(&env, id, before.version).await;
    assert_eq!(first.status, StatusCode::OK, "{}", first.body);
    let record = env.record(id).await.expect("a record");
    assert_eq!(first.headers["etag"], format!("\"{}\"", record.version));
    assert_eq!(first.json()["version"], record.version);
    let names = env.event_names(id).await;
    assert_eq!(names.iter().filter(|name| **name == "PersonalDataErased").count(), 1, "{names:?}");
    env.advance(DAY);
    for again in [erase(&env, id).await, erase_version(&env, id, before.version).await] {
        assert_eq!((again.status, &again.body), (StatusCode::OK, &first.body));
    }
    assert_eq!((env.record(id).await, env.event_names(id).await), (Some(record), names));
}

#[tokio::test]
async fn nothing_is_noted_about_an_erased_subscription() {
    let env = TestEnv::new().await;
    let id = ended(&env).await;
    erased(&env, id).await;
    for patch in [json!({ "reference": "C-4711" }), json!({ "metadata": { "a": "1" } })] {
        let refused = env.change(id, &patch).await;
        is_problem(&refused, StatusCode::CONFLICT, "personal_data_erased");
    }
    for change in [env.change(id, &json!({ "quantity": 3 })).await, env.cancel(id).await] {
        assert_eq!(change.status, StatusCode::CONFLICT, "{}", change.body);
    }
    let record = env.get(&format!("/subscriptions/{id}")).await.json();
    assert_eq!((&record["reference"], &record["metadata"]), (&json!(null), &json!(null)));
}

/// Microsoft still knows the people, and its answers show them.
#[tokio::test]
async fn microsofts_late_calls_and_copies_bring_nobody_back() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::per_seat("basic", 10)).await;
    let operation = env.world(|world| world.unsubscribe(id)).expect("an end");
    let call = env.body_of(operation).to_string();
    env.deliver_all().await;
    env.advance(8 * DAY);
    erased(&env, id).await;
    let record = env.record(id).await;
    let events = env.events(id).await;
    let late = env.signed(call).await;
    assert_eq!(late.status, StatusCode::OK, "{}", late.body);
    let observed = env.http.post(env.url(&format!("/subscriptions/{id}/observe")));
    let observed = env.send(observed).await;
    assert_eq!(observed.status, StatusCode::OK, "{}", observed.body);
    assert_eq!(observed.json()["subscription"]["beneficiary"], json!({}));
    for _ in 0..2 {
        let report = env.system.reconcile().await.expect("a round");
        assert_eq!((report.examined, report.repaired, report.failed), (1, 0, 0));
        env.advance(DAY);
    }
    assert_eq!((env.record(id).await, env.events(id).await), (record, events));
}

#[tokio::test]
async fn the_landing_page_shows_an_erased_subscription_as_ended_and_nobody() {
    let env = env_with_sign_in().await;
    let id = env.purchase(Purchase::flat_rate("silver").named("Fleet of twelve"));
    let mut browser = Browser::new(&env);
    browser.sign_in(id, "adele@contoso.example").await;
    browser.confirm().await;
    end(&env, id).await;
    env.advance(8 * DAY);
    erased(&env, id).await;
    let before = env.record(id).await;
    for email in ["adele@contoso.example", "carl@contoso.example"] {
        let mut browser = Browser::new(&env);
        browser.sign_in(id, email).await;
        let page = browser.page().await;
        assert!(page.body.contains("ended") || email.starts_with("carl"), "{}", page.body);
        assert!(!page.body.contains("Fleet of twelve"), "{email}: {}", page.body);
    }
    assert_eq!(env.record(id).await, before, "a visit leaves no trace");
}

#[test]
fn the_kept_time_is_seven_days() {
    assert_eq!(KEPT_AFTER_END, SignedDuration::from_hours(168), "F-LC-8");
}
