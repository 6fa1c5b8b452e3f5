//! The publisher's product, asked about a change over HTTPS, signed as Standard Webhooks.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Briefing, LEAST, PATIENCE, RESERVED};
use crate::auth::ClientSecret;
use crate::deadline;
use crate::domain::{
    Action, Authority, ChangePolicy, OperationId, Record, RequestedChange, Ruling, Subscription,
    Verdict,
};
use crate::fulfillment::Plan;
use crate::lenient::{lenient, object};
use crate::operations::Requested;
use crate::outbound::{SendError, Transport};
use crate::standard_webhooks::{KeyRing, WebhookKeys};
use crate::system::System;

/// The form of the question, and its version: members are only ever added to it.
const KIND: &str = "saas-fulfillment.decision.v1";

/// A decision and a sentence. Whoever sends more sends something else.
const LARGEST_ANSWER: usize = 16 * 1024;

/// Whoever is asked about changes.
pub struct Product {
    url: http::Uri,
    keys: KeyRing,
    /// What is answered where the product isn't heard; `None`: as if there were none.
    pub(super) fallback: Option<ChangePolicy>,
    transport: Arc<dyn Transport>,
    system: Arc<dyn System>,
}

/// Why there is no decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// There is nothing to sign the question with.
    NoKey,
    /// Microsoft and Entra took the time.
    NoTime,
    /// Nobody is there.
    NotConnected,
    /// Nothing came in time, or all of it didn't.
    NoAnswer,
    /// Its answer is an error.
    Error,
    /// Its answer is no decision.
    Nonsense,
}

impl Silence {
    /// A stable word for the log and for the event.
    pub fn word(self) -> &'static str {
        match self {
            Self::NoKey => "no_signing_key",
            Self::NoTime => "no_time_left",
            Self::NotConnected => "not_connected",
            Self::NoAnswer => "no_answer",
            Self::Error => "error_answered",
            Self::Nonsense => "no_decision_in_answer",
        }
    }
}

/// What the product is asked.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Question<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    operation_id: OperationId,
    /// An answer after that is no answer.
    deadline: Timestamp,
    action: &'a Action,
    change: &'a RequestedChange,
    subscription: &'a Subscription,
    /// Of the plan the subscription would be on.
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
    /// The product at `url`, asked in messages signed with the keys that `secret` holds.
    pub fn new(
        url: http::Uri,
        secret: ClientSecret,
        fallback: Option<ChangePolicy>,
        transport: Arc<dyn Transport>,
        system: Arc<dyn System>,
    ) -> Self {
        Self { url, keys: KeyRing::new(secret, system.clone()), fallback, transport, system }
    }

    /// Fetches the signing keys if they are due, so that nobody waits for them later.
    pub(super) async fn make_ready(&self) {
        // What fails now may succeed, or fail for good, when the question is to be signed.
        let _ = self.keys.keys().await;
    }

    /// Asks. The question has the operation's id, however often it is asked.
    pub(super) async fn ask(
        &self,
        current: &Record,
        requested: &Requested,
        change: &RequestedChange,
        briefing: &Briefing,
    ) -> Result<Ruling, Silence> {
        // The key takes of the product's own time.
        let now = self.system.now();
        let timeout = patience(deadline::left(now)).ok_or(Silence::NoTime)?;
        let keys = deadline::within(now, timeout, self.keys.keys()).await;
        let keys = keys.map_err(|_| Silence::NoKey)?;
        let now = self.system.now();
        let timeout = patience(deadline::left(now)).ok_or(Silence::NoTime)?;
        let question = Question {
            kind: KIND,
            operation_id: requested.id,
            deadline: now + timeout,
            action: &requested.action,
            change,
            subscription: &current.subscription,
            limits: limits(current, change, briefing),
            plans: briefing.plans.as_deref(),
        };
        let request = self.request(&keys, requested.id, &question);
        let answer = self.transport.send(request, timeout).await.map_err(|error| match error {
            SendError::NotSent(_) => Silence::NotConnected,
            SendError::NoAnswer(_) => Silence::NoAnswer,
            SendError::TooLarge => Silence::Nonsense,
        })?;
        read(&answer)
    }

    fn request(
        &self,
        keys: &WebhookKeys,
        id: OperationId,
        question: &Question<'_>,
    ) -> Request<Bytes> {
        let body = serde_json::to_vec(question).expect("text, numbers and maps by text are JSON");
        let mut headers = keys.headers(&id.to_string(), self.system.now(), &body);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let mut request = Request::new(Bytes::from(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.url.clone();
        *request.headers_mut() = headers;
        request
    }
}

/// How long the product may take with this much left of the webhook's own time.
fn patience(left: Option<Duration>) -> Option<Duration> {
    let Some(left) = left else { return Some(PATIENCE) };
    Some(left.saturating_sub(RESERVED).min(PATIENCE)).filter(|patience| *patience >= LEAST)
}

fn limits<'a>(
    current: &'a Record,
    change: &'a RequestedChange,
    briefing: &Briefing,
) -> Option<Limits<'a>> {
    let plan_id = match change {
        RequestedChange::Plan { to, .. } => to.as_deref()?,
        RequestedChange::Seats { .. } => &current.subscription.plan_id,
    };
    let plans = briefing.plans.iter().flatten();
    let plan = plans.into_iter().find(|plan| plan.plan_id.as_deref() == Some(plan_id))?;
    Some(Limits { plan_id, min_quantity: plan.min_quantity, max_quantity: plan.max_quantity })
}

/// Only a success with a decision in it is one: whatever else stands there is skipped.
fn read(answer: &Response<Bytes>) -> Result<Ruling, Silence> {
    #[derive(Deserialize)]
    struct Answer {
        #[serde(default, deserialize_with = "lenient")]
        decision: Option<String>,
        #[serde(default, deserialize_with = "lenient")]
        reason: Option<String>,
    }
    if !answer.status().is_success() {
        return Err(Silence::Error);
    }
    let body = answer.body();
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    if body.len() > LARGEST_ANSWER {
        return Err(Silence::Nonsense);
    }
    let answer: Answer = object(body).ok_or(Silence::Nonsense)?;
    let decision = answer.decision.unwrap_or_default();
    let verdict = match decision.to_ascii_lowercase().as_str() {
        "accept" => Verdict::Accept,
        "reject" => Verdict::Reject,
        _ => return Err(Silence::Nonsense),
    };
    Ok(Ruling::new(verdict, Authority::Product, &answer.reason.unwrap_or_default()))
}

#[cfg(test)]
mod tests;
