//! T-16, continued: Entra's signing keys when they are cached, rotated or missing (F-WHJ-4).

use emulator::{Call, ErrorForm, FaultKind, Forgery, Purchase, Times, TokenVersion};
use http::header::AUTHORIZATION;
use serde_json::json;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::test_env::TestEnv;
use crate::token::{VERSIONS, WebhookEnv};

#[tokio::test]
async fn t_16_a_new_key_is_found_at_once_and_the_old_works_until_withdrawn() {
    // F-WHJ-4.
    let webhook = WebhookEnv::new().await;
    let old = webhook.token();
    webhook.env.signed("{}").await;
    assert_eq!(webhook.key_fetches(), 1);
    webhook.env.microsoft().entra(|entra| entra.rotate_keys());
    let new = webhook.token();
    assert_eq!(webhook.call_with(&new).await, 200);
    assert_eq!(webhook.key_fetches(), 2);
    assert_eq!(webhook.call_with(&old).await, 200, "the old key is still published");

    webhook.env.microsoft().entra(|entra| entra.withdraw_old_keys());
    webhook.env.pass(25 * 3600);
    let mut claims = webhook.claims(TokenVersion::V1);
    claims["exp"] = json!(webhook.now() + 3600);
    assert_eq!(webhook.call_with(&webhook.signed(&claims)).await, 200);
    assert_eq!(webhook.key_fetches(), 3, "keys expire from the cache");
    assert_eq!(webhook.call_with(&old).await, 401, "withdrawn (and expired)");
}

#[tokio::test]
async fn t_16_a_withdrawn_key_verifies_no_longer_than_a_day() {
    let webhook = WebhookEnv::new().await;
    let mut claims = webhook.claims(TokenVersion::V1);
    claims["exp"] = json!(webhook.now() + 100 * 3600);
    let stolen = webhook.signed(&claims);
    webhook.env.signed("{}").await;
    webhook.env.microsoft().entra(|entra| {
        entra.rotate_keys();
        entra.withdraw_old_keys();
    });
    webhook.env.pass(24 * 3600 + 1);
    assert_eq!(webhook.call_with(&stolen).await, 401);
    webhook.assert_untouched().await;
}

#[tokio::test]
async fn t_16_a_flood_of_unknown_keys_causes_five_looks_a_minute_and_then_503() {
    // F-WHJ-4. F-WHA-13: a 401 would reject a genuine call that is signed with a new key.
    let webhook = WebhookEnv::new().await;
    let claims = webhook.claims(TokenVersion::V1).to_string();
    let unknown = |number: usize| {
        let header = json!({ "alg": "RS256", "kid": format!("unknown-{number}") }).to_string();
        webhook.env.microsoft().entra(|entra| entra.sign_text(&header, &claims))
    };
    for minute in 1..=3 {
        for number in 0..20 {
            let expected = if number < 5 { 401 } else { 503 };
            assert_eq!(webhook.call_with(&unknown(number)).await, expected, "{number}");
        }
        // A look at the tenant's list, and one at the application's.
        assert_eq!(webhook.key_fetches(), 10 * minute, "in minute {minute}");
        webhook.env.pass(61);
    }
    assert_eq!(
        webhook.call_with(&webhook.token()).await,
        200,
        "Microsoft's own calls are accepted"
    );
}

#[tokio::test]
async fn t_16_a_key_that_is_published_for_the_application_only_is_accepted() {
    // F-WHJ-10.
    let webhook = WebhookEnv::new().await;
    webhook.env.microsoft().entra(|entra| entra.rotate_to_an_application_key());
    assert_eq!(webhook.call_with(&webhook.token()).await, 200);
    assert_eq!(webhook.call_with(&webhook.token()).await, 200);
    assert_eq!(webhook.key_fetches(), 2, "both lists are cached");
}

#[tokio::test]
async fn t_16_concurrent_first_calls_fetch_the_keys_once() {
    let webhook = WebhookEnv::new().await;
    let token = webhook.token();
    let answers = tokio::join!(
        webhook.call_with(&token),
        webhook.call_with(&token),
        webhook.call_with(&token),
        webhook.call_with(&token)
    );
    assert_eq!(answers, (200, 200, 200, 200));
    assert_eq!(webhook.key_fetches(), 1);
}

/// A change whose webhook call is due, and the token of that call.
struct DueCall {
    id: Uuid,
    operation: Uuid,
    token: String,
}

/// So many subscriptions with a due call, signed now, in both token versions by turns.
async fn due_calls(env: &TestEnv, number: usize) -> Vec<DueCall> {
    let mut all = Vec::new();
    for version in VERSIONS.into_iter().cycle().take(number) {
        let id = env.active(Purchase::per_seat("basic", 10)).await;
        let operation = env.world(|world| world.change_plan(id, "team")).expect("a change");
        let token = env.microsoft().entra(|entra| entra.webhook_token(version));
        all.push(DueCall { id, operation, token });
    }
    all
}

/// Makes these calls concurrently. Returns each subscription with the status of its call.
async fn call_concurrently(env: &TestEnv, calls: &[&DueCall]) -> Vec<(Uuid, u16)> {
    let mut answers = JoinSet::new();
    for call in calls {
        let request = env
            .http
            .post(env.url("/webhook"))
            .header(AUTHORIZATION, format!("Bearer {}", call.token))
            .body(env.body_of(call.operation).to_string());
        let id = call.id;
        answers.spawn(async move {
            (id, request.send().await.expect("the functions answer").status().as_u16())
        });
    }
    answers.join_all().await
}

#[tokio::test]
async fn t_16_concurrent_calls_after_a_rotation_are_accepted_with_one_more_fetch() {
    // F-WHJ-4.
    let webhook = WebhookEnv::new().await;
    let env = &webhook.env;
    env.signed("{}").await;
    assert_eq!(webhook.key_fetches(), 1);
    let old = due_calls(env, 2).await;
    env.microsoft().entra(|entra| entra.rotate_keys());
    let new = due_calls(env, 6).await;
    let calls: Vec<_> = new.iter().chain(&old).collect();
    for (id, status) in call_concurrently(env, &calls).await {
        assert_eq!(status, 200, "{id}");
        env.assert_agrees(id, "accepted after a rotation").await;
    }
    assert_eq!(webhook.key_fetches(), 2);
}

#[tokio::test]
async fn t_16_without_entras_keys_the_answer_is_a_5xx_and_never_a_401() {
    // F-WHA-13: Microsoft would read a 401 on a change as the publisher's rejection.
    let no_keys = [
        FaultKind::Status(500, ErrorForm::Html),
        FaultKind::Status(503, ErrorForm::Empty),
        FaultKind::Status(429, ErrorForm::Object),
        FaultKind::Status(404, ErrorForm::Object),
        FaultKind::Status(403, ErrorForm::BareString),
        FaultKind::Status(302, ErrorForm::Empty),
        FaultKind::RetryAfter(429, "3600".into()),
        FaultKind::DropBefore,
        FaultKind::LoseAnswer,
        FaultKind::Garbage(String::new()),
        FaultKind::Garbage("<html>".into()),
        FaultKind::Garbage("{}".into()),
        FaultKind::Garbage("[]".into()),
        FaultKind::Garbage(r#"{"keys":[]}"#.into()),
        FaultKind::Garbage(r#"{"keys":[{"kty":"EC","kid":"x","crv":"P-256"}]}"#.into()),
    ];
    for fault in no_keys {
        let webhook = WebhookEnv::new().await;
        webhook.env.fault(Call::Keys, fault.clone(), Times::Always);
        let token = webhook.token();
        let status = webhook.call_with(&token).await;
        assert!((500..600).contains(&status), "{fault:?}: {status}");
        webhook.assert_untouched().await;
        // While Entra is down, not every call causes a fetch.
        let fetches = webhook.env.calls_of(Call::Keys).len();
        for _ in 0..5 {
            assert!(webhook.call_with(&token).await >= 500);
        }
        assert_eq!(webhook.env.calls_of(Call::Keys).len(), fetches, "{fault:?}");

        webhook.env.world(|world| world.faults_mut().clear());
        webhook.env.pass(3);
        assert_eq!(webhook.call_with(&token).await, 200, "{fault:?}");
    }
}

#[tokio::test]
async fn t_16_cached_keys_work_while_entra_is_down() {
    let webhook = WebhookEnv::new().await;
    webhook.env.signed("{}").await;
    webhook.env.fault(Call::Keys, FaultKind::DropBefore, Times::Always);
    webhook.env.pass(120);
    let unknown =
        webhook.env.microsoft().entra(|entra| entra.forge(Forgery::UnknownKid, TokenVersion::V1));
    assert!(webhook.call_with(&unknown).await >= 500, "the key may be a new one");
    assert_eq!(webhook.call_with(&webhook.token()).await, 200);
}

#[tokio::test]
async fn t_16_malformed_entries_beside_the_right_key_do_no_harm() {
    let webhook = WebhookEnv::new().await;
    let entra = webhook.env.microsoft().entra_authority();
    let tenant = webhook.env.world(|world| world.settings().tenant_id.clone());
    let published = webhook.env.http.get(format!("{entra}/{tenant}/discovery/v2.0/keys"));
    let mut keys = webhook.env.send(published).await.json();
    let entries = keys["keys"].as_array_mut().expect("keys");
    entries[0].as_object_mut().expect("a key").remove("use");
    entries.insert(0, json!({ "kty": "EC", "kid": "ec", "crv": "P-256", "x": "AA", "y": "AA" }));
    entries.insert(0, json!({ "kty": "RSA", "kid": 7 }));
    entries.push(json!("a word"));
    entries.push(json!(null));
    webhook.env.fault(Call::Keys, FaultKind::Garbage(keys.to_string()), Times::Always);
    assert_eq!(webhook.call_with(&webhook.token()).await, 200);
}
