//! Signing in on the landing page, and whose purchase it is (F-LP-5, F-LP-6, F-LP-9).

use std::time::Duration;

use emulator::{Call, ErrorForm, FaultKind, Person, Purchase, Times};
use http::StatusCode;
use local::Options;
use shared::domain::{MatchedBy, Role};

use crate::browser::{Browser, ROUND_TRIP, SESSION, location, submit_token};
use crate::scene::Scene;

const ADELE: &str = "adele@contoso.example";
const STRANGER: &str = "sven@elsewhere.example";
const MINUTE: Duration = Duration::from_secs(60);

pub(crate) async fn scene() -> Scene {
    Scene::with(Options::default().with("LANDING_SIGN_IN", "entra")).await
}

#[tokio::test]
async fn a_buyer_signs_in_sees_the_purchase_and_confirms() {
    let scene = scene().await;
    let id = scene.purchase(Purchase::per_seat("team", 12).named("Fleet of twelve"));
    let mut browser = Browser::new(&scene);
    let entra = browser.arrive(id).await;
    assert!(entra.path().ends_with("/common/oauth2/v2.0/authorize"), "F-LP-6: any tenant: {entra}");
    let asked = |name: &str| {
        entra.query_pairs().find_map(|(key, value)| (key == name).then(|| value.into_owned()))
    };
    let is = |name: &str, value: &str| assert_eq!(asked(name).as_deref(), Some(value), "{name}");
    is("response_type", "code");
    is("response_mode", "query");
    is("code_challenge_method", "S256");
    is("scope", "openid profile email");
    is("client_id", &scene.stage.variables["LANDING_CLIENT_ID"]);
    is("redirect_uri", &scene.url("/landing/signed-in"));
    for name in ["state", "nonce", "code_challenge"] {
        assert!(asked(name).is_some_and(|value| value.len() >= 22), "{name}");
    }
    assert!(scene.record(id).await.is_none(), "nothing is asked before somebody signed in");
    assert_eq!(scene.calls(Call::Resolve), 0);

    let back = browser.pick(&entra, ADELE).await;
    let signed_in = browser.come_back(&back).await;
    assert_eq!(signed_in.headers["location"], "/landing", "no token in the address any more");
    assert!(!browser.cookies.contains_key(ROUND_TRIP), "the round trip is over");
    let page = browser.page().await;
    assert_eq!(page.status, StatusCode::OK);
    for shown in ["Fleet of twelve", "per-seat-1", "team", "12", ADELE, "Signed in as"] {
        assert!(page.body.contains(shown), "{shown} in {}", page.body);
    }
    assert_eq!(scene.calls(Call::Activate), 0, "a visit alone activates nothing (F-ACT-9)");

    let active = browser.confirm().await;
    assert!(active.body.contains("Your subscription is active"), "{}", active.body);
    assert_eq!(scene.event_names(id).await, ["Purchased", "Activated"]);
}

#[tokio::test]
async fn the_purchase_token_is_in_nothing_that_leaves() {
    let scene = scene().await;
    let id = scene.purchase(Purchase::flat_rate("silver"));
    let token = scene.world(|world| world.purchase_token(id));
    let path = format!("/landing?token={}", token.replace('+', "%2B"));
    let mut browser = Browser::new(&scene);
    let sent = browser.get(&path).await;
    let back = browser.pick(&location(&sent), ADELE).await;
    let signed_in = browser.come_back(&back).await;
    let page = browser.page().await;
    let submit = submit_token(&page);
    let confirmed = browser.submit(&[("submit", &submit)]).await;
    let again = browser.get(&path).await;
    assert_eq!(again.headers["location"], "/landing", "the same purchase, and signed in");
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
async fn over_https_the_cookies_are_bound_to_the_host_and_the_way_back_is_the_configured_one() {
    let scene = Scene::with(
        Options::default()
            .with("LANDING_SIGN_IN", "entra")
            .with("LANDING_BASE_URL", "https://signup.example.com/"),
    )
    .await;
    let id = scene.purchase(Purchase::flat_rate("silver"));
    let link = scene.world(|world| world.landing_link(id));
    // Whatever host a request names: nobody but the configuration says where the buyer comes back.
    let request = scene.http.get(link).header("x-forwarded-host", "evil.example");
    let sent = scene.send(request).await;
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
async fn the_way_a_buyer_was_recognised_is_recorded() {
    let scene = scene().await;
    let id = scene.purchase(Purchase::per_seat("basic", 4).by_reseller());
    let bound = async || {
        let bound = scene.record(id).await.expect("a record").identified_as.expect("a binding");
        (bound.role, bound.matched_by)
    };
    let mut customer = Browser::new(&scene);
    customer.sign_in(id, ADELE).await;
    customer.page().await;
    assert_eq!(bound().await, (Role::Beneficiary, MatchedBy::TenantAndObject));
    // The reseller's administrator signs in from another tenant (F-LP-9, F-SEED-9).
    let mut reseller = Browser::new(&scene);
    reseller.sign_in(id, "rita@reseller.example").await;
    let page = reseller.page().await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    assert_eq!(bound().await, (Role::Purchaser, MatchedBy::TenantAndObject));

    // Where Microsoft leaves the object ids out, the tenant alone has to do (F-OBJ-4).
    scene.world(|world| world.settings_mut().oddities.null_person_ids = true);
    let sparse = scene.purchase(Purchase::flat_rate("silver"));
    let mut browser = Browser::new(&scene);
    browser.sign_in(sparse, ADELE).await;
    browser.confirm().await;
    let record = scene.record(sparse).await.expect("a record");
    assert_eq!(record.identified_as.map(|known| known.matched_by), Some(MatchedBy::Tenant));
    assert_eq!(record.status().as_str(), "Subscribed");
}

#[tokio::test]
async fn a_stranger_sees_nothing_and_changes_nothing() {
    let scene = scene().await;
    let id = scene.purchase(Purchase::per_seat("team", 12).named("Fleet of twelve"));
    for email in [STRANGER, "pat.doe@outlook.example", "bruno@northwind.example"] {
        let mut browser = Browser::new(&scene);
        browser.sign_in(id, email).await;
        let page = browser.page().await;
        assert_eq!(page.status, StatusCode::FORBIDDEN);
        for secret in ["Fleet of twelve", "per-seat-1", "team", ADELE, &id.to_string(), "<form"] {
            assert!(!page.body.contains(secret), "{secret} in {}", page.body);
        }
        assert!(page.body.contains(email), "who is signed in is said: {}", page.body);
        assert!(page.body.contains("href=\"/landing/sign-in\""), "and how to change that");
        assert!(scene.record(id).await.is_none(), "nothing is written for a stranger");
    }
    // Nor is anything of a purchase that is on record.
    let mut owner = Browser::new(&scene);
    owner.sign_in(id, ADELE).await;
    let submit = submit_token(&owner.page().await);
    let before = scene.record(id).await;
    let mut stranger = Browser::new(&scene);
    stranger.sign_in(id, STRANGER).await;
    stranger.page().await;
    let answer = stranger.submit(&[("submit", &submit)]).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(scene.calls(Call::Activate), 0);
    assert_eq!(scene.record(id).await, before);
}

#[tokio::test]
async fn whoever_took_the_wrong_account_may_take_another() {
    let scene = scene().await;
    let id = scene.purchase(Purchase::flat_rate("silver"));
    let mut browser = Browser::new(&scene);
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
async fn another_token_starts_anew_and_asks_who_it_is_again() {
    let scene = scene().await;
    let (one, other) = (
        scene.purchase(Purchase::flat_rate("silver").named("One")),
        scene.purchase(Purchase::flat_rate("silver").named("The other")),
    );
    let mut browser = Browser::new(&scene);
    browser.sign_in(one, ADELE).await;
    let entra = browser.arrive(other).await;
    assert!(!browser.cookies.contains_key(SESSION), "nobody is signed in meanwhile");
    let back = browser.pick(&entra, ADELE).await;
    browser.come_back(&back).await;
    let page = browser.page().await;
    assert!(page.body.contains("The other") && !page.body.contains(">One<"), "{}", page.body);
}

#[tokio::test]
async fn a_page_left_open_is_confirmed_twice_from_two_tabs_and_activates_once() {
    // F-LP-10.
    let scene = scene().await;
    let id = scene.purchase(Purchase::flat_rate("silver"));
    let mut first = Browser::new(&scene);
    first.sign_in(id, ADELE).await;
    let submit = submit_token(&first.page().await);
    let mut second = first.clone();
    scene.advance(59 * MINUTE);
    for tab in [&mut first, &mut second] {
        for _ in 0..2 {
            assert_eq!(tab.submit(&[("submit", &submit)]).await.status, StatusCode::SEE_OTHER);
        }
    }
    assert_eq!(scene.calls(Call::Activate), 1);
    assert_eq!(scene.event_names(id).await, ["Purchased", "Activated"]);
}

#[tokio::test]
async fn where_the_publisher_activates_the_page_waits_and_can_be_looked_at_again() {
    let options = Options::default().with("LANDING_SIGN_IN", "entra");
    let scene = Scene::with(options.with("ACTIVATION", "by-publisher")).await;
    let id = scene.purchase(Purchase::flat_rate("silver"));
    let mut browser = Browser::new(&scene);
    browser.sign_in(id, ADELE).await;
    let submit = submit_token(&browser.page().await);
    for _ in 0..2 {
        assert_eq!(browser.submit(&[("submit", &submit)]).await.status, StatusCode::SEE_OTHER);
    }
    let waiting = browser.page().await;
    assert!(waiting.body.contains("being prepared"), "{}", waiting.body);
    assert!(waiting.body.contains("href=\"/landing\""), "{}", waiting.body);
    assert!(!waiting.body.contains("<form"), "nothing to confirm twice: {}", waiting.body);
    assert_eq!(scene.event_names(id).await, ["Purchased", "ActivationRequested"]);
    scene.activate(id).await;
    assert!(browser.page().await.body.contains("Your subscription is active"));
}

#[tokio::test]
async fn a_page_left_open_for_longer_asks_to_sign_in_again_and_keeps_the_purchase() {
    let scene = scene().await;
    let id = scene.purchase(Purchase::flat_rate("silver"));
    let mut browser = Browser::new(&scene);
    browser.sign_in(id, ADELE).await;
    let submit = submit_token(&browser.page().await);
    scene.advance(61 * MINUTE);
    // Not a redirect to Entra: a page whose forms lead nowhere else may not follow one from a form.
    let late = browser.submit(&[("submit", &submit)]).await;
    assert_eq!(late.status, StatusCode::FORBIDDEN);
    assert!(late.body.contains("href=\"/landing/sign-in\""), "{}", late.body);
    assert_eq!(scene.calls(Call::Activate), 0);
    // Loading it does.
    let entra = location(&browser.page().await);
    let back = browser.pick(&entra, ADELE).await;
    browser.come_back(&back).await;
    browser.confirm().await;
    assert_eq!(scene.event_names(id).await, ["Purchased", "Activated"]);
}

#[tokio::test]
async fn whoever_turns_back_on_the_way_to_entra_still_has_the_purchase() {
    let scene = scene().await;
    let id = scene.purchase(Purchase::flat_rate("silver"));
    let mut browser = Browser::new(&scene);
    browser.arrive(id).await;
    let entra = location(&browser.page().await);
    assert!(entra.path().ends_with("/authorize"), "{entra}");
    let back = browser.pick(&entra, ADELE).await;
    browser.come_back(&back).await;
    assert_eq!(browser.page().await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_page_that_looks_again_by_itself_signs_nobody_in_and_out() {
    let scene = scene().await;
    let id = scene.purchase(Purchase::flat_rate("silver"));
    let mut browser = Browser::new(&scene);
    browser.sign_in(id, ADELE).await;
    scene.advance(61 * MINUTE);
    let request = scene.http.get(scene.url("/landing")).header("sec-fetch-dest", "empty");
    let answer = browser.send(request).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.body);
    assert!(answer.headers.get("set-cookie").is_none(), "another tab may be on its way to Entra");
    assert!(location(&browser.page().await).path().ends_with("/authorize"), "a person is asked");
}

#[tokio::test]
async fn whoever_declines_is_told_so_and_may_try_again() {
    let scene = scene().await;
    let id = scene.purchase(Purchase::flat_rate("silver"));
    let mut browser = Browser::new(&scene);
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
async fn entras_silence_is_a_page_to_try_again_from_that_keeps_the_token() {
    let scene = scene().await;
    let id = scene.purchase(Purchase::flat_rate("silver"));
    for (call, kind) in [
        // First: once known, the keys are asked for no more.
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
        let mut browser = Browser::new(&scene);
        let entra = browser.arrive(id).await;
        let back = browser.pick(&entra, ADELE).await;
        scene.fault(call, kind.clone(), Times::Always);
        let page = browser.come_back(&back).await;
        scene.world(|world| world.faults_mut().clear());
        assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE, "{kind:?}");
        assert!(page.body.contains("href=\"/landing/sign-in\""), "{}", page.body);
        assert!(!browser.cookies.contains_key(SESSION));
        scene.advance(MINUTE);
        let entra = location(&browser.get("/landing/sign-in").await);
        let back = browser.pick(&entra, ADELE).await;
        browser.come_back(&back).await;
        assert_eq!(browser.page().await.status, StatusCode::OK, "{kind:?}");
    }
}

#[tokio::test]
async fn without_a_purchase_nobody_is_asked_to_sign_in() {
    // F-LP-4. A token in the fragment never reaches a server.
    let scene = scene().await;
    let id = scene.purchase(Purchase::flat_rate("silver"));
    let token = scene.world(|world| world.purchase_token(id));
    for path in [
        "/landing".to_owned(),
        "/landing?token=".to_owned(),
        "/landing/sign-in".to_owned(),
        format!("/landing#token={token}"),
        format!("/landing?x=1#token={token}"),
    ] {
        let page = Browser::new(&scene).get(&path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        assert!(page.body.contains("Configure account"), "{}", page.body);
        assert_eq!(page.body.matches("<script").count(), 1, "one script, which reads no fragment");
    }
    assert_eq!(scene.calls(Call::Resolve), 0);
}

#[tokio::test]
async fn the_token_survives_the_round_trip_whatever_became_of_its_plus() {
    // F-RES-2, F-RES-3.
    let scene = scene().await;
    let id = scene.purchase(Purchase::flat_rate("silver"));
    let token = scene.world(|world| world.purchase_token(id));
    assert!(token.contains('+') && token.contains('/'));
    let encoded = token.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    for (raw, status) in [
        (encoded.clone(), StatusCode::OK),
        (token.clone(), StatusCode::OK),
        (token.replace('+', "%20"), StatusCode::OK),
        (encoded.replace('%', "%25"), StatusCode::BAD_REQUEST),
    ] {
        let mut browser = Browser::new(&scene);
        let entra = location(&browser.get(&format!("/landing?token={raw}")).await);
        let back = browser.pick(&entra, ADELE).await;
        browser.come_back(&back).await;
        assert_eq!(browser.page().await.status, status, "{raw}");
    }
    // What no cookies could carry is no token of Microsoft's.
    let long = Browser::new(&scene).get(&format!("/landing?token={}", "x".repeat(8000))).await;
    assert_eq!(long.status, StatusCode::BAD_REQUEST);
    assert!(long.body.contains("Configure account"), "{}", long.body);
}

#[tokio::test]
async fn an_expired_link_is_explained_to_whoever_signed_in() {
    // F-RES-9, F-LP-12.
    let scene = scene().await;
    let id = scene.purchase(Purchase::flat_rate("silver"));
    let token = scene.world(|world| world.purchase_token(id)).replace('+', "%2B");
    scene.advance(25 * 60 * MINUTE);
    let mut browser = Browser::new(&scene);
    let entra = location(&browser.get(&format!("/landing?token={token}")).await);
    let back = browser.pick(&entra, ADELE).await;
    browser.come_back(&back).await;
    let page = browser.page().await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    assert!(page.body.contains("Configure account"), "{}", page.body);
    assert!(scene.record(id).await.is_none());
}

#[tokio::test]
async fn an_e_mail_address_is_never_an_identity() {
    // F-LP-9: the purchase names another person with the stranger's address.
    let scene = scene().await;
    let person = Person { email: STRANGER.to_owned(), ..Person::adele() };
    let id = scene.purchase(Purchase::flat_rate("silver").by(person));
    let mut browser = Browser::new(&scene);
    browser.sign_in(id, STRANGER).await;
    assert_eq!(browser.page().await.status, StatusCode::FORBIDDEN);
    let mut browser = Browser::new(&scene);
    browser.sign_in(id, ADELE).await;
    assert_eq!(browser.page().await.status, StatusCode::OK);
}
