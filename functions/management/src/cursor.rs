//! The cursor that leads callers from one page to the next. It is opaque to them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use shared::host::http::Problem;

use crate::error_code::malformed;

/// Safe in a query without any encoding.
pub(crate) fn encode(position: &str) -> String {
    URL_SAFE_NO_PAD.encode(position)
}

pub(crate) fn decode(cursor: &str) -> Result<String, Problem> {
    let position =
        URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    position.ok_or_else(not_a_cursor)
}

pub(crate) fn not_a_cursor() -> Problem {
    malformed("`next` is not from a list like this one")
}
