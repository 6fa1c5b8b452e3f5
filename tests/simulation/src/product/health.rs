//! An endpoint of the product, as it answers.

use http::StatusCode;

/// Where it receives events.
pub(crate) const EVENTS: &str = "https://product.sim/events";

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Health {
    #[default]
    Healthy,
    /// It answers with 500.
    Broken,
    /// It answers with 503 and `Retry-After`.
    Overloaded,
    /// It answers with 410.
    Gone,
    /// It answers with 200, but gives no decision.
    Confused,
}

impl Health {
    pub const ALL: [Self; 5] =
        [Self::Healthy, Self::Broken, Self::Overloaded, Self::Gone, Self::Confused];

    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::Healthy | Self::Confused => StatusCode::OK,
            Self::Broken => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
            Self::Gone => StatusCode::GONE,
        }
    }
}
