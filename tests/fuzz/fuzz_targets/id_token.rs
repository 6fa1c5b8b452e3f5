//! An id token. `{ours}` stands for Entra's token, `{theirs}` for the same claims signed with
//! another key, `{hs256}` for the same claims signed with the public key as a shared secret, and
//! `{ours.0}` to `{hs256.2}` for their three parts.
#![no_main]

use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fuzz::sign_in::{NONCE, claims, published, verifier};
use fuzz::{TENANT, key, run, stranger};
use libfuzzer_sys::fuzz_target;
use ring::hmac;
use serde_json::json;
use shared::microsoft::entra::UnverifiedToken;

fn tokens() -> &'static [(&'static str, String); 3] {
    static TOKENS: OnceLock<[(&str, String); 3]> = OnceLock::new();
    TOKENS.get_or_init(|| {
        let (header, claims) = (key().header().to_string(), claims(NONCE).to_string());
        let signed = |key: &fuzz::Key| key.sign(header.as_bytes(), claims.as_bytes());
        [("ours", signed(key())), ("theirs", signed(stranger())), ("hs256", shared_secret(&claims))]
    })
}

/// A token signed with the public key as a shared secret, which an attacker can make.
fn shared_secret(claims: &str) -> String {
    let header = json!({ "typ": "JWT", "alg": "HS256", "kid": key().kid() }).to_string();
    let input = [header.as_str(), claims].map(|part| URL_SAFE_NO_PAD.encode(part)).join(".");
    let secret = hmac::Key::new(hmac::HMAC_SHA256, key().n.as_bytes());
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(hmac::sign(&secret, input.as_bytes())))
}

// Makes the keys first, because that takes seconds and no input should be blamed for them.
fuzz_target!(init: tokens(), |text: &str| {
    let mut token = text.to_owned();
    for (name, known) in tokens() {
        token = token.replace(&format!("{{{name}}}"), known);
        for (index, third) in known.split('.').enumerate() {
            token = token.replace(&format!("{{{name}.{index}}}"), third);
        }
    }
    let (wire, verifier) = verifier();
    wire.reset(Box::new(published));
    let person = run(verifier.verify(UnverifiedToken(&token), |nonce| nonce == NONCE));
    // Only a token that Entra signed is accepted, and only unchanged.
    assert_eq!(person.is_ok(), token == tokens()[0].1, "{text}");
    if let Ok(person) = person {
        assert_eq!(person.account.tenant_id, TENANT);
        let another = run(verifier.verify(UnverifiedToken(&token), |_| false));
        assert!(another.is_err(), "a token of another round trip");
    }
});
