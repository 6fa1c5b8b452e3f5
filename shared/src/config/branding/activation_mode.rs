//! The setting `ACTIVATION`: who activates a confirmed purchase.

use std::str::FromStr;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActivationMode {
    /// The landing page activates as soon as the buyer confirms.
    OnConfirm,
    /// The publisher's product activates once it has provisioned. The confirmation is an event for
    /// it.
    ByPublisher,
}

impl FromStr for ActivationMode {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "on-confirm" => Ok(Self::OnConfirm),
            "by-publisher" => Ok(Self::ByPublisher),
            _ => Err("must be `on-confirm` or `by-publisher`"),
        }
    }
}
