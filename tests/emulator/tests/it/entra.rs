//! Tokens: the endpoint (section 2), the keys, and the forgeries (6.4).

use crate::publisher::{get, send, world};
use ::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use emulator::{
    ApiRequest, Call, ClientRefusal, Forgery, MARKETPLACE_APP_ID, Settings, TokenVersion, World,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

const VERSIONS: [TokenVersion; 2] = [TokenVersion::V1, TokenVersion::V2];

fn part(token: &str, place: usize) -> Value {
    let text = token.split('.').nth(place).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
}

pub(crate) fn claims(token: &str) -> Value {
    part(token, 1)
}

fn ask(world: &mut World, path: &str, fields: &[(&str, &str)]) -> (u16, Value) {
    let answer = world.entra_call(&ApiRequest::new(Method::POST, path).with_form(fields));
    let reply = answer.reply().unwrap();
    (reply.status, reply.body_json())
}

fn form(settings: &Settings) -> Vec<(&'static str, String)> {
    vec![
        ("grant_type", "client_credentials".to_owned()),
        ("client_id", settings.client_id.clone()),
        ("client_secret", settings.client_secret.clone()),
        ("scope", format!("{MARKETPLACE_APP_ID}/.default")),
    ]
}

fn borrowed<'a>(fields: &'a [(&'a str, String)]) -> Vec<(&'a str, &'a str)> {
    fields.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

#[test]
fn the_v2_endpoint_answers_numbers_and_a_token_the_marketplace_accepts() {
    let mut world = world();
    let settings = world.settings().clone();
    let path = format!("/{}/oauth2/v2.0/token", settings.tenant_id);
    let (status, body) = ask(&mut world, &path, &borrowed(&form(&settings)));
    assert_eq!(status, 200, "{body}");
    assert_eq!(body["expires_in"], 3600);
    assert_eq!(body.get("expires_on"), None);
    let token = body["access_token"].as_str().unwrap();
    let claims = claims(token);
    assert_eq!(claims["iss"], format!("https://sts.windows.net/{}/", settings.tenant_id));
    assert_eq!(
        (&claims["aud"], &claims["appid"]),
        (&json!(MARKETPLACE_APP_ID), &json!(settings.client_id))
    );
    let list = |token: &str| {
        ApiRequest::new(Method::GET, "/saas/subscriptions?api-version=2018-08-31")
            .with_header("authorization", &format!("Bearer {token}"))
    };
    assert_eq!(send(&mut world, &list(token)).status, 200);
    // The hour of its lifetime, and the rest of the minute it was issued in.
    world.advance(Duration::from_secs(3600 + 60));
    assert_eq!(send(&mut world, &list(token)).status, 403, "expired");
}

#[test]
fn the_v1_endpoint_answers_strings() {
    let mut world = world();
    let settings = world.settings().clone();
    let path = format!("/{}/oauth2/token", settings.tenant_id);
    let mut fields = form(&settings);
    fields[3] = ("resource", MARKETPLACE_APP_ID.to_owned());
    let (status, body) = ask(&mut world, &path, &borrowed(&fields));
    assert_eq!(status, 200, "{body}");
    assert!(body.as_object().unwrap().values().all(Value::is_string), "{body}");
    assert_eq!(
        (&body["expires_in"], &body["resource"]),
        (&json!("3600"), &json!(MARKETPLACE_APP_ID))
    );
}

#[test]
fn every_wrong_field_gets_entras_error_for_it() {
    let mut world = world();
    let settings = world.settings().clone();
    let path = format!("/{}/oauth2/v2.0/token", settings.tenant_id);
    let cases = [
        (0, "password", 400, "unsupported_grant_type", 70_003),
        (1, "00000000-0000-0000-0000-000000000000", 400, "unauthorized_client", 700_016),
        (2, "wrong", 401, "invalid_client", 7_000_215),
        (3, MARKETPLACE_APP_ID, 400, "invalid_scope", 70_011),
        (3, "20e940b3-4c07-4b0b-9a53-9e16a1b010a7/.default", 400, "invalid_resource", 500_011),
    ];
    for (place, value, status, error, code) in cases {
        let mut fields = form(&settings);
        fields[place].1 = value.to_owned();
        let (got, body) = ask(&mut world, &path, &borrowed(&fields));
        assert_eq!(
            (got, &body["error"], &body["error_codes"]),
            (status, &json!(error), &json!([code])),
            "{value}"
        );
        assert!(body["trace_id"].is_string() && body["correlation_id"].is_string());
    }
    let (status, body) =
        ask(&mut world, "/unknown-tenant/oauth2/v2.0/token", &borrowed(&form(&settings)));
    assert_eq!((status, &body["error_codes"]), (400, &json!([90_002])));
    assert_eq!(world.entra().token_requests(), 6);
}

#[test]
fn f_auth_16_a_refused_application_gets_the_number_of_its_reason_until_it_is_accepted_again() {
    let mut world = world();
    let settings = world.settings().clone();
    let path = format!("/{}/oauth2/v2.0/token", settings.tenant_id);
    let fields = form(&settings);
    for (refusal, status, error, code) in [
        (ClientRefusal::SecretExpired, 401, "invalid_client", 7_000_222),
        (ClientRefusal::SecretWrong, 401, "invalid_client", 7_000_215),
        (ClientRefusal::ApplicationUnknown, 400, "unauthorized_client", 700_016),
        (ClientRefusal::TenantUnknown, 400, "invalid_request", 90_002),
    ] {
        world.entra().refuse_clients(Some(refusal));
        let (got, body) = ask(&mut world, &path, &borrowed(&fields));
        assert_eq!(
            (got, &body["error"], &body["error_codes"]),
            (status, &json!(error), &json!([code])),
            "{refusal:?}"
        );
    }
    world.entra().refuse_clients(None);
    assert_eq!(ask(&mut world, &path, &borrowed(&fields)).0, 200);
    let refused = Settings { client_refusal: Some(ClientRefusal::SecretExpired), ..settings };
    assert_eq!(ask(&mut World::new(refused), &path, &borrowed(&fields)).0, 401);
}

#[test]
fn a_bad_access_token_is_answered_with_a_bare_string() {
    let mut world = world();
    let good = world.entra().access_token();
    let webhook = world.entra().webhook_token(TokenVersion::V1);
    let mut foreign = claims(&good);
    foreign["appid"] = json!("00000000-0000-0000-0000-000000000000");
    let foreign = world.entra().sign(&foreign);
    for authorization in
        ["", "Basic abc", "Bearer ", &format!("Bearer {webhook}"), &format!("Bearer {foreign}")]
    {
        let request = ApiRequest::new(Method::GET, "/saas/subscriptions?api-version=2018-08-31")
            .with_header("authorization", authorization);
        let reply = send(&mut world, &request);
        assert_eq!(reply.status, 403, "{authorization}");
        assert!(reply.body_json().is_string());
    }
    world.settings_mut().behaviour.unauthorized_status = 401;
    let request = ApiRequest::new(Method::GET, "/saas/subscriptions?api-version=2018-08-31");
    assert_eq!(send(&mut world, &request).status, 401);
}

#[test]
fn rotation_adds_a_key_and_withdrawal_leaves_one() {
    let mut world = world();
    let old = world.entra().access_token();
    let tenant = world.settings().tenant_id.clone();
    let kids = |world: &mut World| -> Vec<String> {
        let answer = world
            .entra_call(&ApiRequest::new(Method::GET, &format!("/{tenant}/discovery/v2.0/keys")));
        let body = answer.reply().unwrap().body_json();
        body["keys"]
            .as_array()
            .unwrap()
            .iter()
            .map(|key| key["kid"].as_str().unwrap().to_owned())
            .collect()
    };
    let before = world.entra().signing_kid();
    assert_eq!(kids(&mut world), [before.as_str()]);
    world.entra().rotate_keys();
    let after = world.entra().signing_kid();
    assert_ne!(before, after);
    assert_eq!(kids(&mut world), [before.as_str(), after.as_str()]);
    world.entra().withdraw_old_keys();
    assert_eq!(kids(&mut world), [after.as_str()]);
    assert_eq!(world.entra().key_fetches(), 3);
    let request = ApiRequest::new(Method::GET, "/saas/subscriptions?api-version=2018-08-31")
        .with_header("authorization", &format!("Bearer {old}"));
    assert_eq!(send(&mut world, &request).status, 403, "its key is withdrawn");
    assert_eq!(get(&mut world, "/saas/subscriptions").status, 200);
}

#[test]
fn discovery_names_issuer_and_keys_of_each_version() {
    let mut world = world();
    world.entra().set_authority("http://127.0.0.1:9/entra");
    let tenant = world.settings().tenant_id.clone();
    let mut fetch = |path: String| {
        let answer = world.entra_call(&ApiRequest::new(Method::GET, &path));
        answer.reply().unwrap().body_json()
    };
    let v1 = fetch(format!("/{tenant}/.well-known/openid-configuration"));
    let v2 = fetch(format!("/{tenant}/v2.0/.well-known/openid-configuration"));
    let common = fetch("/common/v2.0/.well-known/openid-configuration".to_owned());
    assert_eq!(v1["issuer"], format!("https://sts.windows.net/{tenant}/"));
    assert_eq!(v2["issuer"], format!("http://127.0.0.1:9/entra/{tenant}/v2.0"));
    assert_eq!(common["issuer"], "http://127.0.0.1:9/entra/{tenantid}/v2.0");
    assert_eq!(v2["jwks_uri"], format!("http://127.0.0.1:9/entra/{tenant}/discovery/v2.0/keys"));
    assert_eq!(world.entra().discovery_fetches(), 3);
    assert_eq!(world.calls().last().unwrap().call, Call::Discovery);
}

#[test]
fn a_v2_webhook_token_has_the_observed_claims() {
    let mut world = world();
    let token = world.entra().webhook_token(TokenVersion::V2);
    let claims = claims(&token);
    let names: BTreeSet<&str> = claims.as_object().unwrap().keys().map(String::as_str).collect();
    let observed = [
        "aud", "iss", "iat", "exp", "aio", "azp", "azpacr", "oid", "rh", "sub", "tid", "uti", "ver",
    ];
    assert_eq!(names, observed.into());
    assert_eq!(
        (&claims["azp"], &claims["aud"]),
        (&json!(MARKETPLACE_APP_ID), &json!(world.settings().client_id))
    );
}

/// The members that differ from a valid token's, except those that differ in every token.
fn differences(good: &Value, forged: &Value) -> Vec<String> {
    let names: BTreeSet<&String> =
        good.as_object().unwrap().keys().chain(forged.as_object().unwrap().keys()).collect();
    let random = ["aio", "uti"];
    names
        .into_iter()
        .filter(|name| {
            !random.contains(&name.as_str()) && good.get(name.as_str()) != forged.get(name.as_str())
        })
        .cloned()
        .collect()
}

#[test]
fn each_forgery_differs_from_a_valid_token_only_as_its_name_says() {
    for version in VERSIONS {
        let (caller, other) =
            if version == TokenVersion::V1 { ("appid", "azp") } else { ("azp", "appid") };
        let expired: &[&str] =
            if version == TokenVersion::V1 { &["exp", "iat", "nbf"] } else { &["exp", "iat"] };
        for forgery in Forgery::ALL {
            let (header, changed): (&[&str], &[&str]) = match forgery {
                Forgery::WrongAudience | Forgery::MissingAudience => (&[], &["aud"]),
                Forgery::WrongTenant | Forgery::MissingTenant => (&[], &["tid"]),
                Forgery::WrongCaller | Forgery::NoCaller => (&[], &[caller]),
                Forgery::ContradictingAppidAzp => (&[], &[other]),
                Forgery::CallerInOtherClaim | Forgery::WrongCallerBesideRight => {
                    (&[], &["appid", "azp"])
                }
                Forgery::WrongIssuer | Forgery::ForeignTenantIssuer | Forgery::MissingIssuer => {
                    (&[], &["iss"])
                }
                Forgery::ContradictingVersion => (&[], &["ver"]),
                Forgery::BadSignature | Forgery::ForeignKey | Forgery::NotAToken => (&[], &[]),
                Forgery::AlgNone | Forgery::Hs256WithPublicKey => (&["alg"], &[]),
                Forgery::Expired => (&[], expired),
                Forgery::MissingExpiry => (&[], &["exp"]),
                Forgery::NotYetValid => (&[], &["nbf"]),
                Forgery::UnknownKid | Forgery::MissingKid => (&["kid", "x5t"], &[]),
                Forgery::EmbeddedJwk => (&["jwk"], &[]),
                Forgery::JkuHeader => (&["jku"], &[]),
                Forgery::X5cHeader => (&["x5c"], &[]),
                Forgery::X5uHeader => (&["x5u"], &[]),
            };
            let mut world = world();
            let good = world.entra().webhook_token(version);
            let forged = world.entra().forge(forgery, version);
            assert_eq!(
                differences(&part(&good, 0), &part(&forged, 0)),
                header,
                "{forgery:?} {version:?}"
            );
            assert_eq!(
                differences(&part(&good, 1), &part(&forged, 1)),
                changed,
                "{forgery:?} {version:?}"
            );
        }
    }
}

#[test]
fn only_forgeries_of_the_signature_fail_verification() {
    for forgery in Forgery::ALL {
        let mut world = world();
        let forged = world.entra().forge(forgery, TokenVersion::V1);
        let signed_well = !matches!(
            forgery,
            Forgery::BadSignature
                | Forgery::ForeignKey
                | Forgery::AlgNone
                | Forgery::Hs256WithPublicKey
                | Forgery::UnknownKid
                | Forgery::EmbeddedJwk
                | Forgery::JkuHeader
                | Forgery::X5cHeader
                | Forgery::X5uHeader
                | Forgery::NotAToken
        );
        assert_eq!(verifies(&mut world, &forged), signed_well, "{forgery:?}");
    }
}

/// Verifies a signature with the published key, without the emulator's own code.
fn verifies(world: &mut World, token: &str) -> bool {
    let tenant = world.settings().tenant_id.clone();
    let answer =
        world.entra_call(&ApiRequest::new(Method::GET, &format!("/{tenant}/discovery/keys")));
    let key = answer.reply().unwrap().body_json()["keys"][0].clone();
    let bytes = |name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap()).unwrap();
    let key = ring::signature::RsaPublicKeyComponents { n: bytes("n"), e: bytes("e") };
    let Some((signed, signature)) = token.rsplit_once('.') else { return false };
    let Ok(signature) = URL_SAFE_NO_PAD.decode(signature) else { return false };
    key.verify(&ring::signature::RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &signature).is_ok()
}
