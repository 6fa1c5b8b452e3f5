//! The settings that a seed chooses for the publisher.

use shared::domain::Verdict;

/// The publisher's settings.
#[derive(Clone, Copy, Debug, Default)]
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
}
