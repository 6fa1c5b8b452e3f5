//! How often a caller reads an operation that has not ended.

use http::HeaderValue;

/// In seconds; the interval that Microsoft recommends (F-CHP-5).
pub(crate) const POLL_INTERVAL: HeaderValue = HeaderValue::from_static("10");
