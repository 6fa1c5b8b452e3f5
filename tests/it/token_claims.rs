//! T-16, continued: each claim counts only where its version has it, and only once (F-WHJ-2,
//! F-WHJ-3).

use emulator::TokenVersion;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::token::{VERSIONS, WebhookEnv};

const STRANGER: Uuid = Uuid::from_u128(7);

/// The claim that names the caller in a token of this version, and the one of the other version.
fn caller_claims(version: TokenVersion) -> (&'static str, &'static str) {
    match version {
        TokenVersion::V1 => ("appid", "azp"),
        TokenVersion::V2 => ("azp", "appid"),
    }
}

fn without(claims: &Value, name: &str) -> Value {
    let mut claims = claims.clone();
    claims.as_object_mut().expect("an object").remove(name);
    claims
}

#[tokio::test]
async fn t_16_a_caller_named_only_in_the_other_versions_claim_is_refused_with_401() {
    // F-WHJ-2: `appid` names the caller of a version 1 token, `azp` that of a version 2 token.
    let webhook = WebhookEnv::new().await;
    for version in VERSIONS {
        let (counts, other) = caller_claims(version);
        let good = webhook.claims(version);
        let mut moved = without(&good, counts);
        moved[other] = good[counts].clone();
        // The claim about the caller's authentication moves along.
        let mut both_moved = without(&moved, &format!("{counts}acr"));
        both_moved[format!("{other}acr")] = good[format!("{counts}acr")].clone();
        let mut empty = moved.clone();
        empty[counts] = json!(null);
        let unversioned = without(&moved, "ver");
        for claims in [moved, both_moved, empty, unversioned] {
            assert_eq!(
                webhook.call_with(&webhook.signed(&claims)).await,
                401,
                "{version:?}: {claims}"
            );
        }
    }
    webhook.assert_untouched().await;
    for version in VERSIONS {
        let good = webhook.signed(&webhook.claims(version));
        assert_eq!(webhook.call_with(&good).await, 200, "{version:?}: in the right claim");
    }
}

#[tokio::test]
async fn t_16_a_stranger_in_either_caller_claim_is_refused_with_401() {
    // F-WHJ-2, F-WHJ-3.
    let webhook = WebhookEnv::new().await;
    for version in VERSIONS {
        let (counts, other) = caller_claims(version);
        let good = webhook.claims(version);
        let (marketplace, stranger) = (good[counts].clone(), json!(STRANGER));
        for (named, beside) in [
            (&stranger, &marketplace),
            (&marketplace, &stranger),
            (&stranger, &stranger),
            (&stranger, &json!(null)),
            (&json!(null), &stranger),
            (&json!(""), &marketplace),
            (&json!([marketplace]), &marketplace),
            (&json!([stranger, marketplace]), &marketplace),
        ] {
            let mut claims = good.clone();
            claims[counts] = named.clone();
            claims[other] = beside.clone();
            let refused = webhook.call_with(&webhook.signed(&claims)).await;
            assert_eq!(refused, 401, "{version:?}: {counts} {named}, {other} {beside}");
        }
    }
    webhook.assert_untouched().await;
}

/// A claim as JSON text, plain and with the first letter of its name escaped.
fn spellings(name: &str, value: &Value) -> [String; 2] {
    let (first, rest) = name.split_at(1);
    [
        format!("\"{name}\":{value}"),
        format!("\"\\u{:04x}{rest}\":{value}", u32::from(first.as_bytes()[0])),
    ]
}

#[tokio::test]
async fn t_16_a_duplicate_claim_is_refused_with_401_in_either_order() {
    // F-WHJ-2: a duplicate claim is ambiguous, so the token is refused, whichever value a JSON
    // parser would pick.
    let webhook = WebhookEnv::new().await;
    let now = webhook.now();
    let mut once = Vec::new();
    for version in VERSIONS {
        let (counts, other) = caller_claims(version);
        let mut good = webhook.claims(version);
        let issuer = good["iss"].as_str().expect("an issuer").to_owned();
        let tenant = good["tid"].as_str().expect("a tenant").to_owned();
        // A token of this version may leave out `nbf` (F-WHJ-3).
        good["nbf"] = json!(now - 60);
        let both = json!({ other: good[counts] });
        for (claim, wrong) in [
            ("exp", json!(now - 3600)),
            ("nbf", json!(now + 3600)),
            ("azp", json!(STRANGER)),
            ("appid", json!(STRANGER)),
            ("ver", json!(if version == TokenVersion::V1 { "2.0" } else { "1.0" })),
            ("aud", json!(STRANGER)),
            ("iss", json!(issuer.replace(&tenant, &STRANGER.to_string()))),
            ("tid", json!(STRANGER)),
        ] {
            let right = good.get(claim).unwrap_or(&both[other]).clone();
            let rest = without(&good, claim).to_string();
            let rest = rest.strip_suffix('}').expect("an object");
            for right in spellings(claim, &right) {
                for wrong in spellings(claim, &wrong) {
                    for twice in [format!("{right},{wrong}"), format!("{wrong},{right}")] {
                        let claims = format!("{rest},{twice}}}");
                        let refused = webhook.call_with(&webhook.signed_text(&claims)).await;
                        assert_eq!(refused, 401, "{version:?}: {twice}");
                    }
                }
                once.push(format!("{rest},{right}}}"));
            }
        }
    }
    webhook.assert_untouched().await;
    // Each claim once is accepted in either spelling, so the duplicates caused the refusals.
    for claims in once {
        assert_eq!(webhook.call_with(&webhook.signed_text(&claims)).await, 200, "{claims}");
    }
}
