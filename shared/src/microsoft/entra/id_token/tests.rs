//! Edge cases. The integration tests verify whole tokens, signed with test keys, over HTTP.

use super::super::test_env::{Entra, ManualClock};
use super::*;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::SignedDuration;
use serde_json::json;

const CLIENT: Uuid = Uuid::from_u128(2);
const TENANT: Uuid = Uuid::from_u128(1);

fn verifier() -> (Arc<ManualClock>, IdTokenVerifier) {
    let (clock, entra) = (ManualClock::at_noon(), Arc::new(Entra::default()));
    let authority = "https://entra.example".to_owned();
    let verifier =
        IdTokenVerifier::new(entra, authority, CLIENT, RetryPolicy::INTERACTIVE, clock.clone());
    (clock, verifier)
}

fn claims(exp: i64, iat: i64, nbf: Option<i64>) -> Claims {
    let claims = serde_json::json!({
        "aud": CLIENT, "iss": format!("https://entra.example/{TENANT}/v2.0"), "tid": TENANT,
        "exp": exp, "iat": iat, "nbf": nbf, "nonce": "n", "ver": "2.0",
    });
    serde_json::from_value(claims).expect("claims")
}

/// Whether the claims are accepted this long after noon.
fn after(by: SignedDuration, claims: impl Fn(i64) -> Claims) -> Result<(), InvalidToken> {
    let (clock, verifier) = verifier();
    let noon = clock.now().as_second();
    clock.forward(by);
    verifier.check(claims(noon), |nonce| nonce == "n").map(drop)
}

#[test]
fn clocks_may_differ_by_a_minute() {
    let minute = SignedDuration::from_secs(60);
    let moment = SignedDuration::from_nanos(1);
    let ends = |noon| claims(noon, noon - 3600, None);
    assert_eq!(after(minute - moment, ends), Ok(()));
    assert_eq!(after(minute, ends), Err(InvalidToken::Expired));
    for begins in [
        |noon| claims(noon + 3600, noon, None),
        |noon| claims(noon + 3600, noon - 3600, Some(noon)),
    ] {
        assert_eq!(after(-minute, begins), Ok(()));
        assert_eq!(after(-minute - moment, begins), Err(InvalidToken::NotYetValid));
    }
}

/// Checks the claims of a token with these changes at the verifier of one tenant.
fn check_of_tenant(changes: Value) -> Result<Person, InvalidToken> {
    let (clock, verifier) = verifier();
    let now = clock.now().as_second();
    let mut claims = serde_json::json!({
        "aud": CLIENT, "iss": format!("https://entra.example/{TENANT}/v2.0"), "tid": TENANT,
        "exp": now + 3600, "iat": now, "nonce": "n", "ver": "2.0", "oid": Uuid::from_u128(3),
        "name": "Vera", "preferred_username": "vera@fabrikam.example",
    });
    let (claims_of, changes) = (claims.as_object_mut(), changes.as_object().cloned());
    claims_of.expect("an object").extend(changes.expect("an object"));
    let claims = serde_json::from_value(claims).map_err(|_| InvalidToken::BadSignature)?;
    verifier.of_tenant(TENANT).check(claims, |nonce| nonce == "n")
}

#[test]
fn a_member_of_the_one_tenant_has_ids_names_and_the_roles_that_are_listed() {
    for (roles, expected) in [
        (json!(null), &[][..]),
        (json!([]), &[]),
        (json!(["Viewer"]), &["Viewer"]),
        (json!(["Viewer", "Admin", "Viewer"]), &["Admin", "Viewer"]),
    ] {
        let person = check_of_tenant(json!({ "roles": roles })).expect("a valid token");
        let account = Account { tenant_id: TENANT, object_id: Some(Uuid::from_u128(3)) };
        assert_eq!(person.account, account);
        assert_eq!(person.name.as_deref(), Some("Vera"));
        assert_eq!(person.username.as_deref(), Some("vera@fabrikam.example"));
        assert_eq!(person.roles.iter().collect::<Vec<_>>(), expected, "{roles}");
    }
    assert_eq!(check_of_tenant(json!({})).expect("a valid token").roles.len(), 0, "no claim");
}

#[test]
fn another_tenants_token_is_refused_where_one_tenant_may_sign_in() {
    let other = Uuid::from_u128(7);
    let issuer = format!("https://entra.example/{other}/v2.0");
    for changes in [json!({ "tid": other, "iss": issuer }), json!({ "tid": other })] {
        assert_eq!(check_of_tenant(changes.clone()), Err(InvalidToken::OtherTenant), "{changes}");
    }
    let changes = json!({ "iss": issuer });
    assert_eq!(check_of_tenant(changes), Err(InvalidToken::OtherIssuer));
}

#[tokio::test]
async fn the_keys_of_another_tenant_are_not_fetched_where_one_tenant_may_sign_in() {
    let (_, verifier) = verifier();
    let verifier = verifier.of_tenant(TENANT);
    let encode = |part: Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let header = encode(json!({ "alg": "RS256", "kid": "a" }));
    let token = format!("{header}.{}.AAAA", encode(json!({ "tid": Uuid::from_u128(7) })));
    match verifier.verify(UnverifiedToken(&token), |_| true).await {
        Err(Refused::Invalid(why)) => assert_eq!(why, InvalidToken::OtherTenant),
        other => panic!("{other:?}"),
    }
    assert!(verifier.keys.lock().expect("unpoisoned").is_empty());
}

#[test]
fn a_token_of_the_one_tenant_without_an_object_id_is_refused() {
    for oid in [json!(null), json!(""), json!("vera"), json!(7), json!([Uuid::from_u128(3)])] {
        let refused = check_of_tenant(json!({ "oid": oid }));
        assert_eq!(refused, Err(InvalidToken::NoObject), "{oid}");
    }
}

#[test]
fn a_token_whose_roles_are_no_list_of_texts_is_refused() {
    for roles in [
        json!("Admin"),
        json!(7),
        json!(true),
        json!({ "Admin": true }),
        json!([["Admin"]]),
        json!(["Admin", 7]),
        json!(["Admin", null]),
    ] {
        let refused = check_of_tenant(json!({ "roles": roles }));
        assert_eq!(refused, Err(InvalidToken::RolesNotText), "{roles}");
    }
}

#[test]
fn where_every_tenant_may_sign_in_the_roles_that_a_tenant_assigned_count_for_nothing() {
    let (clock, verifier) = verifier();
    let now = clock.now().as_second();
    for roles in [json!(["Admin"]), json!("Admin")] {
        let mut claims = claims(now + 3600, now, None);
        claims.roles = roles;
        let person = verifier.check(claims, |nonce| nonce == "n").expect("a valid token");
        assert!(person.roles.is_empty());
    }
}

#[tokio::test]
async fn a_token_longer_than_sixteen_kilobytes_is_not_decoded() {
    let (_, verifier) = verifier();
    for (length, reason) in
        [(16 * 1024, InvalidToken::NotJwt), (16 * 1024 + 1, InvalidToken::TooLong)]
    {
        match verifier.verify(UnverifiedToken(&"A".repeat(length)), |_| true).await {
            Err(Refused::Invalid(why)) => assert_eq!(why, reason, "{length}"),
            other => panic!("{length}: {other:?}"),
        }
    }
}

#[test]
fn the_keys_of_a_sixty_fifth_tenant_empty_the_cache() {
    let (_, verifier) = verifier();
    let held = || verifier.keys.lock().expect("unpoisoned").len();
    for number in 0..64 {
        verifier.keys_of(Uuid::from_u128(number));
    }
    assert_eq!(held(), 64);
    verifier.keys_of(Uuid::from_u128(63));
    assert_eq!(held(), 64, "a known tenant");
    verifier.keys_of(Uuid::from_u128(64));
    assert_eq!(held(), 1);
}

#[test]
fn a_persons_debug_text_shows_ids_and_no_name() {
    let account = Account { tenant_id: TENANT, object_id: None };
    let (name, username) = (Some("Adele".to_owned()), Some("adele@contoso.example".to_owned()));
    let text = format!("{:?}", Person { account, name, username, roles: BTreeSet::new() });
    assert!(text.contains(&TENANT.to_string()), "{text}");
    assert!(!text.contains("Adele") && !text.contains("adele"), "{text}");
}
