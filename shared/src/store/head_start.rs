//! The time that the stream has before the sweep.

use jiff::SignedDuration;

/// How long the stream has to deliver a new event before the sweep does. If it were shorter, both
/// would send it. If it were longer, an event that the stream lost would be late.
pub const STREAM_HEAD_START: SignedDuration = SignedDuration::from_secs(120);
