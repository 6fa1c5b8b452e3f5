//! What somebody may try on the way to Entra and back, and with the forms after that.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use emulator::{Call, FaultKind, Person, Purchase, Times};
use http::StatusCode;
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use crate::browser::{Browser, ROUND_TRIP, SESSION, location, submit_token};
use crate::scene::{Answer, Scene};
use crate::sign_in::scene;

const ADELE: &str = "adele@contoso.example";
const STRANGER: &str = "sven@elsewhere.example";

/// Whoever came back is not signed in, and is told no more than that.
#[track_caller]
fn is_refused(answer: &Answer, browser: &Browser<'_>, case: &str) {
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{case}: {}", answer.body);
    assert!(!browser.cookies.contains_key(SESSION), "{case}: nobody is signed in");
    for trace in ["AADSTS", "nonce", "state", "issuer", "audience", "Error"] {
        assert!(!answer.body.contains(trace), "{case}: {trace} in {}", answer.body);
    }
}

fn with_parameter(url: &Url, name: &str, value: &str) -> Url {
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

fn parameter(url: &Url, name: &str) -> String {
    url.query_pairs()
        .find_map(|(key, value)| (key == name).then(|| value.into_owned()))
        .expect("the parameter is there")
}

/// A buyer who is about to come back from Entra.
async fn halfway(scene: &Scene, id: Uuid) -> (Browser<'_>, Url, Url) {
    let mut browser = Browser::new(scene);
    let entra = browser.arrive(id).await;
    let back = browser.pick(&entra, ADELE).await;
    (browser, entra, back)
}

#[tokio::test]
async fn a_tampered_or_foreign_round_trip_cookie_signs_nobody_in() {
    let scene = scene().await;
    let id = scene.purchase(Purchase::flat_rate("silver"));
    let (good, _, back) = halfway(&scene, id).await;
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
        is_refused(&answer, &browser, &cookie);
    }
    // And the good one still works: nothing of that was held against the buyer.
    let mut browser = good;
    assert_eq!(browser.come_back(&back).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_round_trip_is_over_after_a_quarter_of_an_hour() {
    let scene = scene().await;
    let id = scene.purchase(Purchase::flat_rate("silver"));
    let mut browser = Browser::new(&scene);
    let entra = browser.arrive(id).await;
    scene.advance(Duration::from_secs(15 * 60));
    // Entra's code is fresh; the cookie isn't.
    let back = browser.pick(&entra, ADELE).await;
    let answer = browser.come_back(&back).await;
    is_refused(&answer, &browser, "expired");
    // The purchase is not lost.
    assert!(location(&browser.get("/landing/sign-in").await).path().ends_with("/authorize"));
}

#[tokio::test]
async fn a_replayed_round_trip_signs_nobody_in_a_second_time() {
    let scene = scene().await;
    let id = scene.purchase(Purchase::flat_rate("silver"));
    let (mut browser, _, back) = halfway(&scene, id).await;
    let mut thief = browser.clone();
    assert_eq!(browser.come_back(&back).await.status, StatusCode::SEE_OTHER);
    // The buyer's browser has forgotten it; somebody who copied it all has not.
    let answer = browser.come_back(&back).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.body);
    let answer = thief.come_back(&back).await;
    is_refused(&answer, &thief, "the code was used");
}

#[tokio::test]
async fn one_cookie_is_never_taken_for_the_other() {
    let scene = scene().await;
    let id = scene.purchase(Purchase::flat_rate("silver"));
    let (halfway, _, back) = halfway(&scene, id).await;
    let mut signed_in = Browser::new(&scene);
    signed_in.sign_in(id, ADELE).await;

    let mut browser = Browser::new(&scene);
    browser.cookies.insert(SESSION.to_owned(), halfway.cookies[ROUND_TRIP].clone());
    let page = browser.page().await;
    assert!(page.body.contains("Configure account"), "no session: {}", page.body);
    let mut browser = Browser::new(&scene);
    browser.cookies.insert(ROUND_TRIP.to_owned(), signed_in.cookies[SESSION].clone());
    let answer = browser.come_back(&back).await;
    is_refused(&answer, &browser, "swapped");
    // The round trip of another visit has another state.
    let mut other = Browser::new(&scene);
    other.arrive(id).await;
    let answer = other.come_back(&back).await;
    is_refused(&answer, &other, "another visit's");
}

#[tokio::test]
async fn a_tampered_or_forged_session_is_none() {
    let scene = scene().await;
    let id = scene.purchase(Purchase::flat_rate("silver").named("Fleet of twelve"));
    let mut good = Browser::new(&scene);
    good.sign_in(id, ADELE).await;
    let sealed = good.cookies[SESSION].clone();
    let mut bytes = URL_SAFE_NO_PAD.decode(&sealed).expect("base64");
    let end = bytes.len() - 20;
    bytes[end] ^= 4;
    for cookie in [URL_SAFE_NO_PAD.encode(bytes), sealed[4..].to_owned(), "e30".to_owned()] {
        let mut browser = Browser::new(&scene);
        browser.cookies.insert(SESSION.to_owned(), cookie);
        let page = browser.page().await;
        assert!(!page.body.contains("Fleet of twelve"), "{}", page.body);
        let answer = browser.submit(&[("submit", "x")]).await;
        assert!(!answer.body.contains("Fleet of twelve"), "{}", answer.body);
    }
    assert!(good.page().await.body.contains("Fleet of twelve"));
    assert_eq!(scene.calls(Call::Activate), 0);
}

#[tokio::test]
async fn another_state_or_none_signs_nobody_in() {
    let scene = scene().await;
    let id = scene.purchase(Purchase::flat_rate("silver"));
    let (good, _, back) = halfway(&scene, id).await;
    let state = parameter(&back, "state");
    let calls = scene.microsoft().entra(|entra| entra.token_requests());
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
        is_refused(&answer, &browser, back.as_str());
    }
    let asked = scene.microsoft().entra(|entra| entra.token_requests());
    assert_eq!(asked, calls, "no code is redeemed without the state");
}

#[tokio::test]
async fn a_code_of_another_session_signs_nobody_in() {
    let scene = scene().await;
    let id = scene.purchase(Purchase::flat_rate("silver"));
    // The attacker's own code, with everything else the victim's: its verifier is another.
    let (mut victim, _, back) = halfway(&scene, id).await;
    let (_, _, attackers) = halfway(&scene, id).await;
    let mixed = with_parameter(&back, "code", &parameter(&attackers, "code"));
    let answer = victim.come_back(&mixed).await;
    is_refused(&answer, &victim, "another code");
    for code in ["", "nonsense"] {
        let (mut browser, _, back) = halfway(&scene, id).await;
        let answer = browser.come_back(&with_parameter(&back, "code", code)).await;
        is_refused(&answer, &browser, "no code");
    }
}

#[tokio::test]
async fn nobody_is_signed_in_by_a_link_of_somebody_else() {
    // Login CSRF: the attacker's finished round trip, opened in the victim's browser.
    let scene = scene().await;
    let id = scene.purchase(Purchase::flat_rate("silver"));
    let mut attacker = Browser::new(&scene);
    let entra = attacker.arrive(id).await;
    let back = attacker.pick(&entra, STRANGER).await;
    let mut fresh = Browser::new(&scene);
    let answer = fresh.come_back(&back).await;
    is_refused(&answer, &fresh, "a browser without a round trip");
    let (mut busy, _, _) = halfway(&scene, id).await;
    let answer = busy.come_back(&back).await;
    is_refused(&answer, &busy, "a browser with a round trip of its own");
    let mut signed_in = Browser::new(&scene);
    signed_in.sign_in(id, ADELE).await;
    let answer = signed_in.come_back(&back).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(signed_in.page().await.body.contains(ADELE), "and stays who they were");
}

/// The claims of a good id token for a way to Entra.
fn claims(scene: &Scene, entra: &Url) -> Value {
    let person = Person::adele();
    let now = scene.world(|world| world.now()).as_second();
    json!({
        "aud": scene.stage.variables["LANDING_CLIENT_ID"],
        "iss": format!("{}/{}/v2.0", scene.stage.variables["ENTRA_AUTHORITY"], person.tenant_id),
        "iat": now, "nbf": now, "exp": now + 3600,
        "name": person.name, "oid": person.object_id, "preferred_username": person.email,
        "sub": "s", "tid": person.tenant_id, "ver": "2.0", "nonce": parameter(entra, "nonce"),
    })
}

/// Comes back from Entra, which answers with this id token.
async fn come_back_with(
    scene: &Scene,
    browser: &mut Browser<'_>,
    back: &Url,
    id_token: &str,
) -> Answer {
    let body = json!({ "token_type": "Bearer", "access_token": "x", "expires_in": 3600,
                       "id_token": id_token });
    scene.fault(Call::Token, FaultKind::Garbage(body.to_string()), Times::Once);
    browser.come_back(back).await
}

#[tokio::test]
async fn an_id_token_of_another_tenant_app_key_issuer_time_or_nonce_signs_nobody_in() {
    let scene = scene().await;
    let id = scene.purchase(Purchase::flat_rate("silver"));
    let authority = scene.stage.variables["ENTRA_AUTHORITY"].clone();
    let contoso = Person::adele().tenant_id;
    let other = Person::stranger().tenant_id;
    let publisher = scene.stage.variables["ENTRA_CLIENT_ID"].clone();
    let now = scene.world(|world| world.now()).as_second();
    let v2 = |tenant: &str| json!(format!("{authority}/{tenant}/v2.0"));
    let cases: Vec<(&str, Value)> = vec![
        ("aud", json!(publisher)),
        ("aud", json!("")),
        ("aud", Value::Null),
        ("tid", json!(other)),
        ("tid", json!("common")),
        ("tid", json!(format!("{contoso}/../{other}"))),
        ("iss", v2(&other.to_string())),
        ("iss", v2("common")),
        ("iss", v2("{tenantid}")),
        ("iss", json!(format!("https://sts.windows.net/{contoso}/"))),
        ("iss", json!(format!("{authority}/{contoso}/v2.0/"))),
        ("iss", json!(format!("https://evil.example/{contoso}/v2.0"))),
        ("iss", Value::Null),
        ("ver", json!("1.0")),
        ("nonce", json!("another")),
        ("nonce", json!("")),
        ("nonce", Value::Null),
        ("exp", json!(now - 60)),
        ("exp", Value::Null),
        ("nbf", json!(now + 300)),
        ("iat", json!(now + 300)),
    ];
    for (claim, value) in cases {
        let (mut browser, entra, back) = halfway(&scene, id).await;
        let mut claims = claims(&scene, &entra);
        claims[claim] = value.clone();
        let forged = scene.microsoft().entra(|entra| entra.sign(&claims));
        let answer = come_back_with(&scene, &mut browser, &back, &forged).await;
        is_refused(&answer, &browser, &format!("{claim}={value}"));
    }
    // A tenant of its own consent: its token is good, and its person a stranger.
    let (mut browser, entra, back) = halfway(&scene, id).await;
    let mut claims = claims(&scene, &entra);
    claims["tid"] = json!(other);
    claims["iss"] = v2(&other.to_string());
    let good = scene.microsoft().entra(|entra| entra.sign(&claims));
    let answer = come_back_with(&scene, &mut browser, &back, &good).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    assert_eq!(browser.page().await.status, StatusCode::FORBIDDEN, "the same oid, another tenant");
}

#[tokio::test]
async fn an_id_token_that_entra_did_not_sign_signs_nobody_in() {
    let scene = scene().await;
    let id = scene.purchase(Purchase::flat_rate("silver"));
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let kid = scene.microsoft().entra(|entra| entra.signing_kid());
    let forge = |case: &str, claims: &Value| -> String {
        let signed = scene.microsoft().entra(|entra| entra.sign(claims));
        let (header, rest) = signed.split_once('.').expect("three parts");
        let (body, signature) = rest.split_once('.').expect("three parts");
        match case {
            "none" => format!("{}.{body}.", encode(&json!({ "alg": "none", "typ": "JWT" }))),
            "HS256" => {
                format!("{}.{body}.{signature}", encode(&json!({ "alg": "HS256", "kid": kid })))
            }
            "unknown key" => {
                format!("{}.{body}.{signature}", encode(&json!({ "alg": "RS256", "kid": "evil" })))
            }
            "no key" => format!("{}.{body}.{signature}", encode(&json!({ "alg": "RS256" }))),
            "own key" => {
                let header = json!({ "alg": "RS256", "kid": "evil", "jku": "https://evil.example",
                    "jwk": { "kty": "RSA", "kid": "evil", "n": "AQAB", "e": "AQAB" } });
                format!("{}.{body}.{signature}", encode(&header))
            }
            "other claims" => {
                let mut other = claims.clone();
                other["oid"] = json!(Person::stranger().object_id);
                format!("{header}.{}.{signature}", encode(&other))
            }
            "no signature" => format!("{header}.{body}."),
            "two parts" => format!("{header}.{body}"),
            _ => "nonsense".to_owned(),
        }
    };
    for case in [
        "none",
        "HS256",
        "unknown key",
        "no key",
        "own key",
        "other claims",
        "no signature",
        "two parts",
        "nonsense",
    ] {
        let (mut browser, entra, back) = halfway(&scene, id).await;
        let forged = forge(case, &claims(&scene, &entra));
        let answer = come_back_with(&scene, &mut browser, &back, &forged).await;
        is_refused(&answer, &browser, case);
        // Another key may be asked for only so often.
        scene.advance(Duration::from_secs(61));
    }
    // A key that was withdrawn signs nobody in once the keys are fetched anew, and a new one does.
    scene.advance(Duration::from_secs(25 * 60 * 60));
    let (mut browser, entra, back) = halfway(&scene, id).await;
    let claims = claims(&scene, &entra);
    let old = scene.microsoft().entra(|entra| {
        let old = entra.sign(&claims);
        entra.rotate_keys();
        entra.withdraw_old_keys();
        old
    });
    let answer = come_back_with(&scene, &mut browser, &back, &old).await;
    is_refused(&answer, &browser, "a withdrawn key");
    let mut browser = Browser::new(&scene);
    browser.sign_in(id, ADELE).await;
    assert_eq!(browser.page().await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_form_of_another_session_or_site_changes_nothing() {
    let scene = scene().await;
    let id = scene.purchase(Purchase::flat_rate("silver"));
    let mut browser = Browser::new(&scene);
    browser.sign_in(id, ADELE).await;
    let submit = submit_token(&browser.page().await);
    // The same person at another computer has another token.
    let mut elsewhere = Browser::new(&scene);
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
        let request = scene.http.post(scene.url("/landing")).form(&form).header(name, value);
        let answer = browser.send(request).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{name}: {value}");
    }
    // The purchase token alone is nothing to a page that wants a sign-in.
    let token = scene.world(|world| world.purchase_token(id));
    let request = scene.http.post(scene.url("/landing")).form(&[("token", token.as_str())]);
    Browser::new(&scene).send(request).await;
    assert_eq!(scene.calls(Call::Activate), 0);
    // An old browser says nothing about where a form comes from; its token decides.
    let form = [("submit", submit.as_str()), ("contact", ADELE)];
    let request = scene.http.post(scene.url("/landing")).form(&form);
    let request = request.header("origin", scene.stage.url());
    assert_eq!(browser.send(request).await.status, StatusCode::SEE_OTHER);
    assert_eq!(scene.calls(Call::Activate), 1);
}

#[tokio::test]
async fn no_parameter_decides_where_anybody_is_sent() {
    let scene = scene().await;
    let id = scene.purchase(Purchase::flat_rate("silver"));
    let token = scene.world(|world| world.purchase_token(id)).replace('+', "%2B");
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
    let mut browser = Browser::new(&scene);
    let sent = browser.get(&format!("/landing?token={token}{everything}")).await;
    let entra = location(&sent);
    assert!(!entra.as_str().contains("evil.example"), "{entra}");
    assert!(entra.as_str().starts_with(&scene.stage.variables["ENTRA_AUTHORITY"]), "{entra}");
    let back = browser.pick(&entra, ADELE).await;
    let without_state = everything.replace(&format!("&state={evil}"), "");
    let back = Url::parse(&format!("{back}{without_state}")).expect("an address");
    assert_eq!(browser.come_back(&back).await.headers["location"], "/landing");
    let again = browser.get(&format!("/landing/sign-in?x=1{everything}")).await;
    assert!(!location(&again).as_str().contains("evil.example"));
    for path in ["//evil.example/landing", "/landing/signed-in/https://evil.example"] {
        let answer = Browser::new(&scene).get(path).await;
        assert_eq!(answer.headers.get("location"), None, "{path}");
    }
}

#[tokio::test]
async fn markup_in_what_somebody_is_called_is_text() {
    let scene = scene().await;
    let id = scene.purchase(Purchase::flat_rate("silver"));
    let evil = "\"'><script>alert(1)</script>&";
    for claim in ["preferred_username", "name"] {
        let (mut browser, entra, back) = halfway(&scene, id).await;
        let mut claims = claims(&scene, &entra);
        claims["preferred_username"] = Value::Null;
        claims[claim] = json!(format!("{evil}{}", "long".repeat(200)));
        let signed = scene.microsoft().entra(|entra| entra.sign(&claims));
        let answer = come_back_with(&scene, &mut browser, &back, &signed).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        let page = browser.page().await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.body.contains("script&#62;&#38;long"), "{}", page.body);
        assert!(!page.body.contains("<script>") && !page.body.contains("\"'>"), "{}", page.body);
    }
}
