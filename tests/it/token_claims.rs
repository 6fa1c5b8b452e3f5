//! Which claims let a caller in: each where its version has it, and each once (F-WHJ-2, F-WHJ-3).
//! T-16, continued.

use emulator::TokenVersion;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::token::{Door, VERSIONS};

const STRANGER: Uuid = Uuid::from_u128(7);

/// Where a token of this version names its caller, and where one of the other version does.
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
async fn t_16_a_caller_who_stands_in_the_other_versions_claim_alone_is_refused_with_401() {
    // F-WHJ-2: `appid` names the caller of a version 1 token, `azp` that of a version 2 token.
    let door = Door::new().await;
    for version in VERSIONS {
        let (counts, other) = caller_claims(version);
        let good = door.claims(version);
        let mut moved = without(&good, counts);
        moved[other] = good[counts].clone();
        // With the claim that says how the caller proved itself.
        let mut both_moved = without(&moved, &format!("{counts}acr"));
        both_moved[format!("{other}acr")] = good[format!("{counts}acr")].clone();
        let mut empty = moved.clone();
        empty[counts] = json!(null);
        let unversioned = without(&moved, "ver");
        for claims in [moved, both_moved, empty, unversioned] {
            assert_eq!(door.knock(&door.signed(&claims)).await, 401, "{version:?}: {claims}");
        }
    }
    door.assert_shut().await;
    for version in VERSIONS {
        let good = door.signed(&door.claims(version));
        assert_eq!(door.knock(&good).await, 200, "{version:?}: where it belongs");
    }
}

#[tokio::test]
async fn t_16_a_stranger_in_either_callers_claim_is_refused_with_401_whatever_the_other_says() {
    // F-WHJ-2, F-WHJ-3.
    let door = Door::new().await;
    for version in VERSIONS {
        let (counts, other) = caller_claims(version);
        let good = door.claims(version);
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
            let refused = door.knock(&door.signed(&claims)).await;
            assert_eq!(refused, 401, "{version:?}: {counts} {named}, {other} {beside}");
        }
    }
    door.assert_shut().await;
}

/// A claim as text, and once more with its name's first letter escaped: the same name in JSON.
fn spellings(name: &str, value: &Value) -> [String; 2] {
    let (first, rest) = name.split_at(1);
    [
        format!("\"{name}\":{value}"),
        format!("\"\\u{:04x}{rest}\":{value}", u32::from(first.as_bytes()[0])),
    ]
}

#[tokio::test]
async fn t_16_a_claim_that_stands_twice_is_refused_with_401_whichever_of_them_is_right() {
    // F-WHJ-2: a claim that says two things says neither, whatever a reader of JSON takes it for.
    let door = Door::new().await;
    let now = door.now();
    let mut once = Vec::new();
    for version in VERSIONS {
        let (counts, other) = caller_claims(version);
        let mut good = door.claims(version);
        let issuer = good["iss"].as_str().expect("an issuer").to_owned();
        let tenant = good["tid"].as_str().expect("a tenant").to_owned();
        // What a token of this version may leave out (F-WHJ-3).
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
                        let refused = door.knock(&door.signed_text(&claims)).await;
                        assert_eq!(refused, 401, "{version:?}: {twice}");
                    }
                }
                once.push(format!("{rest},{right}}}"));
            }
        }
    }
    door.assert_shut().await;
    // It is the second one that is refused, and not the way they are written.
    for claims in once {
        assert_eq!(door.knock(&door.signed_text(&claims)).await, 200, "{claims}");
    }
}
