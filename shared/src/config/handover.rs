//! The key that signs handovers to the publisher's own sign-up page.

use super::Dependencies;
use super::branding::Branding;
use super::secret::SecretNames;
use crate::host::environment::{ConfigError, Environment};
use crate::publisher::standard_webhooks::KeyRing;

const KEYS: SecretNames = SecretNames {
    secret: "HANDOVER_SIGNING_KEY",
    arn: "HANDOVER_SIGNING_KEY_ARN",
    purpose: "the key that signs handovers to the publisher's own sign-up page, `whsec_` and base64; \
              or HANDOVER_SIGNING_KEY_ARN, where Secrets Manager keeps it",
};

/// `None` where there is no key. The table may still name a sign-up page later, so the key is read wherever
/// there may be one; `is_needed` if the settings name such a page.
pub fn handover_keys(
    environment: &Environment,
    dependencies: &Dependencies,
    is_needed: bool,
) -> Result<Option<KeyRing>, ConfigError> {
    KEYS.mention(environment);
    if !is_needed && !KEYS.may_be_read(environment) {
        return Ok(None);
    }
    let keys = KEYS.read_signing_keys(environment, &dependencies.transport)?;
    Ok(Some(KeyRing::new(keys, dependencies.clock.clone())))
}

impl Branding {
    /// Whether buyers of some offer go on to a sign-up page of the publisher's.
    pub fn hands_over(&self) -> bool {
        self.sign_up.is_some() || self.offers.iter().any(|(_, offer)| offer.sign_up.is_some())
    }
}
