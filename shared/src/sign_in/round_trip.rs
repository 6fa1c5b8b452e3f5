//! The content of the round trip's cookie: what Entra's answer is checked against, and what the visitor
//! came with.
//!
//! Browsers still hold cookies of earlier versions. Members are only added, and never renamed.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Time to pick an account, type a password and confirm on a phone. With a longer time, a sign-in
/// page that was left open can be completed that much later.
pub(super) const ROUND_TRIP_TIME: Duration = Duration::from_mins(15);

/// Entra's answer is checked against these values.
#[derive(Serialize, Deserialize)]
pub struct RoundTrip<C> {
    pub(super) state: String,
    pub(super) nonce: String,
    /// For PKCE.
    pub(super) verifier: String,
    /// What the visitor came with.
    #[serde(flatten)]
    pub(super) carried: C,
    /// The directory that alone may answer; `None`: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) tenant: Option<Uuid>,
    pub(super) expires: Timestamp,
}
