//! What is sent to the publisher's product, signed so that it can tell it from a forgery.
//!
//! <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::{SignedDuration, Timestamp};
use ring::hmac;
use secrecy::ExposeSecret;
use thiserror::Error;
use tracing::warn;

use crate::auth::ClientSecret;
use crate::system::System;

/// Before the base64 of a key.
const PREFIX: &str = "whsec_";

/// How long a key may be, in bytes.
const LENGTHS: std::ops::RangeInclusive<usize> = 24..=64;

/// How long keys are used before they are asked for again: the time after which a new key is in use
/// everywhere.
const KEYS_LIVE: SignedDuration = SignedDuration::from_mins(5);

/// The keys in use: one, or two while one replaces the other.
#[derive(Clone)]
pub struct WebhookKeys(Vec<hmac::Key>);

/// The text is no key, or no list of keys. Never says what it is: it is a secret, or another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum KeyError {
    /// There is none.
    #[error("holds no key")]
    None,
    /// One is not `whsec_` and base64.
    #[error("is not `whsec_` and base64, or several of these with blanks between them")]
    NotBase64,
    /// One is too short to be safe, or longer than receivers take.
    #[error("holds a key that is not 24 to 64 bytes long")]
    Length,
}

impl WebhookKeys {
    /// Reads one key, or several with blanks between them.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let key = |text: &str| {
            let encoded = text.strip_prefix(PREFIX).ok_or(KeyError::NotBase64)?;
            let bytes = STANDARD.decode(encoded).map_err(|_| KeyError::NotBase64)?;
            if !LENGTHS.contains(&bytes.len()) {
                return Err(KeyError::Length);
            }
            Ok(hmac::Key::new(hmac::HMAC_SHA256, &bytes))
        };
        let keys = text.split_whitespace().map(key).collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() { Err(KeyError::None) } else { Ok(Self(keys)) }
    }

    /// The headers a receiver checks: a signature with each of the keys, so that it may hold any.
    ///
    /// # Panics
    /// When `id` is not header text.
    pub fn headers(&self, id: &str, now: Timestamp, body: &[u8]) -> HeaderMap {
        let seconds = now.as_second().to_string();
        let signed = [id.as_bytes(), b".", seconds.as_bytes(), b".", body].concat();
        let signature = |key| format!("v1,{}", STANDARD.encode(hmac::sign(key, &signed)));
        let signatures: Vec<_> = self.0.iter().map(signature).collect();
        [
            ("webhook-id", id.to_owned()),
            ("webhook-timestamp", seconds),
            ("webhook-signature", signatures.join(" ")),
        ]
        .into_iter()
        .map(|(name, value)| {
            let value = HeaderValue::try_from(value).expect("ids, numbers and base64 are text");
            (HeaderName::from_static(name), value)
        })
        .collect()
    }
}

impl fmt::Debug for WebhookKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebhookKeys({})", self.0.len())
    }
}

/// The keys that a secret holds, kept for a while.
pub struct KeyRing {
    secret: ClientSecret,
    system: Arc<dyn System>,
    known: Mutex<Option<(Timestamp, WebhookKeys)>>,
}

/// There is nothing to sign with: the secret can't be read, or holds no keys.
#[derive(Debug, Error)]
#[error("no signing key: {0}")]
pub struct NoKeys(String);

impl KeyRing {
    /// The keys that `secret` holds.
    pub fn new(secret: ClientSecret, system: Arc<dyn System>) -> Self {
        Self { secret, system, known: Mutex::default() }
    }

    /// The keys, read again when they are five minutes old. Older ones are better than none: whoever
    /// rotates keeps the former key for a while.
    pub async fn keys(&self) -> Result<WebhookKeys, NoKeys> {
        let now = self.system.now();
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((read, keys)) = &known
            && now.duration_since(*read) < KEYS_LIVE
        {
            return Ok(keys.clone());
        }
        match self.read().await {
            Ok(keys) => {
                *self.known.lock().unwrap_or_else(PoisonError::into_inner) =
                    Some((now, keys.clone()));
                Ok(keys)
            }
            Err(reason) => {
                warn!(%reason, "the key that is signed with can't be had");
                known.map(|(_, keys)| keys).ok_or(reason)
            }
        }
    }

    async fn read(&self) -> Result<WebhookKeys, NoKeys> {
        let text = self.secret.read().await.map_err(|error| NoKeys(error.to_string()))?;
        WebhookKeys::parse(text.expose_secret())
            .map_err(|error| NoKeys(format!("the secret {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::RealSystem;
    use secrecy::SecretString;

    /// The example of the specification.
    const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    #[test]
    fn the_example_of_the_specification_is_signed_as_it_says() {
        let keys = WebhookKeys::parse(KEY).expect("a key");
        let now = Timestamp::from_second(1_614_265_330).expect("a timestamp");
        let headers = keys.headers("msg_p5jXN8AQM9LWM0D4loKWxJek", now, br#"{"test": 2432232314}"#);
        assert_eq!(headers["webhook-id"], "msg_p5jXN8AQM9LWM0D4loKWxJek");
        assert_eq!(headers["webhook-timestamp"], "1614265330");
        let signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(headers["webhook-signature"], signature);
    }

    #[test]
    fn two_keys_sign_twice() {
        let other = format!("{PREFIX}{}", STANDARD.encode([7; 32]));
        let keys = WebhookKeys::parse(&format!(" {other}\n {KEY} ")).expect("two keys");
        let headers = keys.headers("id", Timestamp::UNIX_EPOCH, b"{}");
        let both = headers["webhook-signature"].to_str().expect("text").to_owned();
        let alone = |key: &str| {
            let keys = WebhookKeys::parse(key).expect("a key");
            let headers = keys.headers("id", Timestamp::UNIX_EPOCH, b"{}");
            headers["webhook-signature"].to_str().expect("text").to_owned()
        };
        assert_eq!(both, format!("{} {}", alone(&other), alone(KEY)));
    }

    #[test]
    fn what_is_no_key_is_refused_without_being_repeated() {
        let short = format!("{PREFIX}{}", STANDARD.encode([7; 23]));
        let long = format!("{PREFIX}{}", STANDARD.encode([7; 65]));
        for (text, error) in [
            ("  ", KeyError::None),
            ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", KeyError::NotBase64),
            ("whsec_not base64", KeyError::NotBase64),
            (short.as_str(), KeyError::Length),
            (long.as_str(), KeyError::Length),
        ] {
            assert_eq!(WebhookKeys::parse(text).err(), Some(error), "{text}");
        }
        let keys = WebhookKeys::parse(KEY).expect("a key");
        assert_eq!(format!("{keys:?}"), "WebhookKeys(1)");
    }

    fn ring(text: &str) -> KeyRing {
        KeyRing::new(ClientSecret::Given(SecretString::from(text)), Arc::new(RealSystem))
    }

    #[tokio::test]
    async fn a_secret_without_keys_gives_none_and_its_text_is_in_no_error() {
        let error = ring("not-a-key").keys().await.expect_err("no key").to_string();
        assert!(error.starts_with("no signing key"), "{error}");
        assert!(!error.contains("not-a-key"), "{error}");
    }

    #[tokio::test]
    async fn keys_that_were_read_before_serve_on_while_nothing_better_is_to_be_had() {
        let mut ring = ring("not-a-key");
        let known = WebhookKeys::parse(KEY).expect("a key");
        ring.known = Mutex::new(Some((Timestamp::UNIX_EPOCH, known)));
        assert!(ring.keys().await.is_ok());
    }
}
