//! The settings that a seed chooses for the publisher.

use shared::domain::Verdict;

use crate::product::Receivers;

/// The publisher's settings.
#[derive(Clone, Copy, Debug)]
pub struct Choices {
    /// `CHANGE_POLICY=reject`.
    pub rejects: bool,
    /// `ACTIVATION=by-publisher`.
    pub by_publisher: bool,
    /// `DECISION_URL` is set, so the product decides about changes.
    pub asks: bool,
    /// `DECISION_FALLBACK`.
    pub fallback: Option<Verdict>,
    /// `CHANGE_RULES` is set.
    pub rules: bool,
    /// `LANDING_SIGN_IN=entra`.
    pub signs_in: bool,
    /// `DELIVERY_ENDPOINT` and `DELIVERY_EVENT_BUS`.
    pub receivers: Receivers,
    /// `DELIVERY_SIGNING_KEY_ARN` is set, and not `DELIVERY_SIGNING_KEY`.
    pub keys_in_secrets_manager: bool,
    /// Microsoft has customers from before the publisher's first start.
    pub has_customers: bool,
    /// `IMPORT=announce`.
    pub announces_import: bool,
    /// `DELIVERY_PARK_AFTER_DAYS`.
    pub park_after_days: u8,
}

impl Default for Choices {
    fn default() -> Self {
        Self {
            rejects: false,
            by_publisher: false,
            asks: false,
            fallback: None,
            rules: false,
            signs_in: false,
            receivers: Receivers::Endpoint,
            keys_in_secrets_manager: false,
            has_customers: false,
            announces_import: false,
            park_after_days: 7,
        }
    }
}
