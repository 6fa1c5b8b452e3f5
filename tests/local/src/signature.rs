//! The signatures of events and questions, as a publisher's product verifies them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use standardwebhooks::Webhook;
use uuid::Uuid;

/// A verifier with a new key, and the key for the functions' settings.
pub(crate) fn new_verifier() -> (Webhook, String) {
    let random = [Uuid::new_v4().into_bytes(), Uuid::new_v4().into_bytes()];
    let key = format!("whsec_{}", STANDARD.encode(random.concat()));
    let webhook = Webhook::new(&key).expect("32 bytes are a key");
    (webhook, key)
}
