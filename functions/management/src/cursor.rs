//! A place in a list, as callers carry it from one page to the next: nothing to look into.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use shared::http::Problem;

use crate::route::malformed;

/// The store's own place, sealed up. Safe in a query without any encoding.
pub fn seal(place: &str) -> String {
    URL_SAFE_NO_PAD.encode(place)
}

/// The place again.
pub fn open(sealed: &str) -> Result<String, Problem> {
    let opened =
        URL_SAFE_NO_PAD.decode(sealed).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    opened.ok_or_else(no_place)
}

/// Not a place in such a list.
pub fn no_place() -> Problem {
    malformed("`next` is not from a list like this one")
}
