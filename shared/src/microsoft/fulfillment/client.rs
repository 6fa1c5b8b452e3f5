//! The fulfillment API over HTTPS.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, Method, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use tracing::{info, warn};
use uuid::Uuid;

use super::error::{FulfillmentError, Refusal};
use super::wire::{self, AcceptedOperation, Acknowledgement, Plan, PlanPage, SubscriptionPage};
use super::{Marketplace, PurchaseToken};
use crate::auth::{AccessToken, TokenCache};
use crate::domain::{Observation, Operation, OperationId, Subscription, SubscriptionId};
use crate::lenient::object;
use crate::outbound::{SendError, Transport, secret_header};
use crate::retry::{RetryPolicy, parse_retry_after, retry};
use crate::system::System;
use crate::telemetry;

/// The one version of the API there is (F-GEN-2).
pub const API_VERSION: &str = "2018-08-31";

/// What a query value may hold unencoded.
const QUERY_VALUE: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Where the API is, and how patiently it is called.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// `https://marketplaceapi.microsoft.com/api`, or an emulator; no trailing slash.
    pub base: String,
    /// How often and how long.
    pub retry: RetryPolicy,
}

/// The adapter. One function sends every call, so that no call can forget its version, its token,
/// its tracking ids or the check of its status.
pub struct Client {
    transport: Arc<dyn Transport>,
    endpoint: Endpoint,
    tokens: Arc<TokenCache>,
    system: Arc<dyn System>,
}

/// One call of the API.
struct Call<'a> {
    /// Its name, for logs.
    name: &'static str,
    method: Method,
    /// Below `/saas/subscriptions`.
    path: String,
    query: Vec<(&'static str, &'a str)>,
    purchase_token: Option<&'a PurchaseToken>,
    body: Option<Value>,
    /// Whether a call whose fate isn't known may be sent again (F-ERR-2).
    repeatable: bool,
}

impl<'a> Call<'a> {
    fn new(name: &'static str, method: Method, path: String) -> Self {
        Self {
            name,
            method,
            path,
            query: Vec::new(),
            purchase_token: None,
            body: None,
            repeatable: true,
        }
    }

    fn query(mut self, name: &'static str, value: Option<&'a str>) -> Self {
        self.query.extend(value.map(|value| (name, value)));
        self
    }

    fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    fn once(mut self) -> Self {
        self.repeatable = false;
        self
    }
}

struct Answer {
    headers: HeaderMap,
    body: Bytes,
}

impl Client {
    /// A client for `endpoint` that identifies itself with `tokens`.
    pub fn new(
        transport: Arc<dyn Transport>,
        endpoint: Endpoint,
        tokens: Arc<TokenCache>,
        system: Arc<dyn System>,
    ) -> Self {
        Self { transport, endpoint, tokens, system }
    }

    async fn call(&self, call: Call<'_>) -> Result<Answer, FulfillmentError> {
        retry(&*self.system, &self.endpoint.retry, || async {
            let token = self.tokens.get().await?;
            match self.send(&call, &token).await {
                Err(FulfillmentError::Unauthorized(status)) => {
                    warn!(
                        call = call.name,
                        status, "Microsoft refused the token; trying once with a fresh one"
                    );
                    let fresh = self.tokens.renew(&token).await?;
                    self.send(&call, &fresh).await
                }
                answer => answer,
            }
        })
        .await
    }

    /// Sends one request, and checks the answer's status.
    async fn send(&self, call: &Call<'_>, token: &AccessToken) -> Result<Answer, FulfillmentError> {
        let request_id = self.system.new_id();
        let correlation_id = telemetry::correlation_id().unwrap_or(request_id);
        let begun = self.system.now();
        let answer = match self.request(call, token, request_id, correlation_id) {
            Ok(request) => self.transport.send(request, self.endpoint.retry.attempt_timeout).await,
            Err(error) => Err(error),
        };
        let duration_ms = self.system.now().duration_since(begun).as_millis() as i64;
        let (status, headers, body) = match answer {
            Ok(answer) => {
                let (parts, body) = answer.into_parts();
                (parts.status, parts.headers, body)
            }
            Err(error) => {
                warn!(
                    call = call.name, %request_id, %correlation_id, duration_ms, %error,
                    "Microsoft gave no answer"
                );
                return Err(FulfillmentError::Unavailable {
                    repeatable: call.repeatable || matches!(error, SendError::NotSent(_)),
                    reason: error.to_string(),
                    retry_after: None,
                });
            }
        };
        let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
        info!(
            call = call.name, status = status.as_u16(), %request_id, duration_ms,
            %correlation_id, activity_id = header("x-ms-activityid").unwrap_or_default(),
            "Microsoft answered"
        );
        if status.is_success() {
            return Ok(Answer { headers, body });
        }
        let retry_after =
            header("retry-after").and_then(|value| parse_retry_after(value, self.system.now()));
        let refusal = Refusal::parse(status.as_u16(), &body);
        warn!(
            call = call.name, status = status.as_u16(), code = refusal.code.as_deref().unwrap_or_default(),
            %request_id, %correlation_id, activity_id = header("x-ms-activityid").unwrap_or_default(),
            "Microsoft answered with an error"
        );
        Err(match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                FulfillmentError::Unauthorized(status.as_u16())
            }
            StatusCode::NOT_FOUND => FulfillmentError::NotFound(refusal),
            StatusCode::CONFLICT => FulfillmentError::Conflict(refusal),
            StatusCode::TOO_MANY_REQUESTS => FulfillmentError::Unavailable {
                reason: refusal.to_string(),
                retry_after,
                // Throttled means not carried out.
                repeatable: true,
            },
            StatusCode::REQUEST_TIMEOUT => FulfillmentError::Unavailable {
                reason: refusal.to_string(),
                retry_after,
                repeatable: call.repeatable,
            },
            status if status.is_client_error() => FulfillmentError::Refused(refusal),
            _ => FulfillmentError::Unavailable {
                reason: refusal.to_string(),
                retry_after,
                repeatable: call.repeatable,
            },
        })
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
        for (name, value) in &call.query {
            url.push_str(&format!("&{name}={}", utf8_percent_encode(value, QUERY_VALUE)));
        }
        url
    }

    async fn update(
        &self,
        name: &'static str,
        id: SubscriptionId,
        body: Value,
    ) -> Result<AcceptedOperation, FulfillmentError> {
        let call = Call::new(name, Method::PATCH, format!("/{id}")).body(body).once();
        self.call(call).await.map(|answer| accepted(&answer))
    }
}

fn accepted(answer: &Answer) -> AcceptedOperation {
    let header = |name| answer.headers.get(name).and_then(|value| value.to_str().ok());
    wire::accepted(header("operation-id"), header("operation-location"))
}

/// No such operation is said with 404 or with 400 (F-OPG-3, F-OPU-3).
fn or_not_found(error: FulfillmentError) -> FulfillmentError {
    match error {
        FulfillmentError::Refused(refusal) if refusal.status == 400 => {
            FulfillmentError::NotFound(refusal)
        }
        error => error,
    }
}

#[async_trait]
impl Marketplace for Client {
    async fn resolve(&self, token: &PurchaseToken) -> Result<Observation, FulfillmentError> {
        let read_at = self.system.now();
        let mut call = Call::new("resolve", Method::POST, "/resolve".to_owned());
        call.purchase_token = Some(token);
        let answer = self.call(call).await?;
        let resolved =
            wire::resolved(&answer.body).ok_or(FulfillmentError::Malformed("resolve"))?;
        match (resolved.status(), resolved.id()) {
            (Some(_), _) | (None, None) => Ok(resolved.read_at(read_at)),
            // The contract before 2020 named the purchase, and no more (F-RES-6).
            (None, Some(id)) => self.get_subscription(id).await,
        }
    }

    async fn activate(&self, subscription: &Subscription) -> Result<(), FulfillmentError> {
        // The sources disagree about the body; this satisfies all of them (F-ACT-2).
        let mut body = json!({ "planId": subscription.plan_id });
        if let Some(quantity) = subscription.quantity {
            body["quantity"] = json!(quantity);
        }
        let path = format!("/{}/activate", subscription.id);
        self.call(Call::new("activate", Method::POST, path).body(body)).await?;
        Ok(())
    }

    async fn list_subscriptions(
        &self,
        after: Option<&str>,
    ) -> Result<SubscriptionPage, FulfillmentError> {
        let call = Call::new("list_subscriptions", Method::GET, String::new())
            .query("continuationToken", after);
        let read_at = self.system.now();
        let answer = self.call(call).await?;
        SubscriptionPage::parse(&answer.body)
            .map(|page| page.read_at(read_at))
            .ok_or(FulfillmentError::Malformed("list_subscriptions"))
    }

    async fn get_subscription(&self, id: SubscriptionId) -> Result<Observation, FulfillmentError> {
        let read_at = self.system.now();
        let answer =
            self.call(Call::new("get_subscription", Method::GET, format!("/{id}"))).await?;
        let observation: Observation =
            object(&answer.body).ok_or(FulfillmentError::Malformed("get_subscription"))?;
        if observation.id().is_some_and(|answered| answered != id) {
            return Err(FulfillmentError::Malformed("get_subscription: another subscription's id"));
        }
        // Without a status nothing was said that anybody could go by.
        if observation.status().is_none() {
            return Err(FulfillmentError::Malformed("get_subscription: no status"));
        }
        Ok(observation.of(id).read_at(read_at))
    }

    async fn list_available_plans(
        &self,
        id: SubscriptionId,
        plan_id: Option<&str>,
    ) -> Result<Vec<Plan>, FulfillmentError> {
        let call =
            Call::new("list_available_plans", Method::GET, format!("/{id}/listAvailablePlans"))
                .query("planId", plan_id);
        let answer = self.call(call).await?;
        let page: PlanPage = wire::parse_or_empty(&answer.body)
            .ok_or(FulfillmentError::Malformed("list_available_plans"))?;
        Ok(page.plans.unwrap_or_default())
    }

    async fn change_plan(
        &self,
        id: SubscriptionId,
        plan_id: &str,
    ) -> Result<AcceptedOperation, FulfillmentError> {
        self.update("change_plan", id, json!({ "planId": plan_id })).await
    }

    async fn change_quantity(
        &self,
        id: SubscriptionId,
        quantity: u64,
    ) -> Result<AcceptedOperation, FulfillmentError> {
        self.update("change_quantity", id, json!({ "quantity": quantity })).await
    }

    async fn cancel(&self, id: SubscriptionId) -> Result<AcceptedOperation, FulfillmentError> {
        let call = Call::new("cancel", Method::DELETE, format!("/{id}")).once();
        self.call(call).await.map(|answer| accepted(&answer))
    }

    async fn list_operations(
        &self,
        id: SubscriptionId,
    ) -> Result<Vec<Operation>, FulfillmentError> {
        let call = Call::new("list_operations", Method::GET, format!("/{id}/operations"));
        let answer = self.call(call).await?;
        wire::operations(&answer.body).ok_or(FulfillmentError::Malformed("list_operations"))
    }

    async fn get_operation(
        &self,
        id: SubscriptionId,
        operation: OperationId,
    ) -> Result<Operation, FulfillmentError> {
        let call = Call::new("get_operation", Method::GET, format!("/{id}/operations/{operation}"));
        let answer = self.call(call).await.map_err(or_not_found)?;
        let mut found =
            wire::operation(&answer.body).ok_or(FulfillmentError::Malformed("get_operation"))?;
        if !found.is(id, operation) {
            return Err(FulfillmentError::Malformed("get_operation: another operation's id"));
        }
        // Without an action it confirms nothing, and contradicts nothing either.
        if found.action.is_none() {
            return Err(FulfillmentError::Malformed("get_operation: no action"));
        }
        found.id = Some(operation.0);
        Ok(found)
    }

    async fn update_operation(
        &self,
        id: SubscriptionId,
        operation: OperationId,
        acknowledgement: Acknowledgement,
    ) -> Result<(), FulfillmentError> {
        let call =
            Call::new("update_operation", Method::PATCH, format!("/{id}/operations/{operation}"))
                .body(json!({ "status": acknowledgement.as_str() }));
        self.call(call).await.map_err(or_not_found)?;
        Ok(())
    }
}
