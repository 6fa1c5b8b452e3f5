//! What a browser carries for us without being able to read or to change it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use ring::rand::{SecureRandom, SystemRandom};
use serde::Serialize;
use serde::de::DeserializeOwned;
use subtle::ConstantTimeEq;

/// What the key is for. With another text every cookie under way becomes unreadable.
const INFO: &[&[u8]] = &[b"landing page cookies, AES-256-GCM, version 1"];

/// What is sealed. One kind is never opened as another: a cookie put in another's place is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// On the way to Entra and back.
    RoundTrip,
    /// Signed in.
    Session,
}

impl Kind {
    fn label(self) -> &'static [u8] {
        match self {
            Self::RoundTrip => b"round trip",
            Self::Session => b"session",
        }
    }
}

/// Seals and opens.
pub(super) struct Key(LessSafeKey);

impl Key {
    /// The key that follows from the application's secret: nothing else has to be kept, and with a
    /// new secret the cookies of the old one end.
    pub(super) fn derive(secret: &str) -> Self {
        let extracted = Salt::new(HKDF_SHA256, &[]).extract(secret.as_bytes());
        let expanded = extracted.expand(INFO, &AES_256_GCM).expect("32 bytes are not too many");
        Self(LessSafeKey::new(UnboundKey::from(expanded)))
    }

    /// Encrypts a value.
    pub(super) fn seal(&self, kind: Kind, value: &impl Serialize) -> Option<String> {
        let nonce: [u8; NONCE_LEN] = random();
        let mut text = serde_json::to_vec(value).ok()?;
        let tag = self
            .0
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(kind.label()),
                &mut text,
            )
            .expect("a cookie is far shorter than what one nonce may encrypt");
        Some(URL_SAFE_NO_PAD.encode([&nonce[..], &text, tag.as_ref()].concat()))
    }

    /// Decrypts a value that was sealed as this kind, with this key.
    pub(super) fn open<T: DeserializeOwned>(&self, kind: Kind, sealed: &str) -> Option<T> {
        let bytes = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let (nonce, text) = bytes.split_first_chunk::<NONCE_LEN>()?;
        let mut text = text.to_vec();
        let opened = self
            .0
            .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(kind.label()), &mut text)
            .ok()?;
        serde_json::from_slice(opened).ok()
    }
}

/// Bytes that nobody guesses.
fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).expect("the operating system has randomness");
    bytes
}

/// A text that nobody guesses.
pub(super) fn secret_text() -> String {
    URL_SAFE_NO_PAD.encode(random::<24>())
}

/// Compares without telling by its duration how much was right.
pub(crate) fn constant_time_eq(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_is_opened_by_its_key_and_as_its_kind_alone() {
        let key = Key::derive("a secret");
        let sealed = key.seal(Kind::RoundTrip, &"a purchase token").expect("it is short");
        assert_eq!(key.open(Kind::RoundTrip, &sealed), Some("a purchase token".to_owned()));
        assert_eq!(key.open::<String>(Kind::Session, &sealed), None);
        assert_eq!(Key::derive("another").open::<String>(Kind::RoundTrip, &sealed), None);
        let again = Key::derive("a secret").open(Kind::RoundTrip, &sealed);
        assert_eq!(again, Some("a purchase token".to_owned()), "the key follows from the secret");
    }

    #[test]
    fn every_changed_bit_makes_it_none() {
        let key = Key::derive("a secret");
        let sealed = key.seal(Kind::Session, &"someone").expect("it is short");
        let bytes = URL_SAFE_NO_PAD.decode(&sealed).expect("base64");
        for at in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[at / 8] ^= 1 << (at % 8);
            let changed = URL_SAFE_NO_PAD.encode(changed);
            assert_eq!(key.open::<String>(Kind::Session, &changed), None, "bit {at}");
        }
        for short in ["", "AAAA", "not base64!", &sealed[..sealed.len() - 4]] {
            assert_eq!(key.open::<String>(Kind::Session, short), None);
        }
    }

    #[test]
    fn nothing_of_it_can_be_read_and_no_two_are_alike() {
        let key = Key::derive("a secret");
        let seal = || key.seal(Kind::Session, &"AAAAAAAAAAAAAAAAAAAAAAAA").expect("it is short");
        assert_ne!(seal(), seal());
        assert!(!seal().contains("AAAAAAAA") && !seal().contains("QUFBQUFB"));
    }
}
