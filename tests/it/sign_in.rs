//! Signing in on the landing page, and who may see a purchase (F-LP-5, F-LP-6, F-LP-9).

use std::time::Duration;

use emulator::{Call, Person, Purchase};
use http::StatusCode;
use local::Options;
use shared::domain::{MatchedBy, Role};

use crate::browser::{Browser, ROUND_TRIP, location, submit_token};
use crate::test_env::{Answer, TestEnv};

const ADELE: &str = "adele@contoso.example";
const COLLEAGUE: &str = "carl@contoso.example";
const STRANGER: &str = "sven@elsewhere.example";
const MINUTE: Duration = Duration::from_secs(60);

pub(crate) async fn env_with_sign_in() -> TestEnv {
    TestEnv::with(Options::default().with("LANDING_SIGN_IN", "entra")).await
}

#[tokio::test]
async fn a_buyer_signs_in_sees_the_purchase_and_confirms() {
    let env = env_with_sign_in().await;
    let id = env.purchase(Purchase::per_seat("team", 12).named("Fleet of twelve"));
    let mut browser = Browser::new(&env);
    let entra = browser.arrive(id).await;
    assert!(entra.path().ends_with("/common/oauth2/v2.0/authorize"), "F-LP-6: any tenant: {entra}");
    let parameter = |name: &str| {
        entra.query_pairs().find_map(|(key, value)| (key == name).then(|| value.into_owned()))
    };
    let is =
        |name: &str, value: &str| assert_eq!(parameter(name).as_deref(), Some(value), "{name}");
    is("response_type", "code");
    is("response_mode", "query");
    is("code_challenge_method", "S256");
    is("scope", "openid profile email");
    is("client_id", &env.system.variables["LANDING_CLIENT_ID"]);
    is("redirect_uri", &env.url("/landing/signed-in"));
    for name in ["state", "nonce", "code_challenge"] {
        assert!(parameter(name).is_some_and(|value| value.len() >= 22), "{name}");
    }
    assert!(env.record(id).await.is_none(), "Microsoft is asked only after the sign-in");
    assert_eq!(env.calls(Call::Resolve), 0);

    let back = browser.pick(&entra, ADELE).await;
    let signed_in = browser.come_back(&back).await;
    assert_eq!(signed_in.headers["location"], "/landing", "no token in the address");
    assert!(!browser.cookies.contains_key(ROUND_TRIP), "the round trip is over");
    let page = browser.page().await;
    assert_eq!(page.status, StatusCode::OK);
    for shown in ["Fleet of twelve", "per-seat-1", "Team", "12", ADELE, "Signed in as"] {
        assert!(page.body.contains(shown), "{shown} in {}", page.body);
    }
    assert_eq!(env.calls(Call::Activate), 0, "a visit alone activates nothing (F-ACT-9)");

    let active = browser.confirm().await;
    assert!(active.body.contains("Your subscription is active"), "{}", active.body);
    assert_eq!(env.event_names(id).await, ["Purchased", "Activated"]);
}

#[tokio::test]
async fn the_purchase_token_appears_in_no_response() {
    let env = env_with_sign_in().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    let token = env.world(|world| world.purchase_token(id));
    let path = format!("/landing?token={}", token.replace('+', "%2B"));
    let mut browser = Browser::new(&env);
    let sent = browser.get(&path).await;
    let back = browser.pick(&location(&sent), ADELE).await;
    let signed_in = browser.come_back(&back).await;
    let page = browser.page().await;
    let submit = submit_token(&page);
    let confirmed = browser.submit(&[("submit", &submit)]).await;
    let again = browser.get(&path).await;
    assert_eq!(again.headers["location"], "/landing", "still signed in for the same purchase");
    let part = &token[8..32];
    for answer in [&sent, &signed_in, &page, &confirmed, &again, &browser.page().await] {
        assert!(!format!("{answer:?}").contains(part), "{answer:?}");
        assert_eq!(answer.headers["referrer-policy"], "no-referrer");
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert_eq!(answer.headers["x-frame-options"], "DENY");
    }
    assert!(!back.as_str().contains(part), "{back}");
}

#[tokio::test]
async fn over_https_cookies_are_bound_to_the_host_and_the_redirect_is_configured() {
    let env = TestEnv::with(
        Options::default()
            .with("LANDING_SIGN_IN", "entra")
            .with("LANDING_BASE_URL", "https://signup.example.com/"),
    )
    .await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    let link = env.world(|world| world.landing_link(id));
    // The redirect address comes from the configuration, not from the request's host.
    let request = env.http.get(link).header("x-forwarded-host", "evil.example");
    let sent = env.send(request).await;
    let redirect = location(&sent)
        .query_pairs()
        .find_map(|(key, value)| (key == "redirect_uri").then(|| value.into_owned()));
    assert_eq!(redirect.as_deref(), Some("https://signup.example.com/landing/signed-in"));
    let cookies: Vec<&str> = sent
        .headers
        .get_all("set-cookie")
        .iter()
        .map(|cookie| cookie.to_str().expect("text"))
        .collect();
    assert_eq!(cookies.len(), 2, "the round trip begins, and a former session ends: {cookies:?}");
    for (cookie, name) in cookies.iter().zip(["__Host-landing=", "__Host-landing-session=;"]) {
        assert!(cookie.starts_with(name), "{cookie}");
        for attribute in ["; Path=/", "; HttpOnly", "; SameSite=Lax", "; Secure"] {
            assert!(cookie.contains(attribute), "{attribute} in {cookie}");
        }
        assert!(!cookie.contains("Domain"), "{cookie}");
    }
    assert!(cookies[0].contains("; Max-Age=900"), "{}", cookies[0]);
}

#[tokio::test]
async fn the_record_says_how_the_buyer_was_identified() {
    let env = env_with_sign_in().await;
    let id = env.purchase(Purchase::per_seat("basic", 4).by_reseller());
    let identified = async || {
        let person = env.record(id).await.expect("a record").identified_as.expect("a person");
        (person.role, person.matched_by)
    };
    let mut customer = Browser::new(&env);
    customer.sign_in(id, ADELE).await;
    customer.page().await;
    assert_eq!(identified().await, (Role::Beneficiary, MatchedBy::TenantAndObject));
    // The reseller's administrator signs in from another tenant (F-LP-9, F-SEED-9).
    let mut reseller = Browser::new(&env);
    reseller.sign_in(id, "rita@reseller.example").await;
    let page = reseller.page().await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    assert_eq!(identified().await, (Role::Purchaser, MatchedBy::TenantAndObject));

    // If Microsoft leaves out the object ids, the tenant alone decides (F-OBJ-4).
    env.world(|world| world.settings_mut().oddities.null_person_ids = true);
    let sparse = env.purchase(Purchase::flat_rate("silver"));
    let mut browser = Browser::new(&env);
    browser.sign_in(sparse, ADELE).await;
    browser.confirm().await;
    let record = env.record(sparse).await.expect("a record");
    assert_eq!(record.identified_as.map(|known| known.matched_by), Some(MatchedBy::Tenant));
    assert_eq!(record.status().as_str(), "Subscribed");
}

#[tokio::test]
async fn a_colleague_sees_status_plan_seats_and_term_and_does_nothing() {
    let env = env_with_sign_in().await;
    let id = env.purchase(Purchase::per_seat("team", 12).named("Fleet of twelve"));
    let assert_shows = |page: &Answer, status: &str| {
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        for shown in ["Your company has this subscription", "Team", "12", "1 month", status] {
            assert!(page.body.contains(shown), "{shown} in {}", page.body);
        }
        for secret in [ADELE, "Fleet of twelve", "action=\"/landing\"", "/landing/manage"] {
            assert!(!page.body.contains(secret), "{secret} in {}", page.body);
        }
    };
    let mut colleague = Browser::new(&env);
    colleague.sign_in(id, COLLEAGUE).await;
    assert_shows(&colleague.page().await, "Not set up yet");
    assert!(env.record(id).await.is_none(), "a colleague's visit is not recorded");

    let mut owner = Browser::new(&env);
    owner.sign_in(id, ADELE).await;
    owner.confirm().await;
    let before = env.record(id).await;
    assert_shows(&colleague.page().await, "Active");
    assert_eq!(env.record(id).await, before);
}

#[tokio::test]
async fn a_stranger_sees_nothing_and_changes_nothing() {
    let env = env_with_sign_in().await;
    let id = env.purchase(Purchase::per_seat("team", 12).named("Fleet of twelve"));
    for email in [STRANGER, "pat.doe@outlook.example", "bruno@northwind.example"] {
        let mut browser = Browser::new(&env);
        browser.sign_in(id, email).await;
        let page = browser.page().await;
        assert_eq!(page.status, StatusCode::FORBIDDEN);
        for secret in [
            "Fleet of twelve",
            "per-seat-1",
            "Team",
            "team",
            ADELE,
            &id.to_string(),
            "action=\"/landing\"",
        ] {
            assert!(!page.body.contains(secret), "{secret} in {}", page.body);
        }
        assert!(page.body.contains(email), "the page names the account: {}", page.body);
        assert!(
            page.body.contains("href=\"/landing/sign-in\""),
            "the page links to another sign-in"
        );
        assert!(env.record(id).await.is_none(), "a stranger's visit is not recorded");
    }
    // The same holds for a purchase that is on record.
    let mut owner = Browser::new(&env);
    owner.sign_in(id, ADELE).await;
    let submit = submit_token(&owner.page().await);
    let before = env.record(id).await;
    let mut stranger = Browser::new(&env);
    stranger.sign_in(id, STRANGER).await;
    stranger.page().await;
    let answer = stranger.submit(&[("submit", &submit)]).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(env.calls(Call::Activate), 0);
    assert_eq!(env.record(id).await, before);
}

#[tokio::test]
async fn a_visit_without_a_purchase_token_needs_no_sign_in() {
    // F-LP-4. A token in the fragment never reaches a server.
    let env = env_with_sign_in().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    let token = env.world(|world| world.purchase_token(id));
    for path in [
        "/landing".to_owned(),
        "/landing?token=".to_owned(),
        "/landing/sign-in".to_owned(),
        format!("/landing#token={token}"),
        format!("/landing?x=1#token={token}"),
    ] {
        let page = Browser::new(&env).get(&path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        assert!(page.body.contains("Configure account"), "{}", page.body);
        assert_eq!(page.body.matches("<script").count(), 1, "one script, which reads no fragment");
    }
    assert_eq!(env.calls(Call::Resolve), 0);
}

#[tokio::test]
async fn the_token_survives_the_round_trip_however_its_plus_was_encoded() {
    // F-RES-2, F-RES-3.
    let env = env_with_sign_in().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    let token = env.world(|world| world.purchase_token(id));
    assert!(token.contains('+') && token.contains('/'));
    let encoded = token.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    for (raw, status) in [
        (encoded.clone(), StatusCode::OK),
        (token.clone(), StatusCode::OK),
        (token.replace('+', "%20"), StatusCode::OK),
        (encoded.replace('%', "%25"), StatusCode::BAD_REQUEST),
    ] {
        let mut browser = Browser::new(&env);
        let entra = location(&browser.get(&format!("/landing?token={raw}")).await);
        let back = browser.pick(&entra, ADELE).await;
        browser.come_back(&back).await;
        assert_eq!(browser.page().await.status, status, "{raw}");
    }
    // A value that does not fit in the cookies is no token of Microsoft's.
    let long = Browser::new(&env).get(&format!("/landing?token={}", "x".repeat(8000))).await;
    assert_eq!(long.status, StatusCode::BAD_REQUEST);
    assert!(long.body.contains("Configure account"), "{}", long.body);
}

#[tokio::test]
async fn an_expired_link_is_explained_after_the_sign_in() {
    // F-RES-9, F-LP-12.
    let env = env_with_sign_in().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    let token = env.world(|world| world.purchase_token(id)).replace('+', "%2B");
    env.advance(25 * 60 * MINUTE);
    let mut browser = Browser::new(&env);
    let entra = location(&browser.get(&format!("/landing?token={token}")).await);
    let back = browser.pick(&entra, ADELE).await;
    browser.come_back(&back).await;
    let page = browser.page().await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    assert!(page.body.contains("Configure account"), "{}", page.body);
    assert!(env.record(id).await.is_none());
}

#[tokio::test]
async fn an_email_address_is_never_an_identity() {
    // F-LP-9: the purchase names another person with the stranger's address.
    let env = env_with_sign_in().await;
    let person = Person { email: STRANGER.to_owned(), ..Person::adele() };
    let id = env.purchase(Purchase::flat_rate("silver").by(person));
    let mut browser = Browser::new(&env);
    browser.sign_in(id, STRANGER).await;
    assert_eq!(browser.page().await.status, StatusCode::FORBIDDEN);
    let mut browser = Browser::new(&env);
    browser.sign_in(id, ADELE).await;
    assert_eq!(browser.page().await.status, StatusCode::OK);
}
