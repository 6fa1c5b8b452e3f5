//! Whose signature counts: Entra's keys, cached, rotated, missing (F-WHJ-4). T-16, continued.

use emulator::{Call, ErrorForm, FaultKind, Forgery, Purchase, Times, TokenVersion};
use http::header::AUTHORIZATION;
use serde_json::json;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::scene::Scene;
use crate::token::{Door, VERSIONS};

#[tokio::test]
async fn t_16_a_new_key_is_found_after_the_cooldown_and_the_old_one_stays_good_until_withdrawn() {
    // F-WHJ-4.
    let door = Door::new().await;
    let old = door.token();
    door.scene.signed("{}").await;
    assert_eq!(door.key_fetches(), 1);
    door.scene.microsoft().entra(|entra| entra.rotate_keys());
    let new = door.token();
    assert_ne!(door.knock(&new).await, 200, "Entra was asked moments ago");
    assert_eq!(door.key_fetches(), 1, "and isn't asked again for every key somebody names");

    door.scene.pass(61);
    assert_eq!(door.knock(&new).await, 200);
    assert_eq!(door.key_fetches(), 2);
    assert_eq!(door.knock(&old).await, 200, "the old key is still published");

    door.scene.microsoft().entra(|entra| entra.withdraw_old_keys());
    door.scene.pass(25 * 3600);
    let mut claims = door.claims(TokenVersion::V1);
    claims["exp"] = json!(door.now() + 3600);
    assert_eq!(door.knock(&door.signed(&claims)).await, 200);
    assert_eq!(door.key_fetches(), 3, "keys are not kept for ever");
    assert_eq!(door.knock(&old).await, 401, "withdrawn (and expired)");
}

#[tokio::test]
async fn t_16_a_withdrawn_key_verifies_no_longer_than_a_day() {
    let door = Door::new().await;
    let mut claims = door.claims(TokenVersion::V1);
    claims["exp"] = json!(door.now() + 100 * 3600);
    let stolen = door.signed(&claims);
    door.scene.signed("{}").await;
    door.scene.microsoft().entra(|entra| {
        entra.rotate_keys();
        entra.withdraw_old_keys();
    });
    door.scene.pass(24 * 3600 + 1);
    assert_eq!(door.knock(&stolen).await, 401);
    door.assert_shut().await;
}

#[tokio::test]
async fn t_16_a_flood_of_unknown_keys_leads_to_one_question_per_cooldown() {
    let door = Door::new().await;
    let claims = door.claims(TokenVersion::V1).to_string();
    let unknown = |number: usize| {
        let header = json!({ "alg": "RS256", "kid": format!("unknown-{number}") }).to_string();
        door.scene.microsoft().entra(|entra| entra.sign_text(&header, &claims))
    };
    for minute in 1..=3 {
        for number in 0..20 {
            assert_eq!(door.knock(&unknown(number)).await, 401);
        }
        assert_eq!(door.key_fetches(), minute, "in minute {minute}");
        door.scene.pass(61);
    }
    assert_eq!(door.knock(&door.token()).await, 200, "Microsoft is let in all the same");
}

#[tokio::test]
async fn t_16_many_first_calls_at_once_ask_for_the_keys_once() {
    let door = Door::new().await;
    let token = door.token();
    let answers = tokio::join!(
        door.knock(&token),
        door.knock(&token),
        door.knock(&token),
        door.knock(&token)
    );
    assert_eq!(answers, (200, 200, 200, 200));
    assert_eq!(door.key_fetches(), 1);
}

/// A change that waits for its call, and the token of that call.
struct Waiting {
    id: Uuid,
    operation: Uuid,
    token: String,
}

/// As many subscriptions with a change that waits, their calls signed now; both versions occur.
async fn waiting(scene: &Scene, number: usize) -> Vec<Waiting> {
    let mut all = Vec::new();
    for version in VERSIONS.into_iter().cycle().take(number) {
        let id = scene.active(Purchase::per_seat("basic", 10)).await;
        let operation = scene.world(|world| world.change_plan(id, "team")).expect("a change");
        let token = scene.microsoft().entra(|entra| entra.webhook_token(version));
        all.push(Waiting { id, operation, token });
    }
    all
}

/// Makes these calls at once, and returns whom each status was given to.
async fn call_at_once(scene: &Scene, calls: &[&Waiting]) -> Vec<(Uuid, u16)> {
    let mut answers = JoinSet::new();
    for call in calls {
        let request = scene
            .http
            .post(scene.url("/webhook"))
            .header(AUTHORIZATION, format!("Bearer {}", call.token))
            .body(scene.body_of(call.operation).to_string());
        let id = call.id;
        answers.spawn(async move {
            (id, request.send().await.expect("the functions answer").status().as_u16())
        });
    }
    answers.join_all().await
}

#[tokio::test]
async fn t_16_calls_at_once_after_a_rotation_are_all_let_in_and_the_keys_fetched_once_more() {
    // F-WHJ-4.
    let door = Door::new().await;
    let scene = &door.scene;
    scene.signed("{}").await;
    assert_eq!(door.key_fetches(), 1);
    let old = waiting(scene, 2).await;
    scene.pass(61);
    scene.microsoft().entra(|entra| entra.rotate_keys());
    let new = waiting(scene, 6).await;
    let calls: Vec<_> = new.iter().chain(&old).collect();
    for (id, status) in call_at_once(scene, &calls).await {
        assert_eq!(status, 200, "{id}");
        scene.assert_agrees(id, "let in after a rotation").await;
    }
    assert_eq!(door.key_fetches(), 2);
}

/// `SigningKeys` and its cooldown say what happens here: Entra was asked lately, so the key is
/// taken for one it doesn't publish, and the call is refused like any with an unknown key: 401, not
/// 5xx. Microsoft publishes a key long before it signs with it.
#[tokio::test]
async fn t_16_calls_at_once_get_401_with_a_key_new_within_the_cooldown_and_200_with_a_held_one() {
    // F-WHJ-4, F-WHJ-6.
    let door = Door::new().await;
    let scene = &door.scene;
    scene.signed("{}").await;
    let held = waiting(scene, 3).await;
    scene.microsoft().entra(|entra| entra.rotate_keys());
    let new = waiting(scene, 5).await;
    scene.world(|world| world.clear_calls());
    let calls: Vec<_> = new.iter().chain(&held).collect();
    for (id, status) in call_at_once(scene, &calls).await {
        let is_held = held.iter().any(|call| call.id == id);
        assert_eq!(status, if is_held { 200 } else { 401 }, "{id}, held: {is_held}");
    }
    assert_eq!(door.key_fetches(), 1, "no question within the cooldown");
    for Waiting { id, operation, .. } in &new {
        assert_eq!(scene.world(|world| world.operation(*operation).status), "InProgress", "{id}");
        let record = scene.record(*id).await.expect("a record");
        assert_eq!(record.subscription.plan_id, "basic", "{id}");
    }
    assert_eq!(scene.acknowledgements().len(), held.len());

    // Not for longer than the cooldown.
    scene.pass(61);
    for (id, status) in call_at_once(scene, &new.iter().collect::<Vec<_>>()).await {
        assert_eq!(status, 200, "{id}");
    }
    assert_eq!(door.key_fetches(), 2);
}

#[tokio::test]
async fn t_16_without_keys_nobody_can_tell_so_the_answer_is_a_5xx_and_never_a_401() {
    // F-WHA-13: a 401 on a change would be taken for the publisher's "no".
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
        let door = Door::new().await;
        door.scene.fault(Call::Keys, fault.clone(), Times::Always);
        let token = door.token();
        let status = door.knock(&token).await;
        assert!((500..600).contains(&status), "{fault:?}: {status}");
        door.assert_shut().await;
        // Nor is Entra asked for every call while it is down.
        let asked = door.scene.calls_of(Call::Keys).len();
        for _ in 0..5 {
            assert!(door.knock(&token).await >= 500);
        }
        assert_eq!(door.scene.calls_of(Call::Keys).len(), asked, "{fault:?}");

        door.scene.world(|world| world.faults_mut().clear());
        door.scene.pass(3);
        assert_eq!(door.knock(&token).await, 200, "{fault:?}");
    }
}

#[tokio::test]
async fn t_16_keys_that_are_held_serve_while_entra_is_down() {
    let door = Door::new().await;
    door.scene.signed("{}").await;
    door.scene.fault(Call::Keys, FaultKind::DropBefore, Times::Always);
    door.scene.pass(120);
    let unknown =
        door.scene.microsoft().entra(|entra| entra.forge(Forgery::UnknownKid, TokenVersion::V1));
    assert!(door.knock(&unknown).await >= 500, "it may be a new key of Entra's");
    assert_eq!(door.knock(&door.token()).await, 200);
}

#[tokio::test]
async fn t_16_odd_entries_beside_the_right_key_do_no_harm() {
    let door = Door::new().await;
    let entra = door.scene.microsoft().entra_authority();
    let tenant = door.scene.world(|world| world.settings().tenant_id.clone());
    let published = door.scene.http.get(format!("{entra}/{tenant}/discovery/v2.0/keys"));
    let mut keys = door.scene.send(published).await.json();
    let entries = keys["keys"].as_array_mut().expect("keys");
    entries[0].as_object_mut().expect("a key").remove("use");
    entries.insert(0, json!({ "kty": "EC", "kid": "ec", "crv": "P-256", "x": "AA", "y": "AA" }));
    entries.insert(0, json!({ "kty": "RSA", "kid": 7 }));
    entries.push(json!("a word"));
    entries.push(json!(null));
    door.scene.fault(Call::Keys, FaultKind::Garbage(keys.to_string()), Times::Always);
    assert_eq!(door.knock(&door.token()).await, 200);
}
