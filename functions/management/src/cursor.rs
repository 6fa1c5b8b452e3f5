//! The cursor from one page to the next. It is opaque to callers.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use shared::host::http::Problem;

use crate::error_code::malformed;

/// The cursor is safe in a query without further encoding.
pub(crate) fn encode(position: &str) -> String {
    URL_SAFE_NO_PAD.encode(position)
}

pub(crate) fn decode(cursor: &str) -> Result<String, Problem> {
    let position =
        URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    position.ok_or_else(not_a_cursor)
}

pub(crate) fn not_a_cursor() -> Problem {
    malformed("`next` is not a cursor of this list")
}
