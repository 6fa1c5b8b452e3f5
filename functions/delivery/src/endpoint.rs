//! The publisher's HTTPS endpoint, told as Standard Webhooks says.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use jiff::Timestamp;
use shared::cloudevent::{CloudEvent, MEDIA_TYPE};
use shared::config::EndpointSettings;
use shared::outbound::{SendError, Transport};
use shared::retry::parse_retry_after;
use shared::standard_webhooks::{KeyRing, WebhookKeys};
use shared::store::Target;
use shared::system::System;

use crate::channel::{Again, Channel, Untaken};

/// A receiver that takes longer to say "taken" has to take it first and work on it afterwards.
const TIMEOUT: Duration = Duration::from_secs(10);

pub(crate) struct Endpoint {
    url: http::Uri,
    keys: KeyRing,
    transport: Arc<dyn Transport>,
    system: Arc<dyn System>,
}

impl Endpoint {
    pub fn new(settings: EndpointSettings, system: Arc<dyn System>) -> Self {
        let EndpointSettings { url, keys, transport } = settings;
        Self { url, keys: KeyRing::new(keys, system.clone()), transport, system }
    }

    /// The event, signed for this attempt.
    fn request(&self, keys: &WebhookKeys, event: &CloudEvent<'_>) -> Request<Bytes> {
        let body = Bytes::from(event.to_json());
        let mut headers = keys.headers(&event.id, self.system.now(), &body);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        let mut request = Request::new(body);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.url.clone();
        *request.headers_mut() = headers;
        request
    }
}

#[async_trait]
impl Channel for Endpoint {
    fn target(&self) -> Target {
        Target::Endpoint
    }

    async fn send(&self, event: &CloudEvent<'_>) -> Result<(), Untaken> {
        let keys = self.keys.keys().await.map_err(|error| Untaken::soon(error.to_string()))?;
        let request = self.request(&keys, event);
        let answer = self.transport.send(request, TIMEOUT).await.map_err(unanswered)?;
        judge(answer.status(), answer.headers(), self.system.now())
    }
}

/// The error's own text may tell of addresses; these words don't.
fn unanswered(error: SendError) -> Untaken {
    Untaken::soon(match error {
        SendError::NotSent(_) => "not connected",
        SendError::NoAnswer(_) => "no answer",
        SendError::TooLarge => "the answer is too large",
    })
}

/// Only a 2xx means that an event was taken; a redirect is followed nowhere, since whoever stands at
/// its end was not configured.
fn judge(status: StatusCode, headers: &HeaderMap, now: Timestamp) -> Result<(), Untaken> {
    if status.is_success() {
        return Ok(());
    }
    let asked = || parse_retry_after(headers.get(RETRY_AFTER)?.to_str().ok()?, now);
    let again = match status {
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            asked().map_or(Again::Soon, Again::After)
        }
        StatusCode::GONE => Again::Late,
        _ => Again::Soon,
    };
    Err(Untaken { reason: format!("answered {}", status.as_u16()), again })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: u16, retry_after: Option<&str>) -> Result<(), Again> {
        let mut headers = HeaderMap::new();
        if let Some(value) = retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from_str(value).expect("header text"));
        }
        let status = StatusCode::from_u16(status).expect("a status");
        judge(status, &headers, Timestamp::UNIX_EPOCH).map_err(|untaken| untaken.again)
    }

    #[test]
    fn nothing_but_success_means_taken() {
        for status in [200, 201, 202, 204] {
            assert_eq!(judged(status, None), Ok(()), "{status}");
        }
        for status in [301, 302, 307, 308, 400, 401, 404, 409, 422, 429, 500, 502, 503, 504] {
            assert_eq!(judged(status, None), Err(Again::Soon), "{status}");
        }
        assert_eq!(judged(410, None), Err(Again::Late));
    }

    #[test]
    fn whoever_is_overloaded_is_left_alone_for_as_long_as_it_asks() {
        let after = |seconds| Err(Again::After(Duration::from_secs(seconds)));
        assert_eq!(judged(429, Some("120")), after(120));
        assert_eq!(judged(503, Some("Thu, 01 Jan 1970 00:10:00 GMT")), after(600));
        assert_eq!(judged(429, Some("later")), Err(Again::Soon), "a word is no time");
        assert_eq!(judged(500, Some("120")), Err(Again::Soon), "broken isn't overloaded");
    }
}
