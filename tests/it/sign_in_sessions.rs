//! Sessions of the landing page: repeated, cancelled and failed sign-ins, open pages, and expiry.

use std::time::Duration;

use emulator::{Call, ErrorForm, FaultKind, Purchase, Times};
use http::StatusCode;
use local::Options;

use crate::browser::{Browser, SESSION, location, submit_token};
use crate::sign_in::env_with_sign_in;
use crate::test_env::TestEnv;

const ADELE: &str = "adele@contoso.example";
const STRANGER: &str = "sven@elsewhere.example";
const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_buyer_with_the_wrong_account_can_pick_another() {
    let env = env_with_sign_in().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    let mut browser = Browser::new(&env);
    browser.sign_in(id, STRANGER).await;
    assert_eq!(browser.page().await.status, StatusCode::FORBIDDEN);
    let entra = location(&browser.get("/landing/sign-in").await);
    assert!(entra.query_pairs().any(|pair| pair == ("prompt".into(), "select_account".into())));
    assert!(!browser.cookies.contains_key(SESSION), "the stranger is signed out");
    let back = browser.pick(&entra, ADELE).await;
    browser.come_back(&back).await;
    assert_eq!(browser.page().await.status, StatusCode::OK, "the token was kept");
}

#[tokio::test]
async fn another_purchase_token_asks_to_sign_in_again() {
    let env = env_with_sign_in().await;
    let (one, other) = (
        env.purchase(Purchase::flat_rate("silver").named("One")),
        env.purchase(Purchase::flat_rate("silver").named("The other")),
    );
    let mut browser = Browser::new(&env);
    browser.sign_in(one, ADELE).await;
    let entra = browser.arrive(other).await;
    assert!(!browser.cookies.contains_key(SESSION), "the former session has ended");
    let back = browser.pick(&entra, ADELE).await;
    browser.come_back(&back).await;
    let page = browser.page().await;
    assert!(page.body.contains("The other") && !page.body.contains(">One<"), "{}", page.body);
}

#[tokio::test]
async fn two_tabs_left_open_confirm_twice_and_activate_once() {
    // F-LP-10.
    let env = env_with_sign_in().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    let mut first = Browser::new(&env);
    first.sign_in(id, ADELE).await;
    let submit = submit_token(&first.page().await);
    let mut second = first.clone();
    env.advance(59 * MINUTE);
    for tab in [&mut first, &mut second] {
        for _ in 0..2 {
            assert_eq!(tab.submit(&[("submit", &submit)]).await.status, StatusCode::SEE_OTHER);
        }
    }
    assert_eq!(env.calls(Call::Activate), 1);
    assert_eq!(env.event_names(id).await, ["Purchased", "Activated"]);
}

#[tokio::test]
async fn by_publisher_the_page_waits_for_the_activation_and_can_be_reloaded() {
    let options = Options::default().with("LANDING_SIGN_IN", "entra");
    let env = TestEnv::with(options.with("ACTIVATION", "by-publisher")).await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    let mut browser = Browser::new(&env);
    browser.sign_in(id, ADELE).await;
    let submit = submit_token(&browser.page().await);
    for _ in 0..2 {
        assert_eq!(browser.submit(&[("submit", &submit)]).await.status, StatusCode::SEE_OTHER);
    }
    let waiting = browser.page().await;
    assert!(waiting.body.contains("being prepared"), "{}", waiting.body);
    assert!(waiting.body.contains("href=\"/landing\""), "{}", waiting.body);
    assert!(
        !waiting.body.contains("action=\"/landing\""),
        "nothing to confirm twice: {}",
        waiting.body
    );
    assert_eq!(env.event_names(id).await, ["Purchased", "ActivationRequested"]);
    env.activate(id).await;
    assert!(browser.page().await.body.contains("Your subscription is active"));
}

#[tokio::test]
async fn an_expired_session_asks_to_sign_in_again_and_keeps_the_purchase() {
    let env = env_with_sign_in().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    let mut browser = Browser::new(&env);
    browser.sign_in(id, ADELE).await;
    let submit = submit_token(&browser.page().await);
    env.advance(61 * MINUTE);
    // The answer is no redirect to Entra: the content security policy forbids a form to follow it.
    let late = browser.submit(&[("submit", &submit)]).await;
    assert_eq!(late.status, StatusCode::FORBIDDEN);
    assert!(late.body.contains("href=\"/landing/sign-in\""), "{}", late.body);
    assert_eq!(env.calls(Call::Activate), 0);
    // Loading the page redirects to Entra.
    let entra = location(&browser.page().await);
    let back = browser.pick(&entra, ADELE).await;
    browser.come_back(&back).await;
    browser.confirm().await;
    assert_eq!(env.event_names(id).await, ["Purchased", "Activated"]);
}

#[tokio::test]
async fn a_buyer_who_turns_back_before_signing_in_keeps_the_purchase() {
    let env = env_with_sign_in().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    let mut browser = Browser::new(&env);
    browser.arrive(id).await;
    let entra = location(&browser.page().await);
    assert!(entra.path().ends_with("/authorize"), "{entra}");
    let back = browser.pick(&entra, ADELE).await;
    browser.come_back(&back).await;
    assert_eq!(browser.page().await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_page_that_polls_after_the_session_expired_is_not_redirected() {
    let env = env_with_sign_in().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    let mut browser = Browser::new(&env);
    browser.sign_in(id, ADELE).await;
    env.advance(61 * MINUTE);
    let request = env.http.get(env.url("/landing")).header("sec-fetch-dest", "empty");
    let answer = browser.send(request).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.body);
    assert!(answer.headers.get("set-cookie").is_none(), "another tab may be signing in");
    assert!(
        location(&browser.page().await).path().ends_with("/authorize"),
        "loading the page asks to sign in"
    );
}

#[tokio::test]
async fn a_buyer_who_cancels_the_sign_in_can_try_again() {
    let env = env_with_sign_in().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    let mut browser = Browser::new(&env);
    let entra = browser.arrive(id).await;
    let back = browser.pick(&entra, "cancel").await;
    let page = browser.come_back(&back).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("You are not signed in"), "{}", page.body);
    assert!(!page.body.contains("AADSTS"), "Entra's words stay out: {}", page.body);
    let entra = location(&browser.get("/landing/sign-in").await);
    let back = browser.pick(&entra, ADELE).await;
    browser.come_back(&back).await;
    assert_eq!(browser.page().await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_wrong_secret_of_the_landing_pages_application_is_a_500_page_without_another_try() {
    // F-AUTH-15, F-ERR-5.
    let env = env_with_sign_in().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    let mut browser = Browser::new(&env);
    let entra = browser.arrive(id).await;
    let back = browser.pick(&entra, ADELE).await;
    env.microsoft().entra(|entra| entra.set_landing_client_secret("rotated"));
    let page = browser.come_back(&back).await;
    assert_eq!(page.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(page.body.contains("on our side"), "{}", page.body);
    assert!(!page.body.contains("/landing/sign-in"), "{}", page.body);
}

#[tokio::test]
async fn an_outage_at_entra_is_a_page_that_keeps_the_token_for_another_try() {
    let env = env_with_sign_in().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    for (call, kind) in [
        // The keys come first, because they are cached after the first fetch.
        (Call::Keys, FaultKind::Status(500, ErrorForm::Html)),
        (Call::Token, FaultKind::Status(500, ErrorForm::Html)),
        (Call::Token, FaultKind::Status(401, ErrorForm::Object)),
        (Call::Token, FaultKind::RetryAfter(429, "3600".to_owned())),
        (Call::Token, FaultKind::DropBefore),
        (Call::Token, FaultKind::Garbage("<html>".to_owned())),
        (
            Call::Token,
            FaultKind::Garbage("{\"token_type\":\"Bearer\",\"access_token\":\"x\"}".to_owned()),
        ),
    ] {
        let mut browser = Browser::new(&env);
        let entra = browser.arrive(id).await;
        let back = browser.pick(&entra, ADELE).await;
        env.fault(call, kind.clone(), Times::Always);
        let page = browser.come_back(&back).await;
        env.world(|world| world.faults_mut().clear());
        assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE, "{kind:?}");
        assert!(page.body.contains("href=\"/landing/sign-in\""), "{}", page.body);
        assert!(!browser.cookies.contains_key(SESSION));
        env.advance(MINUTE);
        let entra = location(&browser.get("/landing/sign-in").await);
        let back = browser.pick(&entra, ADELE).await;
        browser.come_back(&back).await;
        assert_eq!(browser.page().await.status, StatusCode::OK, "{kind:?}");
    }
}
