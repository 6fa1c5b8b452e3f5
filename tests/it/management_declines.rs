//! Purchases that staff approves or declines, with a reason that the buyer, the history and the product read
//! (F-ACT-6, F-CAN-6).

use emulator::{Call, ErrorForm, FaultKind, Purchase, Times};
use http::StatusCode;
use local::Options;
use local::receiver::Receiver;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::browser::Browser;
use crate::test_env::{Answer, TestEnv};

const ADELE: &str = "adele@contoso.example";
const REASON: &str = "We don’t serve your country yet. Write to sales@fabrikam.example.";

fn by_publisher() -> Options {
    Options::default().with("LANDING_SIGN_IN", "entra").with("ACTIVATION", "by-publisher")
}

/// A purchase that the buyer has confirmed.
async fn confirmed(env: &TestEnv) -> (Uuid, Browser<'_>, Answer) {
    let id = env.purchase(Purchase::flat_rate("silver"));
    let mut browser = Browser::new(env);
    browser.sign_in(id, ADELE).await;
    let page = browser.confirm().await;
    assert_eq!(env.event_names(id).await, ["Purchased", "ActivationRequested"]);
    (id, browser, page)
}

async fn decline(env: &TestEnv, id: Uuid, body: &Value) -> Answer {
    let request = env.http.post(env.url(&format!("/subscriptions/{id}/decline")));
    env.send(request.body(body.to_string())).await
}

async fn shown(env: &TestEnv, id: Uuid) -> Value {
    env.get(&format!("/subscriptions/{id}")).await.json()["decision"].take()
}

#[tokio::test]
async fn a_declined_purchase_is_cancelled_and_everyone_reads_why() {
    let receiver = Receiver::start().await.expect("a receiver");
    let options = by_publisher()
        .with("DELIVERY_ENDPOINT", receiver.url())
        .with("DELIVERY_SIGNING_KEY", receiver.key());
    let env = TestEnv::with(options).await;
    let (id, mut browser, waiting) = confirmed(&env).await;
    for text in
        ["Your account is being prepared", "We received your confirmation on", "What happens next"]
    {
        assert!(waiting.body.contains(text), "{text} in {}", waiting.body);
    }

    let answer = decline(&env, id, &json!({ "reason": REASON })).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.body);
    assert!(answer.json()["operationId"].is_string());
    let page = browser.page().await;
    for text in ["Your purchase was declined", REASON, "Microsoft is cancelling", "not charged"] {
        assert!(page.body.contains(text), "{text} in {}", page.body);
    }
    let decision = shown(&env, id).await;
    assert_eq!(
        (&decision["verdict"], &decision["by"], &decision["reason"]),
        (&json!("reject"), &json!("publisher"), &json!(REASON))
    );

    env.deliver_all().await;
    assert_eq!(env.event_names(id).await, ["Purchased", "ActivationRequested", "Unsubscribed"]);
    env.assert_agrees(id, "declined").await;
    let page = browser.page().await;
    for text in ["Your purchase was declined", REASON, "Microsoft has cancelled"] {
        assert!(page.body.contains(text), "{text} in {}", page.body);
    }
    assert!(page.body.contains("<dt>Cancelled on</dt>"), "{}", page.body);
    for wrong in ["price", "invoice", "Ended on"] {
        assert!(!page.body.contains(wrong), "{wrong} in {}", page.body);
    }
    let history = env.get(&format!("/subscriptions/{id}/events")).await.json();
    assert_eq!(history["events"][2]["decision"]["reason"], REASON);
    assert_eq!(history["events"][2]["cause"]["requester"]["by"], "publisher");
    env.system.deliver_events().await.expect("deliveries");
    assert_eq!(receiver.complaints(), [""; 0]);
    let last = receiver.events().pop().expect("events");
    assert_eq!(last["type"], "saas-fulfillment.subscription.unsubscribed.v1");
    assert_eq!(
        last["data"]["decision"],
        json!({ "verdict": "reject", "by": "publisher", "reason": REASON })
    );
    assert_eq!(env.calls(Call::Activate), 0);
}

#[tokio::test]
async fn the_reconciliation_finds_the_end_of_a_declined_purchase_with_its_reason() {
    let env = TestEnv::with(by_publisher()).await;
    let (id, _, _) = confirmed(&env).await;
    decline(&env, id, &json!({ "reason": "no" })).await;
    env.world(|world| {
        world.settings_mut().behaviour.retry_window = std::time::Duration::ZERO;
    });
    env.deliver_all().await;
    env.pass(3600);
    env.system.reconcile().await.expect("a run");
    let events = env.events(id).await;
    let last = events.last().expect("events");
    assert_eq!(last.kind.name(), "Unsubscribed");
    assert_eq!(last.ruling.as_ref().and_then(|ruling| ruling.reason.as_deref()), Some("no"));
}

#[tokio::test]
async fn an_approval_is_in_the_history_with_its_reason() {
    let env = TestEnv::with(by_publisher()).await;
    let (id, mut browser, _) = confirmed(&env).await;
    let request = env.http.post(env.url(&format!("/subscriptions/{id}/activate")));
    let answer = env.send(request.body(json!({ "reason": "a known customer" }).to_string())).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!(answer.json()["decision"]["verdict"], "accept");
    let events = env.events(id).await;
    let last = events.last().expect("events");
    let reason = last.ruling.as_ref().and_then(|ruling| ruling.reason.as_deref());
    assert_eq!((last.kind.name(), reason), ("Activated", Some("a known customer")));
    assert!(browser.page().await.body.contains("Your subscription is active"));
}

#[tokio::test]
async fn an_approved_purchase_that_microsoft_is_activating_says_so() {
    let env = TestEnv::with(by_publisher()).await;
    env.world(|world| {
        world.settings_mut().behaviour.activation_delay = std::time::Duration::from_secs(600);
    });
    let (id, mut browser, _) = confirmed(&env).await;
    assert_eq!(env.activate(id).await.status, StatusCode::ACCEPTED);
    let page = browser.page().await;
    assert!(page.body.contains("We’ve approved your purchase"), "{}", page.body);
    let refused = decline(&env, id, &json!({ "reason": "too late" })).await;
    assert_eq!(
        (refused.status, refused.json()["code"].as_str()),
        (StatusCode::CONFLICT, Some("not_pending"))
    );
}

#[tokio::test]
async fn a_declined_purchase_is_neither_confirmed_nor_activated() {
    let env = TestEnv::with(by_publisher()).await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    let mut browser = Browser::new(&env);
    browser.sign_in(id, ADELE).await;
    let page = browser.page().await;
    decline(&env, id, &json!({ "reason": "no" })).await;
    let token = crate::browser::submit_token(&page);
    assert_eq!(browser.submit(&[("submit", &token)]).await.status, StatusCode::SEE_OTHER);
    let answer = env.activate(id).await;
    assert_eq!(
        (answer.status, answer.json()["code"].as_str()),
        (StatusCode::CONFLICT, Some("declined"))
    );
    assert_eq!(env.event_names(id).await, ["Purchased"]);
    assert_eq!(env.calls(Call::Activate), 0);
}

#[tokio::test]
async fn a_decline_that_microsoft_refuses_leaves_the_purchase_as_it_was() {
    let env = TestEnv::with(by_publisher()).await;
    let (id, mut browser, _) = confirmed(&env).await;
    env.fault(Call::DeleteSubscription, FaultKind::Status(400, ErrorForm::Object), Times::Once);
    let refused = decline(&env, id, &json!({ "reason": "no" })).await;
    assert_eq!(
        (refused.status, refused.json()["code"].as_str()),
        (StatusCode::CONFLICT, Some("refused"))
    );
    assert_eq!(shown(&env, id).await, Value::Null);
    assert!(browser.page().await.body.contains("Your account is being prepared"));
    assert_eq!(env.activate(id).await.status, StatusCode::OK);
}

#[tokio::test]
async fn only_a_purchase_that_waits_is_declined_and_only_with_a_reason() {
    let env = TestEnv::new().await;
    let active = env.active(Purchase::flat_rate("silver")).await;
    let resold = env.purchase(Purchase::per_seat("team", 5).by_reseller());
    env.visit(resold).await;
    let pending = env.purchase(Purchase::flat_rate("silver"));
    env.visit(pending).await;
    let no = json!({ "reason": "no" });
    for (case, id, body, status, code) in [
        ("active", active, &no, 409, "not_pending"),
        ("resold", resold, &no, 409, "not_allowed"),
        ("no reason", pending, &json!({}), 400, "invalid_change"),
        ("blank", pending, &json!({ "reason": " " }), 400, "invalid_change"),
        ("two lines", pending, &json!({ "reason": "a\nb" }), 400, "invalid_change"),
        ("long", pending, &json!({ "reason": "a".repeat(201) }), 400, "invalid_change"),
        ("unknown", Uuid::from_u128(1), &no, 404, "unknown_to_microsoft"),
    ] {
        let answer = decline(&env, id, body).await;
        let found = (answer.status.as_u16(), answer.json()["code"].clone());
        assert_eq!(found, (status, json!(code)), "{case}: {}", answer.body);
    }
    assert_eq!(env.calls(Call::DeleteSubscription), 0);
}

#[tokio::test]
async fn a_repeated_decline_under_its_key_is_carried_out_once() {
    let env = TestEnv::with(by_publisher()).await;
    let (id, _, _) = confirmed(&env).await;
    let send = async |reason: &str| {
        let request = env.http.post(env.url(&format!("/subscriptions/{id}/decline")));
        let request = request.header("idempotency-key", "one");
        env.send(request.body(json!({ "reason": reason }).to_string())).await
    };
    let first = send("no").await;
    let second = send("no").await;
    assert_eq!((first.status, &first.body), (StatusCode::ACCEPTED, &second.body));
    assert_eq!(send("never").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(env.calls(Call::DeleteSubscription), 1);
}
