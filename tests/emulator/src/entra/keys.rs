//! Signing keys. Every process makes the same ones from a fixed seed, so they protect nothing.

use crate::seeded::Seeded;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use ring::rand::SystemRandom;
use ring::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RSA_PSS_2048_8192_SHA256, RsaKeyPair,
    RsaPublicKeyComponents,
};
use rsa::pkcs8::{EncodePrivateKey as _, EncodePublicKey as _, LineEnding};
use rsa::traits::PublicKeyParts as _;
use rsa::{RsaPrivateKey, RsaPublicKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// After this many keys, a rotation begins again with the first.
const ROTATED_KEYS: usize = 4;

// The process shares the keys, because making one is slow in a debug build.
static POOL: [OnceLock<TestKey>; ROTATED_KEYS + 3] = [const { OnceLock::new() }; ROTATED_KEYS + 3];

pub(super) struct TestKey {
    kid: String,
    pkcs8: Vec<u8>,
    signing: RsaKeyPair,
    public: RsaPublicKey,
    // A cache: a run signs few different messages, each of them often, and RS256 is deterministic.
    signed: Mutex<HashMap<[u8; 32], Vec<u8>>>,
}

/// The most signatures that a key remembers, some 300 bytes each.
const REMEMBERED: usize = 500_000;

impl std::fmt::Debug for TestKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TestKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}

pub(super) fn rotated(turn: usize) -> &'static TestKey {
    key(turn % ROTATED_KEYS)
}

/// A key that Entra never publishes.
pub(super) fn foreign() -> &'static TestKey {
    key(ROTATED_KEYS)
}

/// The key of the publisher's certificates.
pub(super) fn client() -> &'static TestKey {
    key(ROTATED_KEYS + 1)
}

/// The key of AWS's tokens.
pub(super) fn aws() -> &'static TestKey {
    key(ROTATED_KEYS + 2)
}

fn key(place: usize) -> &'static TestKey {
    POOL[place].get_or_init(|| TestKey::generate(place))
}

impl TestKey {
    fn generate(place: usize) -> Self {
        const BITS: usize = 2048;
        let mut random = Seeded::new(0x5eed_0000 + place as u64);
        let private = RsaPrivateKey::new(&mut random, BITS).expect("2048 bits are a valid size");
        let public = RsaPublicKey::from(&private);
        let pkcs8 = private.to_pkcs8_der().expect("every RSA key has a PKCS #8 form");
        // `rsa` can make a key from a seed; `ring` signs several times faster.
        let signing = RsaKeyPair::from_pkcs8(pkcs8.as_bytes()).expect("the key was made just now");
        let digest = Sha256::digest(public.n().to_bytes_be());
        Self {
            kid: URL_SAFE_NO_PAD.encode(&digest[..20]),
            pkcs8: pkcs8.as_bytes().to_vec(),
            signing,
            public,
            signed: Mutex::default(),
        }
    }

    pub(super) fn kid(&self) -> &str {
        &self.kid
    }

    /// The public key as a key document has it.
    pub(super) fn jwk(&self) -> Value {
        json!({
            "kty": "RSA",
            "use": "sig",
            "kid": self.kid,
            "x5t": self.kid,
            "n": URL_SAFE_NO_PAD.encode(self.public.n().to_bytes_be()),
            "e": URL_SAFE_NO_PAD.encode(self.public.e().to_bytes_be()),
        })
    }

    /// Signs with RS256.
    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let digest: [u8; 32] = Sha256::digest(message).into();
        if let Some(signature) = self.signed().get(&digest) {
            return signature.clone();
        }
        let mut signature = vec![0; self.signing.public().modulus_len()];
        self.signing
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
            .expect("the buffer has the modulus' length");
        let mut signed = self.signed();
        if signed.len() < REMEMBERED {
            signed.insert(digest, signature.clone());
        }
        signature
    }

    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let digest: [u8; 32] = Sha256::digest(message).into();
        if self.signed().get(&digest).is_some_and(|signed| signed == signature) {
            return true;
        }
        self.components().verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok()
    }

    /// Whether it is a signature with PS256.
    pub(super) fn verifies_pss(&self, message: &[u8], signature: &[u8]) -> bool {
        self.components().verify(&RSA_PSS_2048_8192_SHA256, message, signature).is_ok()
    }

    fn components(&self) -> RsaPublicKeyComponents<Vec<u8>> {
        RsaPublicKeyComponents {
            n: self.public.n().to_bytes_be(),
            e: self.public.e().to_bytes_be(),
        }
    }

    /// The private key (PKCS #8, DER).
    pub(super) fn pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }

    fn signed(&self) -> MutexGuard<'_, HashMap<[u8; 32], Vec<u8>>> {
        self.signed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A self-signed certificate of this key (RFC 5280, version 1), valid since 2020.
    pub(super) fn certificate(&self, ends: Timestamp) -> Vec<u8> {
        const SHA256_WITH_RSA: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00";
        const COMMON_NAME: &[u8] = b"\x06\x03\x55\x04\x03";
        const SEQUENCE: u8 = 0x30;
        // A UTCTime, which has no century.
        let ends = ends.strftime("%y%m%d%H%M%SZ").to_string();
        let algorithm = der(SEQUENCE, &[SHA256_WITH_RSA]);
        // The name in Entra's own certificates.
        let name = der(0x0c, &[b"accounts.accesscontrol.windows.net"]);
        let name = der(SEQUENCE, &[&der(0x31, &[&der(SEQUENCE, &[COMMON_NAME, &name])])]);
        let time = |text: &[u8]| der(0x17, &[text]);
        let valid = der(SEQUENCE, &[&time(b"200101000000Z"), &time(ends.as_bytes())]);
        let key = self.public.to_public_key_der().expect("every RSA public key has a DER form");
        let serial = der(0x02, &[&[1]]);
        let signed = der(SEQUENCE, &[&serial, &algorithm, &name, &valid, &name, key.as_bytes()]);
        let signature = der(0x03, &[&[0], &self.sign(&signed)]);
        der(SEQUENCE, &[&signed, &algorithm, &signature])
    }

    /// The public key as text, for the forgery that uses it as a shared secret.
    pub(super) fn public_pem(&self) -> String {
        self.public.to_public_key_pem(LineEnding::LF).expect("every RSA public key has a PEM form")
    }
}

/// A DER value. Its content is the concatenation of `parts`.
fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = content.len().to_be_bytes();
    let length = &length[length.iter().position(|byte| *byte != 0).unwrap_or(length.len() - 1)..];
    let mut value = vec![tag];
    if content.len() > 0x7f {
        value.push(0x80 | length.len() as u8);
    }
    value.extend_from_slice(length);
    value.extend(content);
    value
}
