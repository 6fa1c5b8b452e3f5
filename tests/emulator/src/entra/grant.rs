//! An authorization code's meaning.

use crate::people::Person;
use jiff::Timestamp;

/// What a person's sign-in grants to the application that redeems the code.
#[derive(Debug)]
pub(super) struct Grant {
    /// The application that the person signed in to.
    pub(super) client_id: String,
    pub(super) person: Person,
    pub(super) redirect_uri: String,
    pub(super) challenge: Option<String>,
    pub(super) nonce: Option<String>,
    pub(super) scope: String,
    pub(super) expires: Timestamp,
    pub(super) redeemed: bool,
}
