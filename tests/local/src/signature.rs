//! The signatures of events and questions, as a publisher's product verifies them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use standardwebhooks::{Webhook, WebhookError};
use uuid::Uuid;

/// The clock that the sender's signatures follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SenderClock {
    /// The machine's clock: an old signature is refused.
    Machine,
    /// The emulator's clock: a signature of any time is valid.
    Emulated,
}

pub(crate) struct Verifier {
    webhook: Webhook,
    clock: SenderClock,
}

impl Verifier {
    /// A verifier with a new key, and the key for the functions' settings.
    pub(crate) fn with_new_key(clock: SenderClock) -> (Self, String) {
        let random = [Uuid::new_v4().into_bytes(), Uuid::new_v4().into_bytes()];
        let key = format!("whsec_{}", STANDARD.encode(random.concat()));
        let webhook = Webhook::new(&key).expect("32 bytes are a key");
        (Self { webhook, clock }, key)
    }

    pub(crate) fn verify(&self, headers: &HeaderMap, body: &[u8]) -> Result<(), WebhookError> {
        match self.clock {
            SenderClock::Machine => self.webhook.verify(body, headers),
            SenderClock::Emulated => verify_at_any_time(&self.webhook, headers, body),
        }
    }
}

/// Verifies a signature as [`Webhook::verify`] does, but ignores how old it is.
pub fn verify_at_any_time(
    webhook: &Webhook,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<(), WebhookError> {
    let header = |name: &'static str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.ok_or(WebhookError::MissingHeader(name))
    };
    let at = header("webhook-timestamp")?.parse();
    let at = at.map_err(|_| WebhookError::InvalidTimestamp)?;
    let expected = webhook.sign(header("webhook-id")?, at, body)?;
    let mut signatures = header("webhook-signature")?.split(' ');
    signatures
        .any(|signature| signature == expected)
        .then_some(())
        .ok_or(WebhookError::InvalidSignature)
}
