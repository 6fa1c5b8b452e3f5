//! Encrypts cookies, so that a browser can neither read nor change them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use ring::rand::{SecureRandom, SystemRandom};
use serde::Serialize;
use serde::de::DeserializeOwned;
use subtle::ConstantTimeEq;
use uuid::Uuid;

/// The two cookies. A value that was sealed as one kind can't be opened as the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CookieKind {
    RoundTrip,
    Session,
}

impl CookieKind {
    /// Authenticated together with the value. If it changes, browsers' cookies can't be opened.
    fn label(self) -> &'static [u8] {
        match self {
            Self::RoundTrip => b"round trip",
            Self::Session => b"session",
        }
    }
}

/// The keys of the cookies. The first one seals, and all of them open.
pub(super) struct CookieKeys(Vec<LessSafeKey>);

impl CookieKeys {
    /// Derives the keys from a secret: the one that is set for it, or the application's own. Where it
    /// holds several words, each gives a key, so that a new one can be put before the old one, which
    /// goes an hour later. Without the old one, all older cookies are invalid.
    ///
    /// A key is also bound to its page, to the application and to the page's origin: of two deployments
    /// with one secret, such as a trial and the real one, neither accepts the other's sessions.
    pub(super) fn derive(secret: &str, purpose: &[u8], client_id: Uuid, origin: &str) -> Self {
        // No page's purpose begins another page's, and of the rest only the last part has no fixed
        // length, so no other parts give the same text.
        let info = [purpose, client_id.as_bytes(), origin.as_bytes()];
        let key = |word: &str| {
            let extracted = Salt::new(HKDF_SHA256, &[]).extract(word.as_bytes());
            let expanded =
                extracted.expand(&info, &AES_256_GCM).expect("32 bytes are not too many");
            LessSafeKey::new(UnboundKey::from(expanded))
        };
        Self(secret.split_whitespace().map(key).collect())
    }

    /// `None` if the value has no JSON form, or if there is no key.
    pub(super) fn seal(&self, kind: CookieKind, value: &impl Serialize) -> Option<String> {
        let nonce: [u8; NONCE_LEN] = random();
        let mut text = serde_json::to_vec(value).ok()?;
        let tag = self
            .0
            .first()?
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(kind.label()),
                &mut text,
            )
            .expect("a cookie is far shorter than what one nonce may encrypt");
        Some(URL_SAFE_NO_PAD.encode([&nonce[..], &text, tag.as_ref()].concat()))
    }

    /// `None` unless one of these keys sealed the value as this kind.
    pub(super) fn open<T: DeserializeOwned>(&self, kind: CookieKind, sealed: &str) -> Option<T> {
        let bytes = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_LEN>()?;
        let opened = self.0.iter().find_map(|key| {
            let mut text = sealed.to_vec();
            let nonce = Nonce::assume_unique_for_key(*nonce);
            let opened = key.open_in_place(nonce, Aad::from(kind.label()), &mut text).ok()?;
            Some(opened.to_vec())
        });
        serde_json::from_slice(&opened?).ok()
    }
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).expect("the operating system has randomness");
    bytes
}

/// 192 random bits.
pub fn random_text() -> String {
    URL_SAFE_NO_PAD.encode(random::<24>())
}

/// The duration does not depend on how many bytes match.
pub fn constant_time_eq(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const APP: Uuid = Uuid::from_u128(1);
    const ORIGIN: &str = "https://signup.example.com";
    const PURPOSE: &[u8] = b"landing page cookies";

    fn key() -> CookieKeys {
        CookieKeys::derive("a-secret", PURPOSE, APP, ORIGIN)
    }

    #[test]
    fn only_the_same_secret_page_application_origin_and_kind_open_a_sealed_value() {
        let key = key();
        let sealed = key.seal(CookieKind::RoundTrip, &"a purchase token").expect("it is short");
        assert_eq!(key.open(CookieKind::RoundTrip, &sealed), Some("a purchase token".to_owned()));
        assert_eq!(key.open::<String>(CookieKind::Session, &sealed), None);
        for (secret, purpose, app, origin) in [
            ("another", PURPOSE, APP, ORIGIN),
            ("a-secret", b"staff console cookies", APP, ORIGIN),
            ("a-secret", PURPOSE, Uuid::from_u128(2), ORIGIN),
            ("a-secret", PURPOSE, APP, "https://signup.example.com:8443"),
            ("a-secret", PURPOSE, APP, "http://signup.example.com"),
        ] {
            let other = CookieKeys::derive(secret, purpose, app, origin);
            let opened = other.open::<String>(CookieKind::RoundTrip, &sealed);
            assert_eq!(opened, None, "{secret} {purpose:?} {app} {origin}");
        }
        let again = self::key().open(CookieKind::RoundTrip, &sealed);
        assert_eq!(again, Some("a purchase token".to_owned()), "the key follows from the secret");
    }

    #[test]
    fn with_two_keys_the_first_seals_and_both_open() {
        let keys = |secret| CookieKeys::derive(secret, PURPOSE, APP, ORIGIN);
        let (old, both, new) = (keys("old"), keys("new\nold"), keys("new"));
        let of_old = old.seal(CookieKind::Session, &"someone").expect("it is short");
        let of_both = both.seal(CookieKind::Session, &"someone").expect("it is short");
        for (keys, sealed, opens) in [
            (&both, &of_old, true),
            (&both, &of_both, true),
            (&new, &of_both, true),
            (&new, &of_old, false),
            (&old, &of_both, false),
        ] {
            let opened: Option<String> = keys.open(CookieKind::Session, sealed);
            assert_eq!(opened.is_some(), opens);
        }
    }

    #[test]
    fn a_sealed_value_with_a_changed_bit_cannot_be_opened() {
        let key = key();
        let sealed = key.seal(CookieKind::Session, &"someone").expect("it is short");
        let bytes = URL_SAFE_NO_PAD.decode(&sealed).expect("base64");
        for at in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[at / 8] ^= 1 << (at % 8);
            let changed = URL_SAFE_NO_PAD.encode(changed);
            assert_eq!(key.open::<String>(CookieKind::Session, &changed), None, "bit {at}");
        }
        for short in ["", "AAAA", "not base64!", &sealed[..sealed.len() - 4]] {
            assert_eq!(key.open::<String>(CookieKind::Session, short), None);
        }
    }

    #[test]
    fn a_sealed_value_is_unreadable_and_never_the_same_twice() {
        let key = key();
        let seal =
            || key.seal(CookieKind::Session, &"AAAAAAAAAAAAAAAAAAAAAAAA").expect("it is short");
        assert_ne!(seal(), seal());
        assert!(!seal().contains("AAAAAAAA") && !seal().contains("QUFBQUFB"));
    }
}
