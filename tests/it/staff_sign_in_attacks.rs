//! Attacks on the staff console's sign-in: cookies, the way back from Entra, and the way on.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use emulator::Purchase;
use http::header::{HeaderName, ORIGIN};
use http::{HeaderMap, HeaderValue, StatusCode};
use local::Options;
use serde_json::json;
use shared::sign_in::{NotStaff, SignInError, Untrusted};

use crate::browser::{self, Browser};
use crate::staff_sign_in_env::{
    Console, ROUND_TRIP, SESSION, StaffBrowser, answer_to, location, parameter,
};
use crate::test_env::TestEnv;

/// Why the answer of Entra's was not accepted.
#[track_caller]
fn untrusted(result: Result<String, NotStaff>) -> Untrusted {
    match result {
        Err(NotStaff::SignIn(SignInError::Untrusted(why))) => why,
        other => panic!("{other:?}"),
    }
}

/// Flips a bit of what a cookie holds.
fn tampered(sealed: &str, at: usize) -> String {
    let mut bytes = URL_SAFE_NO_PAD.decode(sealed).expect("base64");
    let at = at % bytes.len();
    bytes[at] ^= 1;
    URL_SAFE_NO_PAD.encode(bytes)
}

#[tokio::test]
async fn a_forged_or_tampered_session_is_none() {
    let env = TestEnv::new().await;
    let console = Console::new(&env);
    let mut good = StaffBrowser::default();
    console.sign_in(&mut good, "/console", &["Viewer"]).await.expect("signed in");
    let sealed = good.cookies[SESSION].clone();
    let plain = json!({
        "objectId": "66666666-6666-4666-8666-666666666666", "name": "", "userName": "", "role": "Admin",
        "csrfToken": "x", "expires": "2099-01-01T00:00:00Z",
    });
    let forged = URL_SAFE_NO_PAD.encode(plain.to_string());
    let mut values = vec![String::new(), "x".to_owned(), forged, plain.to_string()];
    values.extend([0, 11, 12, 40, 99].map(|at| tampered(&sealed, at)));
    values.extend([sealed[4..].to_owned(), sealed[..sealed.len() - 4].to_owned()]);
    for value in values {
        let mut browser = good.clone();
        browser.cookies.insert(SESSION.to_owned(), value.clone());
        assert_eq!(console.staff(&browser).await, None, "{value}");
    }
    assert!(console.staff(&good).await.is_some());
}

#[tokio::test]
async fn a_session_opens_nothing_at_a_console_with_another_app_secret_or_origin() {
    let env = TestEnv::new().await;
    let console = Console::new(&env);
    let mut browser = StaffBrowser::default();
    console.sign_in(&mut browser, "/console", &["Admin"]).await.expect("signed in");
    for other in [
        ("CONSOLE_CLIENT_SECRET", "another-secret"),
        ("CONSOLE_CLIENT_ID", "c0501e00-0000-4000-8000-000000000002"),
        ("CONSOLE_BASE_URL", "http://localhost:1"),
        ("CONSOLE_COOKIE_KEY", "q8Zr2vN5xT0cYb7JmWkD4sLhPfGaUe31"),
    ] {
        let elsewhere = Console::with(&env, &[other]);
        assert_eq!(elsewhere.staff(&browser).await, None, "{other:?}");
    }
    let same = Console::new(&env);
    assert!(same.staff(&browser).await.is_some(), "the server keeps nothing");
}

#[tokio::test]
async fn a_cookie_of_the_landing_page_opens_nothing_at_the_console_nor_the_reverse() {
    let env = TestEnv::with(Options::default().with("LANDING_SIGN_IN", "entra")).await;
    // At worst, both pages have the same app, the same secret and the same origin.
    let same = |name: &str| env.system.variables[name].clone();
    let (client, secret) = (same("LANDING_CLIENT_ID"), same("LANDING_CLIENT_SECRET"));
    let app = [("CONSOLE_CLIENT_ID", &*client), ("CONSOLE_CLIENT_SECRET", &*secret)];
    let console = Console::with(&env, &app);
    let id = env.purchase(Purchase::flat_rate("silver"));
    let mut buyer = Browser::new(&env);
    let entra = buyer.arrive(id).await;
    let round_trip = buyer.cookies[browser::ROUND_TRIP].clone();
    let back = buyer.pick(&entra, "adele@contoso.example").await;
    buyer.come_back(&back).await;
    assert_eq!(buyer.page().await.status, StatusCode::OK);

    let mut at_console = StaffBrowser::default();
    at_console.cookies.insert(SESSION.to_owned(), buyer.cookies[browser::SESSION].clone());
    assert_eq!(console.staff(&at_console).await, None);
    at_console.cookies.insert(ROUND_TRIP.to_owned(), round_trip);
    let id_token = console.sign(&console.claims(&entra, &["Admin"]));
    let answer = console.come_back(&mut at_console, &answer_to(&entra, "a-code"), &id_token).await;
    assert_eq!(untrusted(answer), Untrusted::NoRoundTrip);

    let mut staff = StaffBrowser::default();
    let at_entra = console.begin(&mut staff, "/console").await;
    let round_trip = staff.cookies[ROUND_TRIP].clone();
    console.sign_in(&mut staff, "/console", &["Admin"]).await.expect("signed in");
    let mut at_landing = Browser::new(&env);
    at_landing.cookies.insert(browser::SESSION.to_owned(), staff.cookies[SESSION].clone());
    assert!(at_landing.page().await.body.contains("Configure account"), "no session");
    at_landing.cookies.insert(browser::ROUND_TRIP.to_owned(), round_trip);
    let back = format!("/landing/signed-in?{}", answer_to(&at_entra, "a-code"));
    assert_eq!(at_landing.get(&back).await.status, StatusCode::BAD_REQUEST);
    assert!(!format!("{:?}", at_landing.page().await).contains("Silver"));
}

#[tokio::test]
async fn a_round_trip_cookie_that_is_absent_forged_or_a_session_signs_nobody_in() {
    let env = TestEnv::new().await;
    let console = Console::new(&env);
    let mut signed_in = StaffBrowser::default();
    console.sign_in(&mut signed_in, "/console", &["Admin"]).await.expect("signed in");
    let mut good = StaffBrowser::default();
    let entra = console.begin(&mut good, "/console").await;
    let (query, sealed) = (answer_to(&entra, "a-code"), good.cookies[ROUND_TRIP].clone());
    let id_token = console.sign(&console.claims(&entra, &["Admin"]));
    let plain = json!({ "state": parameter(&entra, "state"), "nonce": parameter(&entra, "nonce"),
        "verifier": "v", "returnTo": "/console", "expires": "2099-01-01T00:00:00Z" });
    for cookie in [
        None,
        Some(String::new()),
        Some(URL_SAFE_NO_PAD.encode(plain.to_string())),
        Some(tampered(&sealed, 0)),
        Some(tampered(&sealed, 50)),
        Some(signed_in.cookies[SESSION].clone()),
    ] {
        let mut browser = StaffBrowser::default();
        browser.cookies.extend(cookie.clone().map(|value| (ROUND_TRIP.to_owned(), value)));
        let answer = console.come_back(&mut browser, &query, &id_token).await;
        assert_eq!(untrusted(answer), Untrusted::NoRoundTrip, "{cookie:?}");
        assert!(!browser.cookies.contains_key(SESSION));
    }
    // As a session, the round trip's cookie is none.
    let mut browser = StaffBrowser::default();
    browser.cookies.insert(SESSION.to_owned(), sealed);
    assert_eq!(console.staff(&browser).await, None);
    console.come_back(&mut good, &query, &id_token).await.expect("the genuine cookie");
}

#[tokio::test]
async fn a_finished_round_trip_of_an_attacker_signs_no_victim_in() {
    let env = TestEnv::new().await;
    let console = Console::new(&env);
    let mut attacker = StaffBrowser::default();
    let entra = console.begin(&mut attacker, "/console").await;
    let (query, id_token) =
        (answer_to(&entra, "a-code"), console.sign(&console.claims(&entra, &["Viewer"])));
    let mut fresh = StaffBrowser::default();
    let answer = console.come_back(&mut fresh, &query, &id_token).await;
    assert_eq!(untrusted(answer), Untrusted::NoRoundTrip, "a browser without a round trip");
    let mut busy = StaffBrowser::default();
    let own = console.begin(&mut busy, "/console").await;
    let answer = console.come_back(&mut busy, &query, &id_token).await;
    assert_eq!(untrusted(answer), Untrusted::OtherState, "a browser with its own round trip");
    // The attacker's code with the victim's state: the token is of another sign-in.
    let answer = console.come_back(&mut busy, &answer_to(&own, "a-code"), &id_token).await;
    let expected = shared::microsoft::entra::InvalidToken::OtherNonce;
    assert_eq!(untrusted(answer), Untrusted::Token(expected));
    assert!(!busy.cookies.contains_key(SESSION) && !fresh.cookies.contains_key(SESSION));
    // A victim who is signed in stays signed in as themselves.
    let mut victim = StaffBrowser::default();
    console.sign_in(&mut victim, "/console", &["Admin"]).await.expect("signed in");
    let before = console.staff(&victim).await;
    let answer = console.come_back(&mut victim, &query, &id_token).await;
    assert_eq!(untrusted(answer), Untrusted::NoRoundTrip);
    assert_eq!(console.staff(&victim).await, before);
}

#[tokio::test]
async fn a_wrong_missing_or_repeated_state_exchanges_no_code() {
    let env = TestEnv::new().await;
    let console = Console::new(&env);
    let mut good = StaffBrowser::default();
    let entra = console.begin(&mut good, "/console").await;
    let state = parameter(&entra, "state");
    let id_token = console.sign(&console.claims(&entra, &["Admin"]));
    let asked = || env.microsoft().entra(|entra| entra.token_requests());
    let before = asked();
    for query in [
        "code=a-code".to_owned(),
        "code=a-code&state=".to_owned(),
        format!("code=a-code&state={}", &state[1..]),
        format!("code=a-code&state={state}x"),
        format!("code=a-code&state={state}&state={state}"),
        "error=access_denied&state=x".to_owned(),
        String::new(),
    ] {
        let answer = console.come_back(&mut good.clone(), &query, &id_token).await;
        assert_eq!(untrusted(answer), Untrusted::OtherState, "{query}");
    }
    for (query, expected) in [
        (format!("state={state}"), Untrusted::NoCode),
        (format!("code=a&code=b&state={state}"), Untrusted::NoCode),
        (format!("error=server_error&state={state}"), Untrusted::ErrorFromEntra),
    ] {
        let answer = console.come_back(&mut good.clone(), &query, &id_token).await;
        assert_eq!(untrusted(answer), expected, "{query}");
    }
    assert_eq!(asked(), before);
    let query = answer_to(&entra, "a-code");
    console.come_back(&mut good, &query, &id_token).await.expect("the right state");
}

#[tokio::test]
async fn a_round_trip_ends_after_fifteen_minutes_and_says_for_an_hour_where_it_wanted_to_go() {
    let env = TestEnv::new().await;
    let console = Console::new(&env);
    let mut browser = StaffBrowser::default();
    let entra = console.begin(&mut browser, "/console/runs").await;
    env.advance(Duration::from_secs(15 * 60));
    let id_token = console.sign(&console.claims(&entra, &["Admin"]));
    let answer = console.come_back(&mut browser, &answer_to(&entra, "a-code"), &id_token).await;
    assert_eq!(untrusted(answer), Untrusted::RoundTripExpired);
    let headers = browser.headers();
    let wanted = async || console.at().return_path(&headers).await.expect("a key");
    assert_eq!(wanted().await.expect("it is kept").as_str(), "/console/runs");
    env.advance(Duration::from_secs(60 * 60));
    assert_eq!(wanted().await, None);
}

#[tokio::test]
async fn nobody_is_sent_to_another_host_after_the_sign_in() {
    let env = TestEnv::new().await;
    let console = Console::new(&env);
    for evil in [
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "https://evil.example/",
        "https:evil.example",
        "javascript:alert(1)",
        "console",
        "",
        "/console\r\nset-cookie: a=b",
        &format!("/{}", "a".repeat(2_000)),
    ] {
        let mut browser = StaffBrowser::default();
        let to = console.sign_in(&mut browser, evil, &["Viewer"]).await.expect("signed in");
        assert_eq!(to, "/console", "{evil:?}");
    }
    // What Entra's redirect adds decides nothing.
    let mut browser = StaffBrowser::default();
    let entra = console.begin(&mut browser, "/console/runs").await;
    let id_token = console.sign(&console.claims(&entra, &["Viewer"]));
    let evil = "https%3A%2F%2Fevil.example%2F";
    let query = format!(
        "{}&returnTo={evil}&return_to={evil}&redirect_uri={evil}&next={evil}",
        answer_to(&entra, "a-code")
    );
    let to = console.come_back(&mut browser, &query, &id_token).await.expect("signed in");
    assert_eq!(to, "/console/runs");
    let answer = console.at().sign_out("/console", &HeaderMap::new());
    assert_eq!(location(&answer), "/console");
}

#[tokio::test]
async fn a_form_of_another_site_or_session_is_recognised() {
    let env = TestEnv::new().await;
    let console = Console::new(&env);
    let own = env.system.url().to_owned();
    let site = HeaderName::from_static("sec-fetch-site");
    for (name, value, expected) in [
        (ORIGIN, own.as_str(), true),
        (ORIGIN, "null", true),
        (site.clone(), "same-origin", true),
        (ORIGIN, "https://evil.example", false),
        (ORIGIN, "http://127.0.0.1", false),
        (ORIGIN, "", false),
        (site.clone(), "same-site", false),
        (site.clone(), "cross-site", false),
        (site.clone(), "none", false),
    ] {
        let headers = HeaderMap::from_iter([(name, HeaderValue::from_str(value).expect("text"))]);
        assert_eq!(console.at().is_same_origin(&headers), expected, "{headers:?}");
    }
    let mut staff = Vec::new();
    for _ in 0..2 {
        let mut browser = StaffBrowser::default();
        console.sign_in(&mut browser, "/console", &["Admin"]).await.expect("signed in");
        staff.push(console.staff(&browser).await.expect("a session"));
    }
    let [one, other] = &staff[..] else { panic!("two sessions") };
    assert!(one.owns_form_with(&one.csrf_token) && !one.owns_form_with(&other.csrf_token));
    for forged in ["", &one.csrf_token[1..], &one.csrf_token.repeat(2)] {
        assert!(!one.owns_form_with(forged), "{forged}");
    }
}

#[tokio::test]
async fn a_code_that_entra_refused_is_not_exchanged_again() {
    let env = TestEnv::new().await;
    let own = |name: &str| env.system.variables[name].clone();
    let (client, secret) = (own("CONSOLE_CLIENT_ID"), own("CONSOLE_CLIENT_SECRET"));
    let app = [("CONSOLE_CLIENT_ID", &*client), ("CONSOLE_CLIENT_SECRET", &*secret)];
    let console = Console::with(&env, &app);
    let mut browser = StaffBrowser::default();
    let entra = console.begin(&mut browser, "/console").await;
    let query = answer_to(&entra, "junk");
    let refused = console.finish_with(&mut browser, &query, None).await;
    assert_eq!(untrusted(refused), Untrusted::BadCode);
    let id_token = console.sign(&console.claims(&entra, &["Admin"]));
    let again = console.come_back(&mut browser, &query, &id_token).await;
    assert_eq!(untrusted(again), Untrusted::BadCode, "Entra would answer it now");
}
