//! Forged and foreign id tokens at the staff console.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use emulator::Person;
use serde_json::{Value, json};
use shared::microsoft::entra::InvalidToken;
use shared::sign_in::{NotStaff, SignInError, Untrusted};

use crate::staff_sign_in_env::{Console, SESSION, StaffBrowser, answer_to};
use crate::test_env::TestEnv;

/// Comes back with a token that is made of the claims of a valid one. Says why it is refused, if so.
async fn why(
    console: &Console<'_>,
    make: impl FnOnce(&Console<'_>, Value) -> String,
) -> Option<InvalidToken> {
    let mut browser = StaffBrowser::default();
    let entra = console.begin(&mut browser, "/console").await;
    let token = make(console, console.claims(&entra, &["Admin"]));
    match console.come_back(&mut browser, &answer_to(&entra, "a-code"), &token).await {
        Ok(_) => None,
        Err(NotStaff::SignIn(SignInError::Untrusted(Untrusted::Token(why)))) => {
            assert!(!browser.cookies.contains_key(SESSION), "{why}");
            Some(why)
        }
        Err(other) => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_genuine_token_of_another_directory_is_refused_whatever_roles_it_names() {
    let env = TestEnv::new().await;
    let console = Console::new(&env);
    for tenant in [Person::adele().tenant_id, Person::stranger().tenant_id] {
        let refused = why(&console, |console, mut claims| {
            claims["tid"] = json!(tenant);
            claims["iss"] = json!(format!("{}/{tenant}/v2.0", console.authority()));
            console.sign(&claims)
        });
        assert_eq!(refused.await, Some(InvalidToken::OtherTenant), "{tenant}");
    }
    // The console of another directory refuses the publisher's own people.
    let other = Person::adele().tenant_id.to_string();
    let elsewhere = Console::with(&env, &[("CONSOLE_TENANT_ID", &other)]);
    let refused = why(&elsewhere, |console, claims| console.sign(&claims)).await;
    assert_eq!(refused, Some(InvalidToken::OtherTenant));
}

#[tokio::test]
async fn an_id_token_with_a_wrong_claim_opens_no_session() {
    use InvalidToken::*;
    let env = TestEnv::new().await;
    let console = Console::new(&env);
    let (authority, tenant) = (console.authority().to_owned(), console.tenant().to_owned());
    let now = env.world(|world| world.now()).as_second();
    let landing = env.system.variables["LANDING_CLIENT_ID"].clone();
    let fulfillment = env.system.variables["ENTRA_CLIENT_ID"].clone();
    let cases: Vec<(&str, Value, InvalidToken)> = vec![
        ("aud", json!(landing), OtherAudience),
        ("aud", json!(fulfillment), OtherAudience),
        ("aud", Value::Null, BadSignature),
        ("iss", json!(format!("{authority}/common/v2.0")), OtherIssuer),
        ("iss", json!(format!("{authority}/{tenant}/v2.0/")), OtherIssuer),
        ("iss", json!(format!("https://evil.example/{tenant}/v2.0")), OtherIssuer),
        ("iss", json!(format!("https://sts.windows.net/{tenant}/")), OtherIssuer),
        ("tid", json!(format!("{tenant}/")), NoTenant),
        ("tid", Value::Null, NoTenant),
        ("ver", json!("1.0"), OtherVersion),
        ("nonce", json!("another"), OtherNonce),
        ("nonce", json!(""), OtherNonce),
        ("exp", json!(now - 60), Expired),
        ("nbf", json!(now + 300), NotYetValid),
        ("iat", json!(now + 300), NotYetValid),
        ("oid", Value::Null, NoObject),
        ("oid", json!(""), NoObject),
        ("oid", json!(7), NoObject),
        ("roles", json!("Admin"), RolesNotText),
        ("roles", json!({ "Admin": true }), RolesNotText),
        ("roles", json!([["Admin"]]), RolesNotText),
        ("roles", json!(["Admin", 1]), RolesNotText),
    ];
    for (claim, value, expected) in cases {
        let refused = why(&console, |console, mut claims| {
            claims[claim] = value.clone();
            console.sign(&claims)
        });
        assert_eq!(refused.await, Some(expected), "{claim}={value}");
    }
    let refused = why(&console, |console, claims| {
        let twice = claims.to_string().replacen('{', r#"{"roles":["Viewer"],"#, 1);
        let entra = console.env.microsoft();
        entra.entra(|entra| {
            let header = json!({ "alg": "RS256", "kid": entra.signing_kid() }).to_string();
            entra.sign_text(&header, &twice)
        })
    });
    assert_eq!(refused.await, Some(BadSignature), "a claim that is there twice");
    assert_eq!(why(&console, |console, claims| console.sign(&claims)).await, None);
}

#[tokio::test]
async fn an_id_token_that_entra_did_not_sign_opens_no_session() {
    let env = TestEnv::new().await;
    let console = Console::new(&env);
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let forge = |header: Option<Value>, promoted: bool, signed: &str, claims: &Value| {
        let [old, body, signature] =
            signed.split('.').collect::<Vec<_>>().try_into().expect("three parts");
        let header = header.map_or(old.to_owned(), |header| encode(&header));
        let mut claims = claims.clone();
        claims["roles"] = json!(["Admin"]);
        let body = if promoted { encode(&claims) } else { body.to_owned() };
        format!("{header}.{body}.{signature}")
    };
    for (header, promoted) in [
        (None, true),
        (Some(json!({ "alg": "none" })), true),
        (Some(json!({ "alg": "HS256", "kid": "a" })), true),
        (Some(json!({ "alg": "RS256", "kid": "evil" })), false),
        (Some(json!({ "alg": "RS256" })), false),
    ] {
        let refused = why(&console, |console, mut claims| {
            claims["roles"] = json!(["Viewer"]);
            forge(header.clone(), promoted, &console.sign(&claims), &claims)
        });
        assert!(refused.await.is_some(), "{header:?}");
    }
}
