//! The publisher's HTTPS endpoint, called as the Standard Webhooks specification says.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use jiff::{SignedDuration, Timestamp};
use shared::config::EndpointSettings;
use shared::host::clock::Clock;
use shared::host::http_client::{SendError, Transport};
use shared::host::retry::parse_retry_after;
use shared::publisher::cloud_event::{CloudEvent, MEDIA_TYPE};
use shared::publisher::standard_webhooks::{KeyRing, NoSigningKey, WebhookKeys};
use shared::store::SentRequest;

use crate::receiver::{DeliveryError, Receiver, RetryAfter, Sent};

/// How long the endpoint may take until its status line and headers are here. Slow work belongs
/// after the answer.
const TIMEOUT: Duration = Duration::from_secs(10);

pub(crate) struct Endpoint {
    url: http::Uri,
    keys: KeyRing,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
}

impl Endpoint {
    pub(crate) fn new(settings: EndpointSettings, clock: Arc<dyn Clock>) -> Self {
        let EndpointSettings { url, keys, transport, .. } = settings;
        Self { url, keys: KeyRing::new(keys, clock.clone()), transport, clock }
    }

    /// The event, signed for this attempt.
    fn request(&self, keys: &WebhookKeys, event: &CloudEvent<'_>) -> Request<Bytes> {
        let body = Bytes::from(event.to_json());
        let mut headers = keys.headers(&event.id, self.clock.wall_time(), &body);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        let mut request = Request::new(body);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.url.clone();
        *request.headers_mut() = headers;
        request
    }
}

#[async_trait]
impl Receiver for Endpoint {
    async fn send(&self, event: &CloudEvent<'_>) -> Sent {
        let keys = match self.keys.keys().await {
            Ok(keys) => keys,
            Err(error) => return Sent::unanswered(Err(unsigned(&error)), SignedDuration::ZERO),
        };
        let request = self.request(&keys, event);
        let shown = event.is_test().then(|| shown(&request));
        let begun = self.clock.now();
        let answer = self.transport.send_for_head(request, TIMEOUT).await;
        let latency = self.clock.now().duration_since(begun);
        let (head, body) = match answer {
            Ok(answer) => answer.into_parts(),
            Err(error) => {
                let sent = Sent::unanswered(Err(unanswered(error)), latency);
                return Sent { request: shown, ..sent };
            }
        };
        Sent {
            outcome: judge(head.status, &head.headers, self.clock.wall_time()),
            status: Some(head.status),
            latency,
            body: Some(body),
            request: shown,
        }
    }
}

/// What people may see of a request. The signature holds for this message alone, and for minutes.
fn shown(request: &Request<Bytes>) -> SentRequest {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = request.headers().iter();
    SentRequest {
        headers: headers.map(|(name, value)| (name.to_string(), text(value))).collect(),
        body: String::from_utf8_lossy(request.body()).into_owned(),
    }
}

fn unsigned(error: &NoSigningKey) -> DeliveryError {
    DeliveryError::of_class(error.class(), error.to_string())
}

/// The error in our own words: its text may contain addresses.
fn unanswered(error: SendError) -> DeliveryError {
    DeliveryError::new(match error {
        SendError::NotConnected(_) | SendError::Unbuilt(_) | SendError::DeadlinePassed => {
            "not connected"
        }
        SendError::NoAnswer(_) => "no answer",
        SendError::TooLarge => "the answer is too large",
    })
}

/// Only a 2xx means that the endpoint accepted the event. We follow no redirect, since it leads to
/// an address that the publisher did not configure.
fn judge(status: StatusCode, headers: &HeaderMap, now: Timestamp) -> Result<(), DeliveryError> {
    if status.is_success() {
        return Ok(());
    }
    let asked = || parse_retry_after(headers.get(RETRY_AFTER)?.to_str().ok()?, now);
    let retry = match status {
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            asked().map_or(RetryAfter::BackOff, RetryAfter::AtLeast)
        }
        StatusCode::GONE => RetryAfter::LongestPause,
        _ => RetryAfter::BackOff,
    };
    let error = DeliveryError::new(format!("answered {}", status.as_u16()));
    Err(DeliveryError { retry, ..error })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: u16, retry_after: Option<&str>) -> Result<(), RetryAfter> {
        let mut headers = HeaderMap::new();
        if let Some(value) = retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from_str(value).expect("header text"));
        }
        let status = StatusCode::from_u16(status).expect("a status");
        judge(status, &headers, Timestamp::UNIX_EPOCH).map_err(|error| error.retry)
    }

    #[test]
    fn only_a_2xx_means_accepted() {
        for status in [200, 201, 202, 204] {
            assert_eq!(judged(status, None), Ok(()), "{status}");
        }
        for status in [301, 302, 307, 308, 400, 401, 404, 409, 422, 429, 500, 502, 503, 504] {
            assert_eq!(judged(status, None), Err(RetryAfter::BackOff), "{status}");
        }
        assert_eq!(judged(410, None), Err(RetryAfter::LongestPause));
    }

    #[test]
    fn an_overloaded_endpoint_gets_the_pause_it_asks_for() {
        let after = |seconds| Err(RetryAfter::AtLeast(Duration::from_secs(seconds)));
        assert_eq!(judged(429, Some("120")), after(120));
        assert_eq!(judged(503, Some("Thu, 01 Jan 1970 00:10:00 GMT")), after(600));
        assert_eq!(judged(429, Some("later")), Err(RetryAfter::BackOff), "not a time");
        assert_eq!(judged(500, Some("120")), Err(RetryAfter::BackOff), "broken, not overloaded");
    }
}
