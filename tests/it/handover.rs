//! The handover of a buyer to the publisher's own sign-up page, from the purchase to the activation.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use emulator::Purchase;
use http::StatusCode;
use local::Options;
use local::sign_up_page::SignUpPage;
use serde_json::{Value, json};

use crate::browser::{Browser, submit_token};
use crate::test_env::{Answer, TestEnv};

const ADELE: &str = "adele@contoso.example";

/// The functions with a sign-up page beside them.
async fn with_page(settings: &[(&str, &str)]) -> (TestEnv, SignUpPage) {
    let page = SignUpPage::start().await.expect("a free port");
    let mut options = Options::default().with("LANDING_SIGN_IN", "entra");
    options.variables.extend(page.settings());
    for (name, value) in settings {
        options = options.with(name, value);
    }
    let env = TestEnv::with(options).await;
    page.take_over_from(&env.system);
    (env, page)
}

fn policy(answer: &Answer) -> &str {
    answer.headers["content-security-policy"].to_str().expect("text")
}

/// The handover in a page's form.
#[track_caller]
fn handover_of(page: &Answer) -> String {
    let rest = page.body.split_once("name=\"handover\" value=\"");
    let (_, rest) = rest.unwrap_or_else(|| panic!("{}", page.body));
    rest.split('"').next().expect("a value").to_owned()
}

fn claims(handover: &str) -> Value {
    let claims = handover.split('.').nth(1).expect("a JWT");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).expect("base64")).expect("JSON")
}

/// Posts a form to the publisher's site, without a cookie of ours.
async fn post(env: &TestEnv, url: &str, form: &[(&str, &str)]) -> Answer {
    let form: BTreeMap<_, _> = form.iter().copied().collect();
    env.send(env.http.post(url).form(&form)).await
}

#[tokio::test]
async fn a_buyer_goes_on_to_the_publishers_page_which_activates() {
    let (env, page) = with_page(&[("LANDING_PUBLISHER_NAME", "Fabrikam")]).await;
    let [(_, sign_up_url), _] = page.settings();
    let origin = sign_up_url.strip_suffix("/sign-up").expect("its path");
    let id = env.purchase(Purchase::per_seat("team", 12));
    let mut browser = Browser::new(&env);
    browser.sign_in(id, ADELE).await;

    let pending = browser.page().await;
    assert!(
        pending.body.contains(">Confirm and continue to Fabrikam</button>"),
        "{}",
        pending.body
    );
    assert!(!pending.body.contains("name=\"contact\""), "that page asks: {}", pending.body);
    assert!(!pending.body.contains("what you entered"), "nothing is asked: {}", pending.body);
    assert!(!pending.body.contains("name=\"handover\""), "it is not confirmed: {}", pending.body);
    let early = browser.get("/landing/continue").await;
    assert_eq!(
        (early.status, &early.headers["location"]),
        (StatusCode::SEE_OTHER, &"/landing".parse().expect("text"))
    );

    let submit = submit_token(&pending);
    let confirmed = browser.submit(&[("submit", &submit)]).await;
    assert_eq!(confirmed.status, StatusCode::SEE_OTHER, "{}", confirmed.body);
    assert_eq!(confirmed.headers["location"], "/landing/continue");
    assert_eq!(env.event_names(id).await, ["Purchased", "ActivationRequested"]);

    let way_on = browser.get("/landing/continue").await;
    assert_eq!(way_on.status, StatusCode::OK, "{}", way_on.body);
    assert_eq!(way_on.headers["cache-control"], "no-store");
    assert!(
        policy(&way_on).contains(&format!("form-action 'self' {origin};")),
        "{}",
        policy(&way_on)
    );
    assert!(policy(&pending).contains("form-action 'self';"), "{}", policy(&pending));
    assert!(way_on.body.contains(&format!("action=\"{sign_up_url}\"")), "{}", way_on.body);
    assert!(way_on.body.contains("<dd>Team</dd>"), "{}", way_on.body);
    let handover = handover_of(&way_on);
    let said = claims(&handover);
    let lifetime = said["exp"].as_i64().expect("a time") - said["iat"].as_i64().expect("a time");
    assert_eq!(lifetime, 300);
    assert_eq!(said["aud"], origin);
    assert_eq!(said["iss"], env.url(""));
    assert_eq!(said["subscriptionId"], json!(id));
    assert_eq!(
        (&said["offerId"], &said["planId"], &said["quantity"]),
        (&json!("per-seat-1"), &json!("team"), &json!(12))
    );
    assert_eq!((&said["role"], &said["language"]), (&json!("beneficiary"), &json!("en")));
    assert_eq!(said["person"]["email"], ADELE);
    let record = env.get(&format!("/subscriptions/{id}")).await.json();
    let beneficiary = &record["subscription"]["beneficiary"];
    assert_eq!(said["person"]["tenantId"], beneficiary["tenantId"]);
    assert_eq!(said["person"]["objectId"], beneficiary["objectId"]);
    assert_eq!(said.get("signUp"), None);

    let taken = post(&env, &sign_up_url, &[("handover", &handover)]).await;
    assert_eq!(taken.status, StatusCode::OK, "{}", taken.body);
    let again = post(&env, &sign_up_url, &[("handover", &handover)]).await;
    assert_eq!(again.status, StatusCode::UNAUTHORIZED, "it is good for once");

    let waiting = browser.page().await;
    for text in ["Finish setting up your account", "begin once you have set up your account"] {
        assert!(waiting.body.contains(text), "{text} in {}", waiting.body);
    }
    assert!(waiting.body.contains("href=\"/landing/continue\""), "{}", waiting.body);
    let next = handover_of(&browser.get("/landing/continue").await);
    assert_ne!(claims(&next)["jti"], said["jti"], "each opening issues a new one");

    let session = taken.body.split("name=\"session\" value=\"").nth(1).expect("a form");
    let session = session.split('"').next().expect("a value");
    let activated = post(&env, &format!("{origin}/activate"), &[("session", session)]).await;
    assert_eq!(activated.status, StatusCode::OK, "{}", activated.body);
    assert!(browser.page().await.body.contains("Your subscription is active"));
    let late = browser.get("/landing/continue").await;
    assert_eq!(late.headers["location"], "/landing", "an active purchase has no handover");
}

#[tokio::test]
async fn the_page_refuses_a_handover_that_is_late_edited_or_for_another_page() {
    let (env, page) = with_page(&[]).await;
    let (other_env, other) = with_page(&[]).await;
    let [(_, sign_up_url), _] = page.settings();
    let [(_, other_url), _] = other.settings();
    let id = env.purchase(Purchase::flat_rate("silver"));
    let mut browser = Browser::new(&env);
    browser.sign_in(id, ADELE).await;
    let submit = submit_token(&browser.page().await);
    browser.submit(&[("submit", &submit)]).await;
    let handover = handover_of(&browser.get("/landing/continue").await);
    let parts: Vec<_> = handover.split('.').collect();
    let mut said = claims(&handover);
    said["role"] = json!("purchaser");
    let edited = [parts[0], &URL_SAFE_NO_PAD.encode(said.to_string()), parts[2]].join(".");
    let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
    for refused in [edited, [&none, parts[1], ""].join("."), String::new()] {
        let answer = post(&env, &sign_up_url, &[("handover", &refused)]).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{refused}");
    }
    let elsewhere = post(&other_env, &other_url, &[("handover", &handover)]).await;
    assert_eq!(elsewhere.status, StatusCode::UNAUTHORIZED, "another page");
    env.advance(Duration::from_secs(301));
    let late = post(&env, &sign_up_url, &[("handover", &handover)]).await;
    assert_eq!(late.status, StatusCode::UNAUTHORIZED, "late");
    let fresh = handover_of(&browser.get("/landing/continue").await);
    assert_eq!(post(&env, &sign_up_url, &[("handover", &fresh)]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn answers_to_the_offers_fields_go_on_with_the_buyer() {
    let fields = r#"[{"name":"company","label":"Company","required":true}]"#;
    let (env, _page) = with_page(&[("LANDING_FIELDS", fields)]).await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    let mut browser = Browser::new(&env);
    browser.sign_in(id, ADELE).await;
    let pending = browser.page().await;
    for text in ["name=\"contact\"", "what you entered and the details of this purchase"] {
        assert!(pending.body.contains(text), "{text} in {}", pending.body);
    }
    let submit = submit_token(&pending);
    let missing = browser.submit(&[("submit", &submit)]).await;
    assert_eq!(missing.status, StatusCode::BAD_REQUEST, "{}", missing.body);
    browser.submit(&[("submit", &submit), ("company", "Contoso")]).await;
    let handover = handover_of(&browser.get("/landing/continue").await);
    let expected = json!({
        "contactEmail": ADELE, "fields": { "company": "Contoso" }, "language": "en",
    });
    assert_eq!(claims(&handover)["signUp"], expected);
}

#[tokio::test]
async fn a_stranger_and_a_visitor_without_a_session_get_no_handover() {
    let (env, _page) = with_page(&[]).await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    let mut browser = Browser::new(&env);
    browser.sign_in(id, ADELE).await;
    let submit = submit_token(&browser.page().await);
    browser.submit(&[("submit", &submit)]).await;
    let mut stranger = Browser::new(&env);
    let unknown = stranger.get("/landing/continue").await;
    assert!(!unknown.body.contains("name=\"handover\""), "{}", unknown.body);
    stranger.sign_in(id, "sven@elsewhere.example").await;
    let refused = stranger.get("/landing/continue").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(!refused.body.contains("name=\"handover\""), "{}", refused.body);
    let posted = browser.send(env.http.post(env.url("/landing/continue"))).await;
    assert_eq!(posted.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn an_offer_without_a_key_says_that_something_is_misconfigured() {
    let env = TestEnv::with(Options::default().with("LANDING_SIGN_IN", "entra")).await;
    let offers = json!({ "flat-rate-1": { "signUpUrl": "https://app.example/sign-up" } });
    crate::offers::save(&env, &offers).await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    let mut browser = Browser::new(&env);
    browser.sign_in(id, ADELE).await;
    let submit = submit_token(&browser.page().await);
    browser.submit(&[("submit", &submit)]).await;
    let answer = browser.get("/landing/continue").await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{}", answer.body);
    assert_eq!(env.event_names(id).await, ["Purchased", "ActivationRequested"]);
}

#[tokio::test]
async fn a_purchase_that_microsoft_activated_goes_on_there_once_it_is_claimed() {
    let (env, page) = with_page(&[]).await;
    let [(_, sign_up_url), _] = page.settings();
    let id = env.purchase(Purchase::flat_rate("auto"));
    assert_eq!(env.deliver_statuses().await, [200]);
    let mut browser = Browser::new(&env);
    browser.sign_in(id, ADELE).await;
    let active = browser.page().await;
    assert!(active.body.contains("Your subscription is active"), "{}", active.body);
    assert!(active.body.contains("href=\"/landing/continue\""), "{}", active.body);
    assert!(!active.body.contains("action=\"/landing\""), "that page asks: {}", active.body);
    let handover = handover_of(&browser.get("/landing/continue").await);
    let said = claims(&handover);
    assert_eq!((&said["subscriptionId"], &said["role"]), (&json!(id), &json!("beneficiary")));
    let taken = post(&env, &sign_up_url, &[("handover", &handover)]).await;
    assert_eq!(taken.status, StatusCode::OK, "{}", taken.body);
    assert_eq!(env.event_names(id).await, ["Purchased", "Activated", "Claimed"]);
}
