//! Attacks on the sign-in at Entra, and on the forms after it.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use emulator::{Call, Purchase};
use http::StatusCode;
use serde_json::json;
use url::Url;
use uuid::Uuid;

use crate::browser::{Browser, ROUND_TRIP, SESSION, location, submit_token};
use crate::sign_in::env_with_sign_in;
use crate::test_env::{Answer, TestEnv};

const ADELE: &str = "adele@contoso.example";
const STRANGER: &str = "sven@elsewhere.example";

/// Asserts that the browser is not signed in, and that the page gives no details.
#[track_caller]
pub(crate) fn assert_refused(answer: &Answer, browser: &Browser<'_>, case: &str) {
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{case}: {}", answer.body);
    assert!(!browser.cookies.contains_key(SESSION), "{case}: no session");
    for trace in ["AADSTS", "nonce", "state", "issuer", "audience", "Error"] {
        assert!(!answer.body.contains(trace), "{case}: {trace} in {}", answer.body);
    }
}

pub(crate) fn with_parameter(url: &Url, name: &str, value: &str) -> Url {
    let pairs: Vec<(String, String)> = url
        .query_pairs()
        .map(|(key, old)| {
            let new = if key == name { value.to_owned() } else { old.into_owned() };
            (key.into_owned(), new)
        })
        .collect();
    let mut url = url.clone();
    url.query_pairs_mut().clear().extend_pairs(pairs);
    url
}

pub(crate) fn parameter(url: &Url, name: &str) -> String {
    url.query_pairs()
        .find_map(|(key, value)| (key == name).then(|| value.into_owned()))
        .expect("the parameter is there")
}

/// A buyer who is about to come back from Entra.
pub(crate) async fn halfway(env: &TestEnv, id: Uuid) -> (Browser<'_>, Url, Url) {
    let mut browser = Browser::new(env);
    let entra = browser.arrive(id).await;
    let back = browser.pick(&entra, ADELE).await;
    (browser, entra, back)
}

#[tokio::test]
async fn a_tampered_or_foreign_round_trip_cookie_is_refused() {
    let env = env_with_sign_in().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    let (good, _, back) = halfway(&env, id).await;
    let sealed = good.cookies[ROUND_TRIP].clone();
    let bytes = URL_SAFE_NO_PAD.decode(&sealed).expect("base64");
    let mut tampered = Vec::new();
    for at in [0, 11, 12, bytes.len() / 2, bytes.len() - 1] {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1;
        tampered.push(URL_SAFE_NO_PAD.encode(bytes));
    }
    tampered.push(sealed[..sealed.len() - 2].to_owned());
    tampered.push(URL_SAFE_NO_PAD.encode(
        json!({ "state": parameter(&back, "state"), "nonce": "n", "verifier": "v", "token": "t" })
            .to_string(),
    ));
    tampered.push("x".to_owned());
    for cookie in tampered {
        let mut browser = good.clone();
        browser.cookies.insert(ROUND_TRIP.to_owned(), cookie.clone());
        let answer = browser.come_back(&back).await;
        assert_refused(&answer, &browser, &cookie);
    }
    // The genuine cookie still works.
    let mut browser = good;
    assert_eq!(browser.come_back(&back).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_round_trip_expires_after_fifteen_minutes() {
    let env = env_with_sign_in().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    let mut browser = Browser::new(&env);
    let entra = browser.arrive(id).await;
    env.advance(Duration::from_secs(15 * 60));
    // Entra's code is fresh, but the cookie has expired.
    let back = browser.pick(&entra, ADELE).await;
    let answer = browser.come_back(&back).await;
    assert_refused(&answer, &browser, "expired");
    // The purchase is not lost.
    assert!(location(&browser.get("/landing/sign-in").await).path().ends_with("/authorize"));
}

#[tokio::test]
async fn a_replayed_round_trip_is_refused() {
    let env = env_with_sign_in().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    let (mut browser, _, back) = halfway(&env, id).await;
    let mut thief = browser.clone();
    assert_eq!(browser.come_back(&back).await.status, StatusCode::SEE_OTHER);
    // The buyer's browser has dropped the cookie. A thief's copy still has it.
    let answer = browser.come_back(&back).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.body);
    let answer = thief.come_back(&back).await;
    assert_refused(&answer, &thief, "the code was used");
}

#[tokio::test]
async fn round_trip_and_session_cookies_are_not_interchangeable() {
    let env = env_with_sign_in().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    let (halfway, _, back) = halfway(&env, id).await;
    let mut signed_in = Browser::new(&env);
    signed_in.sign_in(id, ADELE).await;

    let mut browser = Browser::new(&env);
    browser.cookies.insert(SESSION.to_owned(), halfway.cookies[ROUND_TRIP].clone());
    let page = browser.page().await;
    assert!(page.body.contains("Configure account"), "no session: {}", page.body);
    let mut browser = Browser::new(&env);
    browser.cookies.insert(ROUND_TRIP.to_owned(), signed_in.cookies[SESSION].clone());
    let answer = browser.come_back(&back).await;
    assert_refused(&answer, &browser, "swapped");
    // The round trip of another visit has another state.
    let mut other = Browser::new(&env);
    other.arrive(id).await;
    let answer = other.come_back(&back).await;
    assert_refused(&answer, &other, "another visit's");
}

#[tokio::test]
async fn a_tampered_or_forged_session_is_ignored() {
    let env = env_with_sign_in().await;
    let id = env.purchase(Purchase::flat_rate("silver").named("Fleet of twelve"));
    let mut good = Browser::new(&env);
    good.sign_in(id, ADELE).await;
    let sealed = good.cookies[SESSION].clone();
    let mut bytes = URL_SAFE_NO_PAD.decode(&sealed).expect("base64");
    let end = bytes.len() - 20;
    bytes[end] ^= 4;
    for cookie in [URL_SAFE_NO_PAD.encode(bytes), sealed[4..].to_owned(), "e30".to_owned()] {
        let mut browser = Browser::new(&env);
        browser.cookies.insert(SESSION.to_owned(), cookie);
        let page = browser.page().await;
        assert!(!page.body.contains("Fleet of twelve"), "{}", page.body);
        let answer = browser.submit(&[("submit", "x")]).await;
        assert!(!answer.body.contains("Fleet of twelve"), "{}", answer.body);
    }
    assert!(good.page().await.body.contains("Fleet of twelve"));
    assert_eq!(env.calls(Call::Activate), 0);
}

#[tokio::test]
async fn a_wrong_or_missing_state_is_refused() {
    let env = env_with_sign_in().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    let (good, _, back) = halfway(&env, id).await;
    let state = parameter(&back, "state");
    let calls = env.microsoft().entra(|entra| entra.token_requests());
    let mut bare = back.clone();
    bare.query_pairs_mut().clear().append_pair("code", &parameter(&back, "code"));
    let mut twice = back.clone();
    twice.query_pairs_mut().append_pair("state", "other");
    let mut error = back.clone();
    error.query_pairs_mut().clear().extend_pairs([("error", "access_denied"), ("state", "x")]);
    for back in [
        with_parameter(&back, "state", &state[1..]),
        with_parameter(&back, "state", &format!("{state}x")),
        with_parameter(&back, "state", ""),
        bare,
        twice,
        error,
    ] {
        let mut browser = good.clone();
        let answer = browser.come_back(&back).await;
        assert_refused(&answer, &browser, back.as_str());
    }
    let asked = env.microsoft().entra(|entra| entra.token_requests());
    assert_eq!(asked, calls, "no code is redeemed without the state");
}

#[tokio::test]
async fn a_code_from_another_session_is_refused() {
    let env = env_with_sign_in().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    // The attacker's code in the victim's round trip, whose verifier does not match.
    let (mut victim, _, back) = halfway(&env, id).await;
    let (_, _, attackers) = halfway(&env, id).await;
    let mixed = with_parameter(&back, "code", &parameter(&attackers, "code"));
    let answer = victim.come_back(&mixed).await;
    assert_refused(&answer, &victim, "another code");
    for code in ["", "nonsense"] {
        let (mut browser, _, back) = halfway(&env, id).await;
        let answer = browser.come_back(&with_parameter(&back, "code", code)).await;
        assert_refused(&answer, &browser, "no code");
    }
}

#[tokio::test]
async fn another_persons_sign_in_link_is_refused() {
    // Login CSRF: the attacker's finished round trip, opened in the victim's browser.
    let env = env_with_sign_in().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    let mut attacker = Browser::new(&env);
    let entra = attacker.arrive(id).await;
    let back = attacker.pick(&entra, STRANGER).await;
    let mut fresh = Browser::new(&env);
    let answer = fresh.come_back(&back).await;
    assert_refused(&answer, &fresh, "a browser without a round trip");
    let (mut busy, _, _) = halfway(&env, id).await;
    let answer = busy.come_back(&back).await;
    assert_refused(&answer, &busy, "a browser with a round trip of its own");
    let mut signed_in = Browser::new(&env);
    signed_in.sign_in(id, ADELE).await;
    let answer = signed_in.come_back(&back).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(
        signed_in.page().await.body.contains(ADELE),
        "the victim stays signed in as themselves"
    );
}

#[tokio::test]
async fn a_form_from_another_session_or_site_changes_nothing() {
    let env = env_with_sign_in().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    let mut browser = Browser::new(&env);
    browser.sign_in(id, ADELE).await;
    let submit = submit_token(&browser.page().await);
    // Another session of the same person has another token.
    let mut elsewhere = Browser::new(&env);
    elsewhere.sign_in(id, ADELE).await;
    let foreign = submit_token(&elsewhere.page().await);
    assert_ne!(submit, foreign);
    let doubled = format!("{submit}{submit}");
    for form in [
        vec![],
        vec![("submit", "")],
        vec![("submit", foreign.as_str())],
        vec![("submit", &submit[1..])],
        vec![("submit", doubled.as_str())],
        vec![("submit", submit.as_str()), ("submit", foreign.as_str())],
        vec![("token", submit.as_str())],
    ] {
        let answer = browser.submit(&form).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{form:?}");
    }
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "http://127.0.0.1"),
        ("origin", ""),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("sec-fetch-site", "none"),
    ] {
        let form = [("submit", submit.as_str())];
        let request = env.http.post(env.url("/landing")).form(&form).header(name, value);
        let answer = browser.send(request).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{name}: {value}");
    }
    // With sign-in enabled, the purchase token alone confirms nothing.
    let token = env.world(|world| world.purchase_token(id));
    let request = env.http.post(env.url("/landing")).form(&[("token", token.as_str())]);
    Browser::new(&env).send(request).await;
    assert_eq!(env.calls(Call::Activate), 0);
    // An old browser sends no `Sec-Fetch-Site`. The form's token decides.
    let form = [("submit", submit.as_str()), ("contact", ADELE)];
    let request = env.http.post(env.url("/landing")).form(&form);
    let request = request.header("origin", env.system.url());
    assert_eq!(browser.send(request).await.status, StatusCode::SEE_OTHER);
    assert_eq!(env.calls(Call::Activate), 1);
}

#[tokio::test]
async fn no_parameter_decides_where_the_buyer_is_redirected() {
    let env = env_with_sign_in().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    let token = env.world(|world| world.purchase_token(id)).replace('+', "%2B");
    let evil = "https%3A%2F%2Fevil.example%2F";
    let everything: String = [
        "redirect_uri",
        "redirect",
        "return",
        "returnUrl",
        "return_to",
        "next",
        "url",
        "state",
        "post_logout_redirect_uri",
        "client_id",
        "domain_hint",
    ]
    .iter()
    .map(|name| format!("&{name}={evil}"))
    .collect();
    let mut browser = Browser::new(&env);
    let sent = browser.get(&format!("/landing?token={token}{everything}")).await;
    let entra = location(&sent);
    assert!(!entra.as_str().contains("evil.example"), "{entra}");
    assert!(entra.as_str().starts_with(&env.system.variables["ENTRA_AUTHORITY"]), "{entra}");
    let back = browser.pick(&entra, ADELE).await;
    let without_state = everything.replace(&format!("&state={evil}"), "");
    let back = Url::parse(&format!("{back}{without_state}")).expect("an address");
    assert_eq!(browser.come_back(&back).await.headers["location"], "/landing");
    let again = browser.get(&format!("/landing/sign-in?x=1{everything}")).await;
    assert!(!location(&again).as_str().contains("evil.example"));
    for path in ["//evil.example/landing", "/landing/signed-in/https://evil.example"] {
        let answer = Browser::new(&env).get(path).await;
        assert_eq!(answer.headers.get("location"), None, "{path}");
    }
}
