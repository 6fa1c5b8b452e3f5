//! The question to the publisher's product about a change: HTTPS, signed as Standard Webhooks say.

use std::sync::Arc;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::time_limits::time_for_product;
use crate::domain::{
    Action, ChangePolicy, DecidedBy, OperationId, Record, Requested, RequestedChange, Ruling,
    Subscription, Verdict,
};
use crate::host::clock::Clock;
use crate::host::deadline;
use crate::host::error_class::ErrorClass;
use crate::host::http_client::{SendError, Transport};
use crate::host::secret::ClientSecret;
use crate::lenient::{lenient, object};
use crate::microsoft::fulfillment::Plan;
use crate::publisher::cloud_event::{Origin, origin};
use crate::publisher::standard_webhooks::{KeyRing, WebhookKeys};

/// The question's type and version. Within a version, members are only added.
const KIND: &str = "saas-fulfillment.decision.v1";

/// The largest answer, in bytes. A decision and a sentence are far smaller.
const LARGEST_ANSWER: usize = 16 * 1024;

/// The product behind `DECISION_URL`.
pub struct Product {
    url: http::Uri,
    keys: KeyRing,
    /// `DECISION_FALLBACK`.
    pub(super) fallback: Option<ChangePolicy>,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
}

/// Why there is no decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoDecision {
    /// The question can't be signed.
    NoKey,
    /// Microsoft and Entra used up the time.
    NoTime,
    NotConnected,
    /// No answer, or no complete one, within the time.
    NoAnswer,
    /// Another status than a 2xx.
    ErrorStatus,
    /// The answer holds no decision.
    Unreadable,
}

impl NoDecision {
    pub fn class(self) -> ErrorClass {
        match self {
            Self::NoKey => ErrorClass::Configuration,
            Self::NoTime => ErrorClass::MicrosoftUnavailable,
            Self::NotConnected | Self::NoAnswer | Self::ErrorStatus | Self::Unreadable => {
                ErrorClass::Product
            }
        }
    }

    /// A stable word for the log and the event.
    pub fn word(self) -> &'static str {
        match self {
            Self::NoKey => "no_signing_key",
            Self::NoTime => "no_time_left",
            Self::NotConnected => "not_connected",
            Self::NoAnswer => "no_answer",
            Self::ErrorStatus => "error_answered",
            Self::Unreadable => "no_decision_in_answer",
        }
    }
}

/// What a question to the product holds besides the change.
#[derive(Debug, Default)]
pub struct ChangeContext {
    /// The plans that the customer may change to (F-PLN-1); `None` where Microsoft does not list
    /// them in time.
    pub plans: Option<Vec<Plan>>,
}

/// What is sent to the product.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Question<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    operation_id: &'a OperationId,
    /// A later answer is ignored.
    deadline: Timestamp,
    action: &'a Action,
    /// Who wants the change, in the words of an event's cause.
    cause: Origin<'a>,
    change: &'a RequestedChange,
    subscription: &'a Subscription,
    /// The seat limits of the plan that the subscription would be on.
    #[serde(skip_serializing_if = "Option::is_none")]
    limits: Option<Limits<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    plans: Option<&'a [Plan]>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Limits<'a> {
    plan_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_quantity: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_quantity: Option<u64>,
}

impl Product {
    pub fn new(
        url: http::Uri,
        secret: ClientSecret,
        fallback: Option<ChangePolicy>,
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { url, keys: KeyRing::new(secret, clock.clone()), fallback, transport, clock }
    }

    /// Fetches the signing keys if the cached ones are too old.
    pub(super) async fn fetch_keys(&self) {
        // If this fails, `ask` tries again and reports the failure.
        let _ = self.keys.keys().await;
    }

    /// Asks. A repeated question has the same id: the operation's.
    pub(super) async fn ask(
        &self,
        current: &Record,
        requested: &Requested,
        change: &RequestedChange,
        context: &ChangeContext,
    ) -> Result<Ruling, NoDecision> {
        // Fetching the keys counts against the product's own time.
        let now = self.clock.now();
        let timeout = time_for_product(deadline::time_left(now)).ok_or(NoDecision::NoTime)?;
        let keys = deadline::with_limit(now, timeout, self.keys.keys()).await;
        let keys = keys.map_err(|_| NoDecision::NoKey)?;
        let now = self.clock.now();
        let timeout = time_for_product(deadline::time_left(now)).ok_or(NoDecision::NoTime)?;
        let question = Question {
            kind: KIND,
            operation_id: &requested.id,
            deadline: self.clock.wall_time() + timeout,
            action: &requested.action,
            cause: origin(&requested.cause),
            change,
            subscription: &current.subscription,
            limits: limits(current, change, context),
            plans: context.plans.as_deref(),
        };
        let request = self.request(&keys, &requested.id, &question);
        let answer = self.transport.send(request, timeout).await.map_err(|error| match error {
            SendError::NotConnected(_) | SendError::Unbuilt(_) | SendError::DeadlinePassed => {
                NoDecision::NotConnected
            }
            SendError::NoAnswer(_) => NoDecision::NoAnswer,
            SendError::TooLarge => NoDecision::Unreadable,
        })?;
        read(&answer)
    }

    fn request(
        &self,
        keys: &WebhookKeys,
        id: &OperationId,
        question: &Question<'_>,
    ) -> Request<Bytes> {
        let body = serde_json::to_vec(question).expect("text, numbers and maps by text are JSON");
        let mut headers = keys.headers(&id.escaped().to_string(), self.clock.wall_time(), &body);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let mut request = Request::new(Bytes::from(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.url.clone();
        *request.headers_mut() = headers;
        request
    }
}

fn limits<'a>(
    current: &'a Record,
    change: &'a RequestedChange,
    context: &ChangeContext,
) -> Option<Limits<'a>> {
    let plan_id = match change {
        RequestedChange::Plan { to, .. } => to.as_deref()?,
        RequestedChange::Seats { .. } => &current.subscription.plan_id,
    };
    let plan = Plan::find(context.plans.as_deref()?, plan_id)?;
    Some(Limits { plan_id, min_quantity: plan.min_quantity, max_quantity: plan.max_quantity })
}

/// Reads the decision from a 2xx answer, and skips members that it does not know.
fn read(answer: &Response<Bytes>) -> Result<Ruling, NoDecision> {
    #[derive(Deserialize)]
    struct Answer {
        #[serde(default, deserialize_with = "lenient")]
        decision: Option<String>,
        #[serde(default, deserialize_with = "lenient")]
        reason: Option<String>,
    }
    if !answer.status().is_success() {
        return Err(NoDecision::ErrorStatus);
    }
    let body = answer.body();
    if body.len() > LARGEST_ANSWER {
        return Err(NoDecision::Unreadable);
    }
    let answer: Answer = object(body).ok_or(NoDecision::Unreadable)?;
    let decision = answer.decision.unwrap_or_default();
    let verdict = match decision.to_ascii_lowercase().as_str() {
        "accept" => Verdict::Accept,
        "reject" => Verdict::Reject,
        _ => return Err(NoDecision::Unreadable),
    };
    Ok(Ruling::new(verdict, DecidedBy::Product, &answer.reason.unwrap_or_default()))
}

#[cfg(test)]
mod tests;
