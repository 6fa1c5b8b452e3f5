//! The headers that keep other sites from framing, opening, reading or scripting a page.

use crate::host::http::Response;
use crate::host::origin::Origin;
use http::HeaderValue;
use http::header::{
    CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};

const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");

/// The page asks for none of these, so no script that came in against the rules may.
const NO_PERMISSIONS: &str = "camera=(), display-capture=(), geolocation=(), microphone=(), \
                              payment=(), publickey-credentials-get=(), usb=()";

/// A year. Browsers then refuse plain HTTP at this host. Subdomains may be another team's.
const HTTPS_ONLY: &str = "max-age=31536000";

/// The headers of every answer.
pub struct SecurityHeaders(Vec<(HeaderName, HeaderValue)>);

impl SecurityHeaders {
    /// `origin` is `None` behind a gateway, which is served over HTTPS. `policy` is the content
    /// security policy of pages.
    pub fn new(origin: Option<&Origin>, policy: HeaderValue) -> Self {
        let fixed = |name, value| (name, HeaderValue::from_static(value));
        let mut headers = vec![
            (CONTENT_SECURITY_POLICY, policy),
            fixed(REFERRER_POLICY, "no-referrer"),
            fixed(X_CONTENT_TYPE_OPTIONS, "nosniff"),
            fixed(X_FRAME_OPTIONS, "DENY"),
            fixed(OPENER_POLICY, "same-origin"),
            fixed(RESOURCE_POLICY, "same-origin"),
            fixed(PERMISSIONS_POLICY, NO_PERMISSIONS),
        ];
        // At `localhost`, the rule would bind every other server of the developer.
        if origin.is_none_or(|origin| origin.is_https() && !origin.is_loopback()) {
            headers.push(fixed(STRICT_TRANSPORT_SECURITY, HTTPS_ONLY));
        }
        Self(headers)
    }

    /// Adds the headers, except those that the answer has already.
    pub fn protect(&self, mut response: Response) -> Response {
        for (name, value) in &self.0 {
            response.headers_mut().entry(name).or_insert_with(|| value.clone());
        }
        response
    }
}
