//! The buyer's sign-in (section 8): authorization code with PKCE.

use crate::publisher::world;
use ::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use emulator::{ApiRequest, Person, Reply, World};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::time::Duration;

const REDIRECT: &str = "https://fabrikam.example/callback";
const VERIFIER: &str = "a-verifier-of-at-least-forty-three-characters-0123";

fn authorize(world: &mut World, tenant: &str, extra: &[(&str, &str)]) -> Reply {
    let client_id = world.settings().landing_client_id.clone();
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([
            ("client_id", client_id.as_str()),
            ("response_type", "code"),
            ("redirect_uri", REDIRECT),
            ("scope", "openid profile"),
            ("state", "a state"),
            ("nonce", "a nonce"),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
        ])
        .extend_pairs(extra)
        .finish();
    let target = format!("/{tenant}/oauth2/v2.0/authorize?{query}");
    world.entra_call(&ApiRequest::new(Method::GET, &target)).reply().unwrap().clone()
}

fn sign_in(world: &mut World, email: &str) -> HashMap<String, String> {
    let reply = authorize(world, "common", &[("identity", email)]);
    assert_eq!(reply.status, 302);
    let target = url::Url::parse(reply.header("location").unwrap()).unwrap();
    assert!(target.as_str().starts_with(REDIRECT));
    target.query_pairs().into_owned().collect()
}

fn redeem(world: &mut World, code: &str, verifier: &str) -> (u16, Value) {
    let settings = world.settings().clone();
    let request = ApiRequest::new(Method::POST, "/common/oauth2/v2.0/token").with_form(&[
        ("grant_type", "authorization_code"),
        ("client_id", &settings.landing_client_id),
        ("client_secret", &settings.landing_client_secret),
        ("redirect_uri", REDIRECT),
        ("code", code),
        ("code_verifier", verifier),
    ]);
    let answer = world.entra_call(&request);
    let reply = answer.reply().unwrap();
    (reply.status, reply.body_json())
}

#[test]
fn the_page_lists_the_accounts_the_tenant_admits() {
    let mut world = world();
    let page = |world: &mut World, tenant: &str| {
        String::from_utf8(authorize(world, tenant, &[]).body).unwrap()
    };
    let everybody = page(&mut world, "common");
    assert!(
        everybody.contains("adele@contoso.example")
            && everybody.contains("pat.doe@outlook.example")
    );
    let work = page(&mut world, "organizations");
    assert!(work.contains("rita@reseller.example") && !work.contains("pat.doe@outlook.example"));
}

#[test]
fn a_code_can_be_redeemed_once() {
    let mut world = world();
    let answer = sign_in(&mut world, "adele@contoso.example");
    assert_eq!(answer["state"], "a state");
    let (status, body) = redeem(&mut world, &answer["code"], VERIFIER);
    assert_eq!(status, 200, "{body}");
    let claims = crate::entra::claims(body["id_token"].as_str().unwrap());
    assert_eq!(claims["nonce"], "a nonce");
    assert_eq!(claims["aud"], json!(world.settings().landing_client_id));
    assert_eq!(claims["tid"], json!(Person::adele().tenant_id));
    assert_eq!(claims["preferred_username"], "adele@contoso.example");
    assert_eq!(
        claims["iss"],
        format!("{}/{}/v2.0", world.entra().authority(), Person::adele().tenant_id)
    );
    let (status, body) = redeem(&mut world, &answer["code"], VERIFIER);
    assert_eq!(
        (status, &body["error"], &body["error_codes"]),
        (400, &json!("invalid_grant"), &json!([54_005]))
    );
}

#[test]
fn a_code_needs_its_verifier_and_expires_after_ten_minutes() {
    let mut world = world();
    let answer = sign_in(&mut world, "pat.doe@outlook.example");
    assert_eq!(redeem(&mut world, &answer["code"], "another").0, 400);
    world.advance(Duration::from_secs(600));
    assert_eq!(redeem(&mut world, &answer["code"], VERIFIER).1["error_codes"], json!([70_008]));
}

#[test]
fn declining_redirects_with_an_error_and_an_unregistered_address_gets_no_redirect() {
    let mut world = world();
    let reply = authorize(&mut world, "common", &[("identity", "cancel")]);
    assert!(reply.header("location").unwrap().contains("error=access_denied"));
    world.entra().add_redirect_uri("https://fabrikam.example/other");
    let reply = authorize(&mut world, "common", &[("identity", "adele@contoso.example")]);
    assert_eq!((reply.status, reply.header("location")), (400, None));
}

#[test]
fn the_token_endpoint_accepts_credentials_in_the_header() {
    let mut world = world();
    let settings = world.settings().clone();
    let answer = sign_in(&mut world, "adele@contoso.example");
    let basic = base64::engine::general_purpose::STANDARD
        .encode(format!("{}:{}", settings.landing_client_id, settings.landing_client_secret));
    let request = ApiRequest::new(Method::POST, "/common/oauth2/v2.0/token")
        .with_form(&[
            ("grant_type", "authorization_code"),
            ("redirect_uri", REDIRECT),
            ("code", &answer["code"]),
            ("code_verifier", VERIFIER),
        ])
        .with_header("authorization", &format!("Basic {basic}"));
    assert_eq!(world.entra_call(&request).reply().unwrap().status, 200);
}

#[test]
fn the_consoles_application_admits_the_publishers_staff_alone_and_names_their_role() {
    let mut world = world();
    let settings = world.settings().clone();
    let app = [("client_id", settings.console_client_id.as_str())];
    let at = |world: &mut World, tenant: &str, identity: &str| {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(app)
            .extend_pairs([
                ("response_type", "code"),
                ("redirect_uri", REDIRECT),
                ("scope", "openid profile"),
                ("identity", identity),
            ])
            .finish();
        let target = format!("/{tenant}/oauth2/v2.0/authorize?{query}");
        world.entra_call(&ApiRequest::new(Method::GET, &target)).reply().unwrap().clone()
    };
    let tenant = settings.tenant_id.as_str();
    assert_eq!(at(&mut world, "common", "ada@fabrikam.example").status, 400, "one tenant alone");
    assert_eq!(at(&mut world, tenant, "adele@contoso.example").status, 400, "a buyer");
    for (email, roles) in [
        ("vera@fabrikam.example", json!(["Viewer"])),
        ("olof@fabrikam.example", json!(["Operator"])),
        ("ada@fabrikam.example", json!(["Admin"])),
        ("nils@fabrikam.example", Value::Null),
    ] {
        let sent = at(&mut world, tenant, email);
        let target = url::Url::parse(sent.header("location").unwrap()).unwrap();
        let code = target.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
        let redeem = |client_id: &str, secret: &str| {
            let path = format!("/{tenant}/oauth2/v2.0/token");
            ApiRequest::new(Method::POST, &path).with_form(&[
                ("grant_type", "authorization_code"),
                ("client_id", client_id),
                ("client_secret", secret),
                ("redirect_uri", REDIRECT),
                ("code", &code),
            ])
        };
        let of_landing = redeem(&settings.landing_client_id, &settings.landing_client_secret);
        let refused = world.entra_call(&of_landing);
        assert_eq!(refused.reply().unwrap().status, 400, "another application's code");
        let own = redeem(&settings.console_client_id, &settings.console_client_secret);
        let answer = world.entra_call(&own);
        let body = answer.reply().unwrap().body_json();
        let claims = crate::entra::claims(body["id_token"].as_str().unwrap());
        assert_eq!(claims["aud"], json!(settings.console_client_id));
        assert_eq!(claims["tid"], json!(tenant));
        assert_eq!(claims["roles"], roles, "{email}");
    }
}
