//! The end of a session on the landing page.

use std::time::Duration;

use emulator::Purchase;
use http::StatusCode;

use crate::browser::{Browser, ROUND_TRIP, SESSION, location, submit_token};
use crate::sign_in::env_with_sign_in;
use crate::test_env::{Answer, TestEnv};

const ADELE: &str = "adele@contoso.example";

/// Presses the button of a page with this CSRF token.
async fn sign_out(env: &TestEnv, browser: &mut Browser<'_>, submit: &str) -> Answer {
    let request = env.http.post(env.url("/landing/sign-out")).form(&[("submit", submit)]);
    browser.send(request.header("sec-fetch-site", "same-origin").header("origin", "null")).await
}

async fn signed_in(env: &TestEnv) -> (Browser<'_>, String) {
    let id = env.purchase(Purchase::flat_rate("silver"));
    let mut browser = Browser::new(env);
    browser.sign_in(id, ADELE).await;
    let page = browser.page().await;
    assert!(page.body.contains("action=\"/landing/sign-out\""), "{}", page.body);
    (browser, submit_token(&page))
}

#[tokio::test]
async fn a_person_signs_out_and_the_browser_forgets_the_purchase() {
    let env = env_with_sign_in().await;
    let (mut browser, submit) = signed_in(&env).await;
    let answer = sign_out(&env, &mut browser, &submit).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    assert_eq!(answer.headers["location"], "/landing/sign-out");
    assert!(browser.cookies.is_empty(), "{:?}", browser.cookies);

    let page = browser.get("/landing/sign-out").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("You are signed out"), "{}", page.body);
    let at_entra = format!("{}/common/oauth2/v2.0/logout", env.system.variables["ENTRA_AUTHORITY"]);
    assert!(page.body.contains(&format!("href=\"{at_entra}\"")), "{}", page.body);
    assert_eq!(env.send(env.http.get(at_entra)).await.status, StatusCode::OK);
    let page = browser.page().await;
    assert!(page.body.contains("Configure account"), "no purchase is left: {}", page.body);
}

#[tokio::test]
async fn a_session_that_has_expired_can_be_signed_out() {
    let env = env_with_sign_in().await;
    let (mut browser, submit) = signed_in(&env).await;
    env.advance(Duration::from_secs(61 * 60));
    let answer = sign_out(&env, &mut browser, &submit).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    assert!(browser.cookies.is_empty(), "its cookie held the purchase: {:?}", browser.cookies);
}

#[tokio::test]
async fn a_sign_in_under_way_in_another_tab_ends_as_well() {
    let env = env_with_sign_in().await;
    let (mut browser, submit) = signed_in(&env).await;
    let session = browser.cookies[SESSION].clone();
    let entra = location(&browser.get("/landing/sign-in").await);
    let back = browser.pick(&entra, ADELE).await;
    browser.cookies.insert(SESSION.to_owned(), session);
    sign_out(&env, &mut browser, &submit).await;
    assert!(!browser.cookies.contains_key(ROUND_TRIP));
    assert_eq!(browser.come_back(&back).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn only_a_page_of_the_session_can_sign_out() {
    let env = env_with_sign_in().await;
    let (mut browser, submit) = signed_in(&env).await;
    for forged in ["", "another", &submit[1..]] {
        let answer = sign_out(&env, &mut browser, forged).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{forged}: {}", answer.body);
    }
    let request = env.http.post(env.url("/landing/sign-out")).form(&[("submit", &submit)]);
    let answer = browser.send(request.header("origin", "https://evil.example")).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.body);
    // A link can't sign out.
    let answer = browser.get(&format!("/landing/sign-out?submit={submit}")).await;
    assert_eq!(answer.headers["location"], "/landing");
    assert!(browser.cookies.contains_key(SESSION));
    assert_eq!(browser.page().await.status, StatusCode::OK);
    // Another site's form comes without the cookies, and must not change them.
    let answer = sign_out(&env, &mut Browser::new(&env), "x").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert!(answer.headers.get("set-cookie").is_none(), "{:?}", answer.headers);
}
