//! Redirects.

use http::header::LOCATION;
use http::{HeaderValue, StatusCode};
use shared::host::http::{Response, empty};

/// Redirects a browser with 303. No origin comes from a visitor's request.
pub(crate) fn see_other(location: &str) -> Response {
    let mut response = empty(StatusCode::SEE_OTHER);
    let location = HeaderValue::try_from(location).expect("an encoded address is header text");
    response.headers_mut().insert(LOCATION, location);
    response
}
