//! The fulfillment API over HTTPS: how a call is sent, retried, logged and judged.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, Method};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use tracing::{error, info, warn};
use uuid::Uuid;

use super::PurchaseToken;
use super::error::{FulfillmentError, Refusal};
use super::next_link;
use super::throttle::Throttle;
use crate::host::clock::Clock;
use crate::host::correlation;
use crate::host::error_class::ErrorClass;
use crate::host::http_client::{SendError, Transport, secret_header};
use crate::host::retry::{Retries, RetryPolicy, parse_retry_after};
use crate::microsoft::entra::{AccessToken, TokenCache};

/// The only version of the API (F-GEN-2).
pub const API_VERSION: &str = "2018-08-31";

/// The characters that a query value may hold unencoded.
const QUERY_VALUE: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

#[derive(Clone, Debug)]
pub struct Endpoint {
    /// `https://marketplaceapi.microsoft.com/api`, or an emulator; no trailing slash.
    pub base: String,
    pub retry: RetryPolicy,
}

/// The HTTP adapter of [`Marketplace`](super::Marketplace). Every call passes `call`, so
/// that none can forget its version, token, tracking ids or status check.
pub struct Client {
    transport: Arc<dyn Transport>,
    endpoint: Endpoint,
    tokens: Arc<TokenCache>,
    clock: Arc<dyn Clock>,
    retries: Retries,
    throttle: Throttle,
}

pub(super) struct Call<'a> {
    /// For logs.
    name: &'static str,
    method: Method,
    /// Below `/saas/subscriptions`.
    path: String,
    query: Vec<(&'static str, &'a str)>,
    /// A query that Microsoft wrote.
    followed_query: &'a str,
    purchase_token: Option<&'a PurchaseToken>,
    body: Option<Value>,
    /// Whether the call may be sent again when its outcome is unknown (F-ERR-2).
    repeatable: bool,
    /// Whether the path names a subscription, which Microsoft may not know.
    has_id: bool,
}

impl<'a> Call<'a> {
    pub(super) fn new(name: &'static str, method: Method, path: String) -> Self {
        Self {
            name,
            method,
            path,
            query: Vec::new(),
            followed_query: "",
            purchase_token: None,
            body: None,
            repeatable: true,
            has_id: true,
        }
    }

    pub(super) fn query(mut self, name: &'static str, value: Option<&'a str>) -> Self {
        self.query.extend(value.map(|value| (name, value)));
        self
    }

    /// The page of a list after this cursor.
    pub(super) fn page(mut self, after: Option<&'a str>) -> Self {
        let Some((path, query)) = after.and_then(next_link::path_and_query) else {
            return self.query("continuationToken", after);
        };
        self.path.push_str(path);
        self.followed_query = query;
        self
    }

    pub(super) fn purchase_token(mut self, token: &'a PurchaseToken) -> Self {
        self.purchase_token = Some(token);
        self
    }

    pub(super) fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    pub(super) fn without_id(mut self) -> Self {
        self.has_id = false;
        self
    }

    pub(super) fn once(mut self) -> Self {
        self.repeatable = false;
        self
    }
}

/// A successful answer.
pub(super) struct Answer {
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Client {
    pub fn new(
        transport: Arc<dyn Transport>,
        endpoint: Endpoint,
        tokens: Arc<TokenCache>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            transport,
            endpoint,
            tokens,
            clock,
            retries: Retries::default(),
            throttle: Throttle::default(),
        }
    }

    pub(super) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// Makes a call, with retries, and with one fresh token if Microsoft refuses the cached one.
    pub(super) async fn call(&self, call: Call<'_>) -> Result<Answer, FulfillmentError> {
        let is_unanswered = AtomicBool::new(false);
        let attempt = || async {
            let token = self.tokens.get().await?;
            let answer = match self.send(&call, &token).await {
                Err(FulfillmentError::Unauthorized(status)) => {
                    warn!(
                        call = call.name,
                        status, "Microsoft refused the token; trying once with a fresh one"
                    );
                    let fresh = self.tokens.renew(&token).await?;
                    self.send(&call, &fresh).await
                }
                answer => answer,
            };
            if answer.as_ref().is_err_and(FulfillmentError::may_have_happened) {
                is_unanswered.store(true, Relaxed);
            }
            answer
        };
        let mut answer = self.retries.retry(&*self.clock, &self.endpoint.retry, attempt).await;
        if is_unanswered.load(Relaxed) {
            answer = answer.map_err(FulfillmentError::after_unanswered);
        }
        if let Err(error) = &answer
            && let class = error.class()
            && class.needs_operator()
        {
            error!(
                call = call.name, %error, class = class.name(), metric = class.metric(),
                "a call can't succeed before the settings fit Microsoft's side"
            );
        }
        answer
    }

    /// Sends one request, when no other call of this client has to wait.
    async fn send(&self, call: &Call<'_>, token: &AccessToken) -> Result<Answer, FulfillmentError> {
        let policy = &self.endpoint.retry;
        if !policy.waits_together {
            return self.send_now(call, token).await;
        }
        self.throttle.pass(&*self.clock, policy.budget).await?;
        let answer = self.send_now(call, token).await;
        self.throttle.note(&answer, self.clock.now());
        answer
    }

    /// Sends one request, and turns an unsuccessful status into an error.
    async fn send_now(
        &self,
        call: &Call<'_>,
        token: &AccessToken,
    ) -> Result<Answer, FulfillmentError> {
        let answer = self.exchange(call, token).await.map_err(|source| {
            let repeatable = call.repeatable || !source.may_have_arrived();
            FulfillmentError::Unreachable { source, repeatable }
        })?;
        let (status, headers) = (answer.status(), answer.headers());
        if status.is_success() {
            let (parts, body) = answer.into_parts();
            return Ok(Answer { headers: parts.headers, body });
        }
        let retry_after = text(headers, "retry-after")
            .and_then(|value| parse_retry_after(value, self.clock.now()));
        let refusal = Refusal::parse(status.as_u16(), answer.body());
        let error = FulfillmentError::of_status(status, refusal, retry_after, call.repeatable);
        Err(if call.has_id { error } else { error.of_fixed_path() })
    }

    /// Sends one request, and logs the exchange with the ids that Microsoft's support asks for.
    async fn exchange(
        &self,
        call: &Call<'_>,
        token: &AccessToken,
    ) -> Result<http::Response<Bytes>, SendError> {
        let request_id = self.clock.new_id();
        let correlation_id = correlation::current().unwrap_or(request_id);
        let begun = self.clock.now();
        let answer = match self.request(call, token, request_id, correlation_id) {
            Ok(request) => self.transport.send(request, self.endpoint.retry.attempt_timeout).await,
            Err(error) => Err(error),
        };
        let duration_ms = self.clock.now().duration_since(begun).as_millis() as i64;
        let answer = answer.inspect_err(|error| {
            warn!(
                call = call.name, %request_id, %correlation_id, duration_ms, %error,
                class = ErrorClass::MicrosoftUnavailable.name(), "Microsoft gave no answer"
            );
        })?;
        let status = answer.status();
        // A field that is `None` is left out of the line.
        let activity_id = text(answer.headers(), "x-ms-activityid").filter(|id| !id.is_empty());
        info!(
            call = call.name, status = status.as_u16(), %request_id, duration_ms, %correlation_id,
            activity_id, "Microsoft answered"
        );
        if !status.is_success() {
            let code = Refusal::parse(status.as_u16(), answer.body()).code;
            let code = code.as_deref().filter(|code| !code.is_empty());
            warn!(
                call = call.name, status = status.as_u16(), code, %request_id, %correlation_id,
                activity_id, "Microsoft answered with an error"
            );
        }
        Ok(answer)
    }

    fn request(
        &self,
        call: &Call<'_>,
        token: &AccessToken,
        request_id: Uuid,
        correlation_id: Uuid,
    ) -> Result<http::Request<Bytes>, SendError> {
        let mut request = http::Request::builder()
            .method(call.method.clone())
            .uri(self.url(call))
            .header(AUTHORIZATION, secret_header(&format!("Bearer {}", token.expose()))?)
            .header(CONTENT_TYPE, "application/json")
            .header("x-ms-requestid", request_id.to_string())
            .header("x-ms-correlationid", correlation_id.to_string());
        if let Some(token) = call.purchase_token {
            request = request.header("x-ms-marketplace-token", secret_header(token.expose())?);
        }
        let body = call.body.as_ref().map(Value::to_string).unwrap_or_default();
        Ok(request.body(Bytes::from(body))?)
    }

    fn url(&self, call: &Call<'_>) -> String {
        let mut url = format!(
            "{}/saas/subscriptions{}?api-version={API_VERSION}",
            self.endpoint.base, call.path
        );
        let followed = call.followed_query.split('&').filter(|pair| {
            let (name, _) = pair.split_once('=').unwrap_or((pair, ""));
            !pair.is_empty() && !name.eq_ignore_ascii_case("api-version")
        });
        for pair in followed {
            url.push_str(&format!("&{pair}"));
        }
        for (name, value) in &call.query {
            url.push_str(&format!("&{name}={}", utf8_percent_encode(value, QUERY_VALUE)));
        }
        url
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
