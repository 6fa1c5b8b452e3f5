//! Who is to be authenticated.

use std::time::Duration;

use crate::host::clock::Clock;

/// Who is to be authenticated, and where.
#[derive(Clone, Copy)]
pub struct Identity<'a> {
    pub client_id: &'a str,
    /// The address that the proof is sent to. A certificate's assertion names it (F-CRED-4).
    pub token_endpoint: &'a str,
    pub clock: &'a dyn Clock,
    /// How long each request for the proof may take.
    pub timeout: Duration,
}
