//! Microsoft reports a change: verify, ask Microsoft, decide, acknowledge, record, answer.
//!
//! | answer | means |
//! |---|---|
//! | 200 | received and dealt with, or nothing to deal with |
//! | 400 | a requested change is rejected, on purpose |
//! | 401 | not Microsoft |
//! | 5xx | our own fault, or not known yet: Microsoft repeats the call |
//!
//! Microsoft reads a 4xx on a change as the publisher's "no" (F-WHA-13), so nothing technical ever
//! leaves as one.

mod claim;

use std::sync::Arc;

use async_trait::async_trait;
use http::{Method, StatusCode};
use shared::auth::{Refused, WebhookTokenVerifier, bearer_token};
use shared::config::{ConfigError, Environment, Foundation};
use shared::decision::Changes;
use shared::domain::{Action, Cause, Operation, OperationId, Record, Staleness, Status};
use shared::fulfillment::{FulfillmentError, Marketplace};
use shared::http::{Handler, Problem, Request, Response, empty};
use shared::operations::{AnswerError, Operations, Requested, is_recent, proven_by};
use shared::retry::RetryPolicy;
use shared::store::{Mark, Outcome, Store, StoreError};
use shared::system::System;
use shared::{commit, deadline, telemetry};
use tracing::field::{Empty, display};
use tracing::{Span, error, info, info_span, warn};

pub use claim::{Claim, Unreadable};

/// Real bodies are around two kilobytes (F-WHP-9).
const LARGEST_BODY: usize = 64 * 1024;

/// What the webhook may touch.
pub struct Webhook {
    verifier: WebhookTokenVerifier,
    marketplace: Arc<dyn Marketplace>,
    store: Arc<dyn Store>,
    system: Arc<dyn System>,
    operations: Operations,
}

/// Why a call isn't answered with 200.
enum Failure {
    /// A requested change is rejected, on purpose.
    Rejected,
    /// Not Microsoft.
    NotMicrosoft(&'static str),
    /// Our own fault, or not known yet.
    NotNow(String),
}

impl Webhook {
    /// The function as its settings describe it.
    pub fn from_environment(environment: &Environment) -> Result<Self, ConfigError> {
        let foundation = Foundation::read(environment)?;
        Self::new(environment, &foundation)
    }

    /// The function on a given foundation.
    pub fn new(environment: &Environment, foundation: &Foundation) -> Result<Self, ConfigError> {
        let changes = Changes::read(environment, foundation)?;
        let retry = RetryPolicy::WITHIN_WEBHOOK;
        let Foundation { microsoft, store, system } = foundation;
        let marketplace = microsoft.marketplace(retry, system.clone());
        Ok(Self {
            verifier: microsoft.webhook_verifier(retry, system.clone()),
            marketplace: marketplace.clone(),
            store: store.clone(),
            system: system.clone(),
            operations: Operations {
                marketplace,
                store: store.clone(),
                system: system.clone(),
                changes,
            },
        })
    }

    async fn respond(&self, request: &Request) -> Response {
        match self.receive(request).await {
            Ok(()) => empty(StatusCode::OK),
            Err(Failure::Rejected) => Problem::new(
                StatusCode::BAD_REQUEST,
                "rejected",
                "the publisher rejects this change",
            )
            .into(),
            Err(Failure::NotMicrosoft(reason)) => {
                warn!(reason, metric = "refused_caller", "refused a call of the webhook");
                let mut response: Response = Problem::new(
                    StatusCode::UNAUTHORIZED,
                    "unauthorized",
                    "a token of Microsoft's marketplace for this publisher is required",
                )
                .into();
                let challenge = http::HeaderValue::from_static("Bearer");
                response.headers_mut().insert(http::header::WWW_AUTHENTICATE, challenge);
                response
            }
            Err(Failure::NotNow(reason)) => {
                error!(
                    reason,
                    "a call of the webhook could not be dealt with; Microsoft repeats it"
                );
                Problem::unavailable().into()
            }
        }
    }

    async fn receive(&self, request: &Request) -> Result<(), Failure> {
        let claim = self.authenticate(request).await?;
        let span = Span::current();
        span.record("subscription.id", display(claim.subscription));
        span.record("operation.id", claim.operation.map(display));
        span.record("action", loggable(&claim.action));
        self.act(&claim).await
    }

    /// Nobody's body is read before its sender has proved to be Microsoft.
    async fn authenticate(&self, request: &Request) -> Result<Claim, Failure> {
        let caller =
            self.verifier.verify(bearer_token(request.headers())?, self.system.now()).await?;
        if request.body().len() > LARGEST_BODY {
            return Err(Failure::NotNow(format!("a body of {} bytes", request.body().len())));
        }
        Claim::parse(request.body()).map_err(|unreadable| {
            Failure::NotNow(format!("{unreadable:?} in a body from app {}", caller.app_id))
        })
    }

    async fn act(&self, claim: &Claim) -> Result<(), Failure> {
        match (&claim.action, claim.operation) {
            (Action::ChangePlan | Action::ChangeQuantity, Some(id)) => self.change(claim, id).await,
            (Action::Reinstate, Some(id)) => self.reinstate(claim, id).await,
            // Without an operation's id nothing is applied on the strength of the call; it's a hint
            // to look at the subscription (F-WHP-6).
            (Action::ChangePlan | Action::ChangeQuantity | Action::Reinstate, None) => {
                self.look(claim).await
            }
            (
                Action::Subscribe | Action::Renew | Action::Suspend | Action::Unsubscribe,
                Some(id),
            ) => self.notice(claim, id).await,
            (Action::Subscribe | Action::Renew | Action::Suspend | Action::Unsubscribe, None) => {
                self.look(claim).await
            }
            (Action::Other(_), _) => {
                // F-WHA-9. An error line, since somebody should look up what the word means.
                error!(
                    action = loggable(&claim.action),
                    metric = "unknown_action",
                    "Microsoft sent an action this program doesn't know"
                );
                Ok(())
            }
        }
    }

    /// A plan or seat change waits for our answer: ten seconds (F-WHA-3, F-WHA-4, F-WHA-10).
    async fn change(&self, claim: &Claim, id: OperationId) -> Result<(), Failure> {
        let (operation, loaded, briefing) = tokio::join!(
            self.marketplace.get_operation(claim.subscription, id),
            self.store.load_with_mark(claim.subscription, id),
            self.operations.brief(claim.subscription),
        );
        let (current, mark) = loaded?;
        if let Some(mark) = mark {
            return answered_before(&mark);
        }
        let Some(operation) = self.confirmed(claim, operation)? else { return Ok(()) };
        let requested = requested(claim, id, operation);
        match self.operations.answer(&requested, current, &briefing).await {
            Ok(outcome) => answer(outcome),
            Err(failed) => self.failed(&requested, failed).await,
        }
    }

    /// Access is to come back (F-WHA-7).
    async fn reinstate(&self, claim: &Claim, id: OperationId) -> Result<(), Failure> {
        let (operation, observed, loaded) = tokio::join!(
            self.marketplace.get_operation(claim.subscription, id),
            self.marketplace.get_subscription(claim.subscription),
            self.store.load_with_mark(claim.subscription, id),
        );
        let (current, mark) = loaded?;
        if let Some(mark) = mark {
            return answered_before(&mark);
        }
        let observed = match observed {
            Err(FulfillmentError::NotFound(_)) => return unknown_subscription(),
            observed => observed?,
        };
        let operation = self.confirmed(claim, operation)?;
        let requested = requested(claim, id, operation.clone().unwrap_or_default());
        match self.operations.reinstate(&requested, operation.as_ref(), observed, current).await {
            Ok(Some(_)) => Ok(()),
            Ok(None) => {
                warn!(
                    metric = "unconfirmed_call",
                    "nothing confirms the reinstatement; nothing was done"
                );
                Ok(())
            }
            Err(failed) => self.failed(&requested, failed).await,
        }
    }

    /// Something has happened already; the subscription says what (F-WHS-3).
    async fn notice(&self, claim: &Claim, id: OperationId) -> Result<(), Failure> {
        let (observed, current) = tokio::join!(
            self.marketplace.get_subscription(claim.subscription),
            self.store.load(claim.subscription),
        );
        let current = current?;
        let mut observed = match observed {
            Err(FulfillmentError::NotFound(_)) => return unknown_subscription(),
            observed => observed?,
        };
        let mut requested = requested(claim, id, Operation::default());
        if self.contradicts(claim, observed.status(), current.as_ref()) {
            // Late, or early: the operation's own time tells which.
            let operation = self.marketplace.get_operation(claim.subscription, id).await;
            // An operation that confirms nothing leaves the subscription to speak for itself.
            let operation = self.confirmed(claim, operation)?.unwrap_or_default();
            observed = proven_by(&operation, observed);
            if !shows(&claim.action, observed.status()) && is_recent(&operation, self.system.now())
            {
                return Err(Failure::NotNow(
                    "Microsoft's copy doesn't show yet what has happened".to_owned(),
                ));
            }
            requested.operation = operation;
        }
        match self.operations.adopt(&requested, current, &observed, Outcome::Noticed).await {
            Ok(()) => Ok(()),
            Err(failed) => self.failed(&requested, failed).await,
        }
    }

    /// Whether the subscription, or the record, speaks against the notice: then it is checked
    /// against its operation, at the price of one more round trip.
    fn contradicts(
        &self,
        claim: &Claim,
        status: Option<&Status>,
        current: Option<&Record>,
    ) -> bool {
        let late_read = current.is_some_and(|record| {
            status.is_some_and(|status| {
                status != record.status() && record.left_lately(status, self.system.now())
            })
        });
        late_read || !shows(&claim.action, status)
    }

    /// A call that names no operation: Microsoft's copy is adopted, whatever the call said.
    async fn look(&self, claim: &Claim) -> Result<(), Failure> {
        let id = claim.subscription;
        let (observed, current) =
            tokio::join!(self.marketplace.get_subscription(id), self.store.load(id));
        let current = current?;
        let observed = match observed {
            Err(FulfillmentError::NotFound(_)) => return unknown_subscription(),
            observed => observed?,
        };
        let cause = cause(claim);
        let adopted =
            commit::adopt(&*self.store, &*self.system, id, current, &observed, &cause).await;
        match adopted.map_err(|error| Failure::NotNow(error.to_string()))?.stale {
            Some(Staleness::Settling) => Err(Failure::NotNow(AnswerError::Settling.to_string())),
            Some(Staleness::Impossible) | None => Ok(()),
        }
    }

    /// The operation, if Microsoft knows it and it is what the call claims (F-WHS-1, F-WHS-2).
    fn confirmed(
        &self,
        claim: &Claim,
        operation: Result<Operation, FulfillmentError>,
    ) -> Result<Option<Operation>, Failure> {
        match operation {
            Ok(operation) if claim.agrees_with(&operation) => Ok(Some(operation)),
            Ok(_) => {
                error!(
                    metric = "unconfirmed_call",
                    "the call contradicts Microsoft's operation; nothing was done"
                );
                Ok(None)
            }
            Err(FulfillmentError::NotFound(_)) => {
                error!(
                    metric = "unconfirmed_call",
                    "Microsoft knows no such operation; nothing was done"
                );
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// An answer that failed: as another delivery of the same call was answered, or not now.
    async fn failed(&self, requested: &Requested, failed: AnswerError) -> Result<(), Failure> {
        if let AnswerError::Decide(commit::DecideError::AlreadyMarked) = failed {
            let (_, mark) = self.store.load_with_mark(requested.subscription, requested.id).await?;
            if let Some(mark) = mark {
                return answered_before(&mark);
            }
        }
        Err(Failure::NotNow(failed.to_string()))
    }
}

/// Whether the status is one that the action leads to, or a later one.
fn shows(action: &Action, status: Option<&Status>) -> bool {
    match action {
        Action::Suspend => matches!(status, Some(Status::Suspended | Status::Unsubscribed)),
        Action::Unsubscribe => status == Some(&Status::Unsubscribed),
        Action::Subscribe => status != Some(&Status::PendingFulfillmentStart),
        Action::Renew
        | Action::Reinstate
        | Action::ChangePlan
        | Action::ChangeQuantity
        | Action::Other(_) => true,
    }
}

/// A word from outside, if it is one: a log is no place for whatever else stands there.
fn loggable(action: &Action) -> &str {
    const LONGEST: usize = 64;
    let word = action.as_str();
    let is_word = word.len() <= LONGEST && word.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if is_word { word } else { "(not a word)" }
}

fn cause(claim: &Claim) -> Cause {
    Cause::Webhook { action: claim.action.clone(), operation_id: claim.operation, source: None }
}

fn requested(claim: &Claim, id: OperationId, operation: Operation) -> Requested {
    Requested {
        subscription: claim.subscription,
        id,
        action: claim.action.clone(),
        operation,
        cause: cause(claim),
    }
}

/// A second delivery is answered as the first one was (F-WHD-5).
fn answered_before(mark: &Mark) -> Result<(), Failure> {
    info!(outcome = ?mark.outcome, "answered before");
    answer(mark.outcome)
}

fn answer(outcome: Outcome) -> Result<(), Failure> {
    match outcome {
        Outcome::Accepted | Outcome::Followed | Outcome::Noticed => Ok(()),
        Outcome::Rejected => Err(Failure::Rejected),
    }
}

fn unknown_subscription() -> Result<(), Failure> {
    error!(metric = "unconfirmed_call", "Microsoft knows no such subscription; nothing was done");
    Ok(())
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Invalid(reason) => Self::NotMicrosoft(reason),
            Refused::Unknown(reason) => Self::NotNow(reason),
        }
    }
}

impl From<FulfillmentError> for Failure {
    fn from(error: FulfillmentError) -> Self {
        Self::NotNow(error.to_string())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::NotNow(error.to_string())
    }
}

#[async_trait]
impl Handler for Webhook {
    async fn handle(&self, request: Request) -> Response {
        if (request.method(), request.uri().path()) != (&Method::POST, "/webhook") {
            return Problem::new(StatusCode::NOT_FOUND, "no_route", "the webhook is POST /webhook")
                .into();
        }
        let span = info_span!(
            "webhook",
            correlation_id = Empty,
            subscription.id = Empty,
            operation.id = Empty,
            action = Empty
        );
        let work =
            deadline::until(self.system.now() + deadline::OF_WEBHOOK, self.respond(&request));
        telemetry::within(self.system.new_id(), span, work).await
    }
}

#[cfg(test)]
mod tests;
