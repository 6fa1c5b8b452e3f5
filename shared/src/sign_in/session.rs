//! Sessions: what the pages of all sites have in common.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// How long a session lasts. After that the page redirects to Entra, which usually still knows the
/// person and asks for nothing.
pub const SESSION_TIME: Duration = Duration::from_hours(1);

/// The content of a session's cookie.
///
/// Browsers still hold cookies of earlier versions. Members are only added, and never renamed.
pub trait Session: Serialize + DeserializeOwned {
    /// From then on, nobody is signed in with it.
    fn expires(&self) -> Timestamp;
}

/// The visitor, as the session's cookie says.
pub enum Visitor<S> {
    SignedIn(S),
    /// The session has expired.
    SignedOut(S),
    /// There is no cookie that we can open.
    Unknown,
}
