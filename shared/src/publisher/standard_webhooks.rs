//! Signatures on everything that we send to the publisher's product, as Standard Webhooks say.
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

use crate::host::clock::Clock;
use crate::host::error_class::ErrorClass;
use crate::host::secret::{ClientSecret, SecretError};

const PREFIX: &str = "whsec_";

/// The length of a key, in bytes.
const LENGTHS: std::ops::RangeInclusive<usize> = 24..=64;

/// How long keys are cached: after this time, every function signs with a new key.
const KEY_CACHE_TIME: SignedDuration = SignedDuration::from_mins(5);

/// The signing keys: one, or two while one replaces the other.
#[derive(Clone)]
pub struct WebhookKeys(Vec<hmac::Key>);

/// Malformed keys. The message never repeats the text: it may be a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum WebhookKeyError {
    #[error("holds no key")]
    None,
    #[error("is not `whsec_` and base64, or several of these with blanks between them")]
    NotBase64,
    /// A key is too short to be safe, or longer than receivers accept.
    #[error("holds a key that is not 24 to 64 bytes long")]
    Length,
}

impl WebhookKeys {
    /// Reads one key, or several with blanks between them.
    pub fn parse(text: &str) -> Result<Self, WebhookKeyError> {
        let key = |text: &str| {
            let encoded = text.strip_prefix(PREFIX).ok_or(WebhookKeyError::NotBase64)?;
            let bytes = STANDARD.decode(encoded).map_err(|_| WebhookKeyError::NotBase64)?;
            if !LENGTHS.contains(&bytes.len()) {
                return Err(WebhookKeyError::Length);
            }
            Ok(hmac::Key::new(hmac::HMAC_SHA256, &bytes))
        };
        let keys = text.split_whitespace().map(key).collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() { Err(WebhookKeyError::None) } else { Ok(Self(keys)) }
    }

    /// A signature with the last key alone, for a form that has room for one. While a new key replaces an old
    /// one behind it, the old one signs, which every receiver holds.
    pub(super) fn sign_with_last(&self, message: &[u8]) -> hmac::Tag {
        let key = self.0.last().expect("there is a key");
        hmac::sign(key, message)
    }

    /// The three headers of a message. It has a signature with each key, so a receiver may hold any
    /// of them.
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

/// The keys that a secret holds, cached.
pub struct KeyRing {
    secret: ClientSecret,
    clock: Arc<dyn Clock>,
    known: Mutex<Option<(Timestamp, WebhookKeys)>>,
}

/// Why a message can't be signed.
#[derive(Debug, Error)]
pub enum NoSigningKey {
    #[error("no signing key: {0}")]
    Secret(#[from] SecretError),
    #[error("no signing key: the secret {0}")]
    Malformed(#[from] WebhookKeyError),
}

impl NoSigningKey {
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Secret(error) => error.class(),
            Self::Malformed(_) => ErrorClass::Configuration,
        }
    }
}

impl KeyRing {
    pub fn new(secret: ClientSecret, clock: Arc<dyn Clock>) -> Self {
        Self { secret, clock, known: Mutex::default() }
    }

    /// The keys, read again once the cached ones are older than `KEY_CACHE_TIME`. If that fails,
    /// the older ones are used: receivers accept a replaced key for a while.
    pub async fn keys(&self) -> Result<WebhookKeys, NoSigningKey> {
        let now = self.clock.now();
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((read, keys)) = &known
            && now.duration_since(*read) < KEY_CACHE_TIME
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
                warn!(%reason, class = reason.class().name(), "could not read the signing key");
                known.map(|(_, keys)| keys).ok_or(reason)
            }
        }
    }

    async fn read(&self) -> Result<WebhookKeys, NoSigningKey> {
        Ok(WebhookKeys::parse(self.secret.read().await?.expose_secret())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::clock::SystemClock;
    use secrecy::SecretString;

    /// The example of the specification.
    const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    #[test]
    fn the_specifications_example_gets_its_signature() {
        let keys = WebhookKeys::parse(KEY).expect("a key");
        let now = Timestamp::from_second(1_614_265_330).expect("a timestamp");
        let headers = keys.headers("msg_p5jXN8AQM9LWM0D4loKWxJek", now, br#"{"test": 2432232314}"#);
        assert_eq!(headers["webhook-id"], "msg_p5jXN8AQM9LWM0D4loKWxJek");
        assert_eq!(headers["webhook-timestamp"], "1614265330");
        let signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(headers["webhook-signature"], signature);
    }

    #[test]
    fn two_keys_give_two_signatures() {
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
    fn malformed_keys_are_refused_without_repeating_them() {
        let short = format!("{PREFIX}{}", STANDARD.encode([7; 23]));
        let long = format!("{PREFIX}{}", STANDARD.encode([7; 65]));
        for (text, error) in [
            ("  ", WebhookKeyError::None),
            ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", WebhookKeyError::NotBase64),
            ("whsec_not base64", WebhookKeyError::NotBase64),
            (short.as_str(), WebhookKeyError::Length),
            (long.as_str(), WebhookKeyError::Length),
        ] {
            assert_eq!(WebhookKeys::parse(text).err(), Some(error), "{text}");
        }
        let keys = WebhookKeys::parse(KEY).expect("a key");
        assert_eq!(format!("{keys:?}"), "WebhookKeys(1)");
    }

    fn ring(text: &str) -> KeyRing {
        KeyRing::new(ClientSecret::Given(SecretString::from(text)), Arc::new(SystemClock))
    }

    #[tokio::test]
    async fn a_secret_without_keys_is_an_error_that_hides_its_text() {
        let error = ring("not-a-key").keys().await.expect_err("no key").to_string();
        assert!(error.starts_with("no signing key"), "{error}");
        assert!(!error.contains("not-a-key"), "{error}");
    }

    #[tokio::test]
    async fn cached_keys_are_used_while_the_secret_is_unreadable() {
        let mut ring = ring("not-a-key");
        let known = WebhookKeys::parse(KEY).expect("a key");
        ring.known = Mutex::new(Some((Timestamp::UNIX_EPOCH, known)));
        assert!(ring.keys().await.is_ok());
    }
}
