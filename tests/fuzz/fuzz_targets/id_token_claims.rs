//! The header and claims of an id token with a valid signature: for another application or tenant,
//! from another sign-in, at another time. The parts of an input: who signed (`theirs`, or else
//! Entra for the publisher's tenant), the header, the claims.
#![no_main]

use fuzz::sign_in::{NONCE, published, signer, verifier};
use fuzz::{APP, ENTRA, Key, key, members, now, parts, run, stranger};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};
use shared::lenient::Lenient;
use shared::microsoft::entra::{Person, UnverifiedToken};
use uuid::Uuid;

const LEEWAY: i64 = 60;

/// The maximum size of a token.
const LONGEST: usize = 16 * 1024;

/// F-LP-6, F-LP-8, checked independently of the code.
fn is_for_us(signed_by: &Key, header: &Map<String, Value>, claims: &Map<String, Value>) -> bool {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let guid = |name: &str| Uuid::try_parse(text(name)?).ok();
    let said = |name: &str| claims.get(name).is_some_and(|value| !value.is_null());
    let number = |name: &str| claims.get(name).and_then(Value::as_i64);
    let has_begun = |name: &str| number(name).is_some_and(|at| at <= now().as_second() + LEEWAY);
    let Some(tenant) = guid("tid") else { return false };
    header.get("alg").and_then(Value::as_str) == Some("RS256")
        && header.get("kid").and_then(Value::as_str) == Some(key().kid())
        && signer(tenant).n == signed_by.n
        && guid("aud") == Some(APP)
        && text("iss") == Some(&format!("{ENTRA}/{tenant}/v2.0"))
        && text("nonce") == Some(NONCE)
        && (!said("ver") || text("ver") == Some("2.0"))
        && number("exp").is_some_and(|exp| exp > now().as_second() - LEEWAY)
        && has_begun("iat")
        && (!said("nbf") || has_begun("nbf"))
}

/// Whether a time can be represented.
fn is_absurd(claims: &Map<String, Value>) -> bool {
    let times = ["exp", "iat", "nbf"].map(|name| claims.get(name).and_then(Value::as_i64));
    times.into_iter().flatten().any(|time| Timestamp::from_second(time).is_err())
}

fn verified(token: &str) -> Option<Person> {
    let (wire, verifier) = verifier();
    wire.reset(Box::new(published));
    run(verifier.verify(UnverifiedToken(token), |nonce| nonce == NONCE)).ok()
}

// Makes the keys first, because that takes seconds and no input should be blamed for them.
fuzz_target!(init: (key(), stranger()), |input: &[u8]| {
    let [signed_by, header, claims] = parts(input);
    let signed_by = if signed_by == b"theirs" { stranger() } else { key() };
    let usual = key().header().to_string();
    let header = if header.is_empty() { usual.as_bytes() } else { header };
    let person = verified(&signed_by.sign(header, claims));
    let (Some(header), Some(object)) = (members(header), members(claims)) else {
        assert!(person.is_none(), "a token without claims");
        return;
    };
    if let Some(person) = person {
        assert!(is_for_us(signed_by, &header, &object), "{object:?}");
        let of = |name: &str| object.get(name).unwrap_or(&Value::Null);
        assert_eq!(Some(person.account.tenant_id), Uuid::read(of("tid")));
        assert_eq!(person.account.object_id, Uuid::read(of("oid")));
        assert_eq!(person.name, String::read(of("name")));
        assert_eq!(person.username, String::read(of("preferred_username")));
    }
    // Additional claims must not keep a buyer out.
    let is_usual = header.keys().all(|name| matches!(name.as_str(), "alg" | "kid"));
    if is_usual && is_for_us(signed_by, &header, &object) && !is_absurd(&object) {
        let each_once = [header, object.clone()]
            .map(|object| serde_json::to_vec(&object).expect("what was read can be written"));
        let token = signed_by.sign(&each_once[0], &each_once[1]);
        assert!(token.len() > LONGEST || verified(&token).is_some(), "{object:?}");
    }
});
