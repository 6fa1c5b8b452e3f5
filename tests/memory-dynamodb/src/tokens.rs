//! The tokens that make a transaction idempotent.

use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};

use crate::refusal::Refusal;

/// How long a `ClientRequestToken` is remembered.
const TOKEN_LIVES: SignedDuration = SignedDuration::from_mins(10);

/// The transactions that were written, by their `ClientRequestToken`.
#[derive(Default)]
pub(crate) struct Tokens(BTreeMap<String, (Bytes, Timestamp)>);

impl Tokens {
    /// Whether the same request was written already. Another request with the same token is wrong.
    pub(crate) fn is_repeated(
        &mut self,
        token: &str,
        body: &Bytes,
        now: Timestamp,
    ) -> Result<bool, Refusal> {
        self.0.retain(|_, (_, at)| now.duration_since(*at) < TOKEN_LIVES);
        match self.0.get(token) {
            None => Ok(false),
            Some((written, _)) if written == body => Ok(true),
            Some(_) => Refusal::invalid("another request with the same ClientRequestToken"),
        }
    }

    pub(crate) fn remember(&mut self, token: &str, body: &Bytes, now: Timestamp) {
        self.0.insert(token.to_owned(), (body.clone(), now));
    }
}
