//! Forged and unusual id tokens on the way back from Entra.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use emulator::{Call, FaultKind, Person, Purchase, Times};
use http::StatusCode;
use serde_json::{Value, json};
use url::Url;

use crate::browser::Browser;
use crate::sign_in::env_with_sign_in;
use crate::sign_in_attacks::{assert_refused, halfway, parameter};
use crate::test_env::{Answer, TestEnv};

const ADELE: &str = "adele@contoso.example";

/// The claims of a valid id token for this sign-in.
fn claims(env: &TestEnv, entra: &Url) -> Value {
    let person = Person::adele();
    let now = env.world(|world| world.now()).as_second();
    json!({
        "aud": env.system.variables["LANDING_CLIENT_ID"],
        "iss": format!("{}/{}/v2.0", env.system.variables["ENTRA_AUTHORITY"], person.tenant_id),
        "iat": now, "nbf": now, "exp": now + 3600,
        "name": person.name, "oid": person.object_id, "preferred_username": person.email,
        "sub": "s", "tid": person.tenant_id, "ver": "2.0", "nonce": parameter(entra, "nonce"),
    })
}

/// Comes back from Entra, whose token endpoint returns this id token.
pub(crate) async fn come_back_with(
    env: &TestEnv,
    browser: &mut Browser<'_>,
    back: &Url,
    id_token: &str,
) -> Answer {
    let body = json!({ "token_type": "Bearer", "access_token": "x", "expires_in": 3600,
                       "id_token": id_token });
    env.fault(Call::Token, FaultKind::Garbage(body.to_string()), Times::Once);
    browser.come_back(back).await
}

#[tokio::test]
async fn an_id_token_with_a_wrong_claim_is_refused() {
    let env = env_with_sign_in().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    let authority = env.system.variables["ENTRA_AUTHORITY"].clone();
    let contoso = Person::adele().tenant_id;
    let other = Person::stranger().tenant_id;
    let publisher = env.system.variables["ENTRA_CLIENT_ID"].clone();
    let now = env.world(|world| world.now()).as_second();
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
        let (mut browser, entra, back) = halfway(&env, id).await;
        let mut claims = claims(&env, &entra);
        claims[claim] = value.clone();
        let forged = env.microsoft().entra(|entra| entra.sign(&claims));
        let answer = come_back_with(&env, &mut browser, &back, &forged).await;
        assert_refused(&answer, &browser, &format!("{claim}={value}"));
    }
    // A valid token of another tenant signs in, but the person is a stranger to the purchase.
    let (mut browser, entra, back) = halfway(&env, id).await;
    let mut claims = claims(&env, &entra);
    claims["tid"] = json!(other);
    claims["iss"] = v2(&other.to_string());
    let good = env.microsoft().entra(|entra| entra.sign(&claims));
    let answer = come_back_with(&env, &mut browser, &back, &good).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    assert_eq!(browser.page().await.status, StatusCode::FORBIDDEN, "the same oid, another tenant");
}

#[tokio::test]
async fn an_id_token_not_signed_by_entra_is_refused() {
    let env = env_with_sign_in().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let kid = env.microsoft().entra(|entra| entra.signing_kid());
    let forge = |case: &str, claims: &Value| -> String {
        let signed = env.microsoft().entra(|entra| entra.sign(claims));
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
        let (mut browser, entra, back) = halfway(&env, id).await;
        let forged = forge(case, &claims(&env, &entra));
        let answer = come_back_with(&env, &mut browser, &back, &forged).await;
        assert_refused(&answer, &browser, case);
    }
    // After the keys are fetched again, a withdrawn key is refused and a new key works.
    env.advance(Duration::from_secs(25 * 60 * 60));
    let (mut browser, entra, back) = halfway(&env, id).await;
    let claims = claims(&env, &entra);
    let old = env.microsoft().entra(|entra| {
        let old = entra.sign(&claims);
        entra.rotate_keys();
        entra.withdraw_old_keys();
        old
    });
    let answer = come_back_with(&env, &mut browser, &back, &old).await;
    assert_refused(&answer, &browser, "a withdrawn key");
    let mut browser = Browser::new(&env);
    browser.sign_in(id, ADELE).await;
    assert_eq!(browser.page().await.status, StatusCode::OK);
}

#[tokio::test]
async fn markup_in_a_persons_name_is_escaped() {
    let env = env_with_sign_in().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    let evil = "\"'><script>alert(1)</script>&";
    for claim in ["preferred_username", "name"] {
        let (mut browser, entra, back) = halfway(&env, id).await;
        let mut claims = claims(&env, &entra);
        claims["preferred_username"] = Value::Null;
        claims[claim] = json!(format!("{evil}{}", "long".repeat(200)));
        let signed = env.microsoft().entra(|entra| entra.sign(&claims));
        let answer = come_back_with(&env, &mut browser, &back, &signed).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        let page = browser.page().await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.body.contains("script&#62;&#38;long"), "{}", page.body);
        assert!(!page.body.contains("<script>") && !page.body.contains("\"'>"), "{}", page.body);
    }
}

#[tokio::test]
async fn half_a_character_in_a_persons_name_is_shown_as_the_replacement_character() {
    // F-GEN-14.
    let env = env_with_sign_in().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    let (mut browser, entra, back) = halfway(&env, id).await;
    let mut claims = claims(&env, &entra);
    (claims["preferred_username"], claims["name"]) = (Value::Null, json!("Adele @"));
    let signed = env.microsoft().entra(|entra| {
        let header = json!({ "alg": "RS256", "kid": entra.signing_kid() }).to_string();
        entra.sign_text(&header, &claims.to_string().replace('@', r"\ud83d"))
    });
    let answer = come_back_with(&env, &mut browser, &back, &signed).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    assert!(browser.page().await.body.contains("Adele \u{fffd}"));
}

#[tokio::test]
async fn a_buyer_is_signed_in_when_entra_writes_the_lifetime_as_text_behind_a_byte_order_mark() {
    // F-AUTH-5, F-GEN-14.
    let env = env_with_sign_in().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    let (mut browser, entra, back) = halfway(&env, id).await;
    let claims = claims(&env, &entra);
    let id_token = env.microsoft().entra(|entra| entra.sign(&claims));
    let body = json!({ "token_type": "Bearer", "access_token": "x", "expires_in": "3599",
                       "ext_expires_in": "3599", "id_token": id_token });
    let answer = FaultKind::Garbage(format!("\u{feff}{body}"));
    env.fault(Call::Token, answer, Times::Once);
    let answer = browser.come_back(&back).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    assert_eq!(browser.page().await.status, StatusCode::OK);
}
