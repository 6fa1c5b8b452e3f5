//! Subscriptions that Microsoft activates by itself: unclaimed until a person whom Microsoft names signs in, who
//! then finds the form that no buyer has filled in (F-LC-4, F-WHD-7, F-ACT-8).

use emulator::{Call, Person, Purchase};
use http::StatusCode;
use local::Options;
use local::receiver::Receiver;
use serde_json::{Value, json};
use shared::domain::{Claim, MatchedBy, Role};
use uuid::Uuid;

use crate::browser::{Browser, submit_token};
use crate::sign_in::env_with_sign_in;
use crate::test_env::{Answer, TestEnv};

const ADELE: &str = "adele@contoso.example";
const COLLEAGUE: &str = "carl@contoso.example";
const STRANGER: &str = "sven@elsewhere.example";
const FIELDS: &str = r#"[{"name":"company","label":"Company","required":true}]"#;

/// A purchase that Microsoft has activated, and told us of.
async fn bought(env: &TestEnv) -> Uuid {
    let id = env.purchase(Purchase::flat_rate("auto"));
    assert_eq!(env.deliver_statuses().await, [200]);
    assert_eq!(env.event_names(id).await, ["Purchased", "Activated"]);
    id
}

async fn visit<'a>(env: &'a TestEnv, id: Uuid, email: &str) -> (Browser<'a>, Answer) {
    let mut browser = Browser::new(env);
    browser.sign_in(id, email).await;
    let page = browser.page().await;
    (browser, page)
}

async fn shown(env: &TestEnv, id: Uuid) -> Value {
    env.get(&format!("/subscriptions/{id}")).await.json()["claim"].take()
}

async fn listed(env: &TestEnv, query: &str) -> usize {
    let list = env.get(&format!("/subscriptions?{query}")).await.json();
    list["subscriptions"].as_array().unwrap_or_else(|| panic!("{list}")).len()
}

#[tokio::test]
async fn the_first_visit_of_the_beneficiary_claims_and_a_second_one_changes_nothing() {
    let env = env_with_sign_in().await;
    let id = bought(&env).await;
    assert_eq!(shown(&env, id).await, json!({ "state": "unclaimed" }));
    assert_eq!(listed(&env, "unclaimed=true").await, 1);
    let told: Vec<_> = env.events(id).await.iter().map(|event| event.unclaimed).collect();
    assert_eq!(told, [true, true]);

    visit(&env, id, ADELE).await;
    assert_eq!(env.event_names(id).await, ["Purchased", "Activated", "Claimed"]);
    let Some(Claim::Claimed(claimant)) = env.record(id).await.expect("a record").claim else {
        panic!("not claimed")
    };
    let adele = env.world(|world| world.subscription(id).beneficiary.clone());
    assert_eq!(
        (claimant.account.tenant_id, claimant.account.object_id),
        (adele.tenant_id, Some(adele.object_id))
    );
    let api = shown(&env, id).await;
    assert_eq!((&api["state"], &api["role"]), (&json!("claimed"), &json!("beneficiary")));
    assert_eq!(
        (listed(&env, "unclaimed=true").await, listed(&env, "unclaimed=false").await),
        (0, 1)
    );
    let history = env.get(&format!("/subscriptions/{id}/events")).await.json();
    assert_eq!(history["events"][1]["unclaimed"], true);
    assert_eq!(history["events"][2]["claimant"]["role"], "beneficiary");
    assert_eq!(history["events"][2].get("unclaimed"), None);

    let before = env.events(id).await;
    visit(&env, id, ADELE).await;
    assert_eq!(env.events(id).await, before);
    assert_eq!(env.calls(Call::Activate), 0);
    env.assert_agrees(id, "claimed").await;
}

#[tokio::test]
async fn neither_a_stranger_nor_a_colleague_claims() {
    let env = env_with_sign_in().await;
    let id = bought(&env).await;
    for email in [STRANGER, COLLEAGUE] {
        visit(&env, id, email).await;
        assert_eq!(shown(&env, id).await, json!({ "state": "unclaimed" }), "{email}");
    }
    assert_eq!(env.event_names(id).await, ["Purchased", "Activated"]);
}

#[tokio::test]
async fn a_visit_that_is_faster_than_the_call_finds_and_claims_the_purchase() {
    let env = env_with_sign_in().await;
    let id = env.purchase(Purchase::flat_rate("auto"));
    visit(&env, id, ADELE).await;
    assert_eq!(env.event_names(id).await, ["Purchased", "Activated", "Claimed"]);
    assert_eq!(env.deliver_statuses().await, [200]);
    assert_eq!(env.event_names(id).await, ["Purchased", "Activated", "Claimed"]);
}

#[tokio::test]
async fn a_reseller_or_a_person_of_the_only_named_tenant_claims_as_what_they_are() {
    let reseller = Person::reseller().email;
    for (case, nameless, email, role, matched_by) in [
        ("reseller", false, reseller.as_str(), Role::Purchaser, MatchedBy::TenantAndObject),
        ("colleague", true, COLLEAGUE, Role::Beneficiary, MatchedBy::Tenant),
    ] {
        let env = env_with_sign_in().await;
        env.world(|world| world.settings_mut().oddities.null_person_ids = nameless);
        let purchase = Purchase::per_seat("team", 5).by_reseller().auto_activated();
        let id = env.purchase(purchase);
        env.deliver_all().await;
        visit(&env, id, email).await;
        let Some(Claim::Claimed(by)) = env.record(id).await.expect("a record").claim else {
            panic!("{case}: not claimed")
        };
        assert_eq!((by.role, by.matched_by), (role, matched_by), "{case}");
    }
}

#[tokio::test]
async fn a_purchase_that_the_buyer_confirmed_is_never_unclaimed() {
    let env = env_with_sign_in().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    let (mut browser, _) = visit(&env, id, ADELE).await;
    browser.confirm().await;
    assert_eq!(env.event_names(id).await, ["Purchased", "Activated"]);
    assert!(env.events(id).await.iter().all(|event| !event.unclaimed));
    assert_eq!(shown(&env, id).await, Value::Null);
    assert_eq!(listed(&env, "unclaimed=true").await, 0);
}

#[tokio::test]
async fn the_page_says_that_billing_has_begun_and_takes_the_details_once() {
    let receiver = Receiver::start().await.expect("a receiver");
    let options = Options::default()
        .with("LANDING_SIGN_IN", "entra")
        .with("LANDING_FIELDS", FIELDS)
        .with("DELIVERY_ENDPOINT", receiver.url())
        .with("DELIVERY_SIGNING_KEY", receiver.key());
    let env = TestEnv::with(options).await;
    let id = bought(&env).await;
    let (mut browser, page) = visit(&env, id, ADELE).await;
    assert_eq!(page.status, StatusCode::OK);
    for text in
        ["Your subscription is active", "billing has begun", "name=\"company\"", "Send details"]
    {
        assert!(page.body.contains(text), "{text} in {}", page.body);
    }

    let submit = submit_token(&page);
    let wrong = browser.submit(&[("submit", &submit), ("contact", "nobody")]).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    for text in ["name@example.com", "Please fill in", "billing has begun"] {
        assert!(wrong.body.contains(text), "{text} in {}", wrong.body);
    }
    let form = [("submit", &*submit), ("contact", "it@contoso.example"), ("company", "Contoso")];
    assert_eq!(browser.submit(&form).await.status, StatusCode::SEE_OTHER);
    let after = browser.page().await;
    for text in ["Everything is set up", "received your details"] {
        assert!(after.body.contains(text), "{text} in {}", after.body);
    }
    assert!(!after.body.contains("name=\"company\""), "{}", after.body);

    let again = [("submit", &*submit), ("contact", "eve@contoso.example"), ("company", "Other")];
    assert_eq!(browser.submit(&again).await.status, StatusCode::SEE_OTHER);
    let names = ["Purchased", "Activated", "Claimed", "SignedUp"];
    assert_eq!(env.event_names(id).await, names);
    assert_eq!(env.calls(Call::Activate), 0);
    assert_eq!(env.calls(Call::UpdateSubscription), 0);

    env.system.deliver_events().await.expect("deliveries");
    assert_eq!(receiver.complaints(), [""; 0]);
    let received = receiver.events();
    let told: Vec<_> = received.iter().map(|event| &event["data"]["unclaimed"]).collect();
    assert_eq!(told, [&json!(true), &json!(true), &Value::Null, &Value::Null]);
    assert_eq!(received[2]["type"], "saas-fulfillment.subscription.claimed.v1");
    assert_eq!(received[2]["data"]["cause"]["by"], "buyer");
    assert_eq!(received[2]["data"]["claimant"]["role"], "beneficiary");
    assert_eq!(received[3]["type"], "saas-fulfillment.subscription.signed-up.v1");
    let answers = &received[3]["data"]["signUp"];
    assert_eq!(answers["contactEmail"], "it@contoso.example");
    assert_eq!(answers["fields"], json!({ "company": "Contoso" }));
}

#[tokio::test]
async fn details_sent_with_a_form_from_before_the_activation_are_not_lost() {
    let env = env_with_sign_in().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    let (mut browser, page) = visit(&env, id, ADELE).await;
    assert_eq!(env.event_names(id).await, ["Purchased"]);
    // Microsoft activates while the buyer fills in the form.
    env.world(|world| world.activate_by_itself(id));
    let form = [("submit", &*submit_token(&page)), ("contact", "it@contoso.example")];
    assert_eq!(browser.submit(&form).await.status, StatusCode::SEE_OTHER);
    assert_eq!(env.event_names(id).await, ["Purchased", "Activated", "Claimed", "SignedUp"]);
    let kept = env.record(id).await.expect("a record").sign_up.expect("answers");
    assert_eq!(kept.contact_email, "it@contoso.example");
    assert_eq!(env.calls(Call::Activate), 0);
}

#[tokio::test]
async fn without_sign_in_no_one_claims() {
    let env = TestEnv::new().await;
    let id = bought(&env).await;
    env.visit(id).await;
    assert_eq!(shown(&env, id).await, json!({ "state": "unclaimed" }));
    assert_eq!(env.event_names(id).await, ["Purchased", "Activated"]);
}
