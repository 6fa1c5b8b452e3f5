//! Microsoft reports a change: verify, ask Microsoft, decide, acknowledge, record, answer.
//!
//! | answer | means |
//! |---|---|
//! | 200 | handled, or nothing to do |
//! | 400 | the publisher rejects a requested change |
//! | 401 | the caller is not Microsoft |
//! | 5xx | our own fault, or not known yet: Microsoft will retry |
//!
//! Microsoft reads a 4xx on a change as the publisher's "no" (F-WHA-13), so a technical failure is
//! never answered with one.

mod change;
mod claim;
mod confirmation;
mod failure;
mod host;
mod notice;
mod reinstate;

use std::sync::Arc;

use async_trait::async_trait;
use http::header::WWW_AUTHENTICATE;
use http::{HeaderValue, Method, StatusCode};
use jiff::SignedDuration;
use shared::config::Dependencies;
use shared::domain::{Action, Operation, OperationId, Requested};
use shared::flows::answer::{AnswerError, Responder};
use shared::flows::ledger::{Ledger, UpdateError};
use shared::flows::noting::Noting;
use shared::host::clock::Clock;
use shared::host::environment::{ConfigError, Environment};
use shared::host::error_class::ErrorClass;
use shared::host::http::{Handler, Problem, Request, Response, empty};
use shared::host::retry::RetryPolicy;
use shared::host::{correlation, deadline};
use shared::microsoft::entra::{SigningKeyError, UnverifiedToken, WebhookTokenVerifier};
use shared::microsoft::fulfillment::Marketplace;
use shared::publisher::approval::ChangeApproval;
use shared::store::{Mark, OperationOutcome};
use tracing::field::{Empty, display};
use tracing::{Span, error, info, info_span, warn};

pub use claim::{Claim, Unreadable};
use failure::WebhookFailure;

/// In bytes. Real bodies are around two kilobytes (F-WHP-9).
const LARGEST_BODY: usize = 64 * 1024;

/// How often a process notes that Microsoft called, for each host. An operator asks about days.
const NOTED_EVERY: SignedDuration = SignedDuration::from_hours(1);

/// What the webhook may touch.
pub struct Webhook {
    verifier: WebhookTokenVerifier,
    marketplace: Arc<dyn Marketplace>,
    ledger: Ledger,
    responder: Responder,
    noting: Noting,
    clock: Arc<dyn Clock>,
}

/// What we tell Microsoft about a call that we handled.
enum Reply {
    Handled,
    Rejected,
}

impl From<OperationOutcome> for Reply {
    fn from(outcome: OperationOutcome) -> Self {
        match outcome {
            OperationOutcome::Accepted | OperationOutcome::Followed | OperationOutcome::Noticed => {
                Self::Handled
            }
            OperationOutcome::Rejected => Self::Rejected,
        }
    }
}

impl Webhook {
    pub fn from_environment(environment: &Environment) -> Result<Self, ConfigError> {
        Self::new(environment, &Dependencies::read(environment)?)
    }

    pub fn new(
        environment: &Environment,
        dependencies: &Dependencies,
    ) -> Result<Self, ConfigError> {
        let approval = ChangeApproval::read(environment, dependencies)?;
        let retry = RetryPolicy::WITHIN_WEBHOOK;
        let Dependencies { microsoft, clock, .. } = dependencies;
        let marketplace = microsoft.marketplace(retry, clock.clone());
        let ledger = dependencies.ledger();
        let noting = Noting::new(dependencies.sightings.clone(), clock.clone(), NOTED_EVERY);
        Ok(Self {
            verifier: microsoft.webhook_verifier(retry, clock.clone()),
            marketplace: marketplace.clone(),
            ledger: ledger.clone(),
            responder: Responder { marketplace, ledger, approval },
            noting,
            clock: clock.clone(),
        })
    }

    async fn receive(&self, request: &Request) -> Result<Reply, WebhookFailure> {
        let claim = self.authenticate(request).await?;
        let span = Span::current();
        span.record("subscription.id", display(claim.subscription));
        span.record("operation.id", claim.operation.as_ref().map(loggable_id));
        span.record("action", loggable(&claim.action));
        // Boxed, since it is large: the futures around it would be moved together with it.
        let mut work = Box::pin(self.act(&claim));
        self.noting.beside(&host::sighting(request), work.as_mut()).await
    }

    /// Verifies the token before it looks at the body.
    async fn authenticate(&self, request: &Request) -> Result<Claim, WebhookFailure> {
        let token = UnverifiedToken::from_headers(request.headers())?;
        let caller = self.verifier.verify(token, self.clock.now()).await?;
        let body = request.body();
        if body.len() > LARGEST_BODY {
            return Err(WebhookFailure::BodyTooLarge(body.len()));
        }
        Claim::parse(body).map_err(|unreadable| WebhookFailure::UnreadableBody {
            unreadable,
            app_id: caller.app_id,
        })
    }

    async fn act(&self, claim: &Claim) -> Result<Reply, WebhookFailure> {
        match (&claim.action, &claim.operation) {
            (Action::ChangePlan | Action::ChangeQuantity, Some(id)) => self.change(claim, id).await,
            (Action::Reinstate, Some(id)) => self.reinstate(claim, id).await,
            (
                Action::Subscribe | Action::Renew | Action::Suspend | Action::Unsubscribe,
                Some(id),
            ) => self.notice(claim, id).await,
            // Without an operation's id the call proves nothing. It is a hint to read the
            // subscription (F-WHP-6).
            (
                Action::ChangePlan
                | Action::ChangeQuantity
                | Action::Reinstate
                | Action::Subscribe
                | Action::Renew
                | Action::Suspend
                | Action::Unsubscribe,
                None,
            ) => self.look(claim).await,
            (Action::Other(_), _) => {
                // F-WHA-9. An error, since an engineer should look up what the word means.
                error!(
                    action = loggable(&claim.action),
                    class = ErrorClass::UnknownWord.name(),
                    metric = "unknown_action",
                    "Microsoft sent an action that this program does not know"
                );
                Ok(Reply::Handled)
            }
        }
    }

    /// If another delivery of this call answered first, both get the same answer.
    async fn failed(
        &self,
        requested: &Requested,
        failed: AnswerError,
    ) -> Result<Reply, WebhookFailure> {
        if let AnswerError::Update(UpdateError::AlreadyMarked) = failed {
            let (_, mark) =
                self.ledger.load_with_mark(requested.subscription, &requested.id).await?;
            if let Some(mark) = mark {
                return Ok(answered_before(&mark));
            }
        }
        Err(failed.into())
    }
}

fn requested(claim: &Claim, id: &OperationId, operation: Option<Operation>) -> Requested {
    Requested {
        subscription: claim.subscription,
        id: id.clone(),
        action: claim.action.clone(),
        operation,
        cause: claim.cause(),
    }
}

/// A second delivery gets the first one's answer (F-WHD-5).
fn answered_before(mark: &Mark) -> Reply {
    info!(outcome = mark.outcome.name(), "this call was answered before; repeating the answer");
    mark.outcome.into()
}

/// The action if it is a plain word, or else a placeholder: never log arbitrary input.
fn loggable(action: &Action) -> &str {
    const LONGEST: usize = 64;
    let word = action.as_str();
    let is_word = word.len() <= LONGEST && word.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if is_word { word } else { "(not a word)" }
}

/// The id if it is plain, or else a placeholder, as above.
fn loggable_id(id: &OperationId) -> &str {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    if id.as_str().bytes().all(is_plain) { id.as_str() } else { "(not a plain id)" }
}

fn respond(received: Result<Reply, WebhookFailure>) -> Response {
    match received {
        Ok(Reply::Handled) => empty(StatusCode::OK),
        Ok(Reply::Rejected) => {
            Problem::new(StatusCode::BAD_REQUEST, "rejected", "the publisher rejects this change")
                .into()
        }
        Err(WebhookFailure::NotMicrosoft(reason)) => {
            warn!(%reason, metric = "refused_caller", "refused a webhook call");
            let mut response: Response = Problem::new(
                StatusCode::UNAUTHORIZED,
                "unauthorized",
                "a token of Microsoft's marketplace for this publisher is required",
            )
            .into();
            let challenge = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
            response
        }
        // Not an error: anyone can invent a key's id.
        Err(WebhookFailure::Unverifiable(reason @ SigningKeyError::Unconfirmed(_))) => {
            warn!(
                %reason, class = reason.class().name(), metric = "unconfirmed_key",
                "could not look up a webhook call's key"
            );
            Problem::unavailable().into()
        }
        Err(failure) => {
            error!(
                reason = %failure, class = failure.class().map(ErrorClass::name),
                metric = "failed_call",
                "a webhook call failed; Microsoft will retry"
            );
            Problem::unavailable().into()
        }
    }
}

#[async_trait]
impl Handler for Webhook {
    async fn handle(&self, request: Request) -> Response {
        match (request.method(), request.uri().path()) {
            (&Method::POST, "/webhook") => {}
            (&Method::POST, _) => return self.refuse(no_route()),
            (_, "/webhook") => return Problem::method_not_allowed("POST").into(),
            _ => return no_route().into(),
        }
        let span = info_span!(
            "webhook",
            correlation_id = Empty,
            subscription.id = Empty,
            operation.id = Empty,
            action = Empty
        );
        let work = async { respond(self.receive(&request).await) };
        let work = deadline::with_deadline(self.clock.now() + deadline::WEBHOOK_TIME, work);
        correlation::in_span(self.clock.new_id(), span, work).await
    }

    /// Microsoft would read a 4xx as a rejection of the change that its call announces (F-WHA-13),
    /// and calls again after a 5xx.
    fn refuse(&self, mut problem: Problem) -> Response {
        error!(
            code = problem.code,
            class = ErrorClass::Configuration.name(),
            "a call to the webhook could not be read"
        );
        problem.status = StatusCode::SERVICE_UNAVAILABLE;
        problem.into()
    }
}

fn no_route() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "no_route", "the webhook is POST /webhook")
}

#[cfg(test)]
mod tests;
