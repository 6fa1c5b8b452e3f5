//! Writing and parsing JSON Web Tokens.

use super::keys::TestKey;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use serde_json::Value;

/// A token without its signature.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) header: Value,
    pub(super) claims: Value,
}

impl Draft {
    fn signing_input(&self) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}", part(&self.header), part(&self.claims))
    }

    pub(super) fn signed(&self, key: &TestKey) -> String {
        let input = self.signing_input();
        let signature = key.sign(input.as_bytes());
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    pub(super) fn unsigned(&self) -> String {
        format!("{}.", self.signing_input())
    }

    pub(super) fn with_shared_secret(&self, secret: &[u8]) -> String {
        let input = self.signing_input();
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), input.as_bytes());
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(tag))
    }
}

pub(super) fn signed_text(header: &str, claims: &str, key: &TestKey) -> String {
    let input = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(key.sign(input.as_bytes())))
}

pub(super) struct Parsed<'a> {
    pub(super) header: Value,
    pub(super) claims: Value,
    pub(super) signed: &'a str,
    pub(super) signature: Vec<u8>,
}

pub(super) fn parse(token: &str) -> Option<Parsed<'_>> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let part = |text: &str| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok();
    Some(Parsed {
        header: part(header)?,
        claims: part(claims)?,
        signed,
        signature: URL_SAFE_NO_PAD.decode(signature).ok()?,
    })
}
