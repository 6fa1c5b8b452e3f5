//! The publisher's own API over its subscriptions: list, read, events, plans, change, cancel.
//!
//! A change that is accepted here is in force only when Microsoft's webhook says so (F-CHP-7): the
//! answer is 202 and names the operation to follow.

mod change;
mod route;

use std::sync::Arc;

use async_trait::async_trait;
use http::{HeaderValue, StatusCode};
use serde_json::json;
use shared::commit::{DecideError, adopt, decide};
use shared::config::{ConfigError, Environment, Foundation};
use shared::domain::{
    Action, Cause, CustomerOperation, Decision, OperationId, Record, Status, SubscriptionId,
};
use shared::fulfillment::{AcceptedOperation, FulfillmentError, Marketplace};
use shared::http::{Handler, Problem, Request, Response, json as answer};
use shared::retry::RetryPolicy;
use shared::store::{Store, StoreError};
use shared::system::System;
use shared::{deadline, telemetry};
use tracing::field::{Empty, display};
use tracing::{Span, error, info, info_span, warn};

pub use change::Wanted;
use change::allowed;
use route::Route;

/// What the publisher's API may touch.
pub struct Management {
    marketplace: Arc<dyn Marketplace>,
    store: Arc<dyn Store>,
    system: Arc<dyn System>,
}

impl Management {
    /// The function as its settings describe it.
    pub fn from_environment(environment: &Environment) -> Result<Self, ConfigError> {
        Ok(Self::new(&Foundation::read(environment)?))
    }

    /// The function on a given foundation.
    pub fn new(Foundation { microsoft, store, system }: &Foundation) -> Self {
        let marketplace = microsoft.marketplace(RetryPolicy::INTERACTIVE, system.clone());
        Self { marketplace, store: store.clone(), system: system.clone() }
    }

    async fn call(&self, request: &Request) -> Result<Response, Problem> {
        let route = Route::of(request)?;
        Span::current().record("subscription.id", route.subscription().map(display));
        match route {
            Route::List { filter, next } => {
                let page = self.store.list(&filter, next.as_deref()).await.map_err(list_problem)?;
                Ok(answer(
                    StatusCode::OK,
                    &json!({ "subscriptions": page.items, "next": page.next }),
                ))
            }
            Route::Read(id) => Ok(answer(StatusCode::OK, &self.record(id).await?)),
            Route::Events { id, after } => {
                let page = self.store.events(id, after).await.map_err(store_problem)?;
                if page.items.is_empty() {
                    self.record(id).await?;
                }
                Ok(answer(StatusCode::OK, &json!({ "events": page.items, "next": page.next })))
            }
            Route::Plans(id) => {
                // Microsoft answers for an ended subscription as if our token were wrong (F-PLN-6).
                let known = self.store.load(id).await.map_err(store_problem)?;
                if known.is_some_and(|record| *record.status() == Status::Unsubscribed) {
                    return Err(ended());
                }
                let plans =
                    self.marketplace.list_available_plans(id, None).await.map_err(problem)?;
                Ok(answer(StatusCode::OK, &json!({ "plans": plans })))
            }
            Route::Operations(id) => {
                let operations = self.marketplace.list_operations(id).await.map_err(problem)?;
                Ok(answer(StatusCode::OK, &json!({ "operations": operations })))
            }
            Route::Operation(id, operation) => {
                let operation =
                    self.marketplace.get_operation(id, operation).await.map_err(problem)?;
                Ok(answer(StatusCode::OK, &operation))
            }
            Route::Change(id) => self.change(id, &Wanted::parse(request.body())?).await,
            Route::Cancel(id) => self.cancel(id).await,
        }
    }

    async fn record(&self, id: SubscriptionId) -> Result<Record, Problem> {
        self.store.load(id).await.map_err(store_problem)?.ok_or_else(unknown)
    }

    /// The record as Microsoft's copy has it now: what is asked for is decided on nothing older.
    async fn current(&self, id: SubscriptionId) -> Result<Record, Problem> {
        let current = self.store.load(id).await.map_err(store_problem)?;
        let observed = self.marketplace.get_subscription(id).await.map_err(problem)?;
        let cause = Cause::Management;
        let committed = adopt(&*self.store, &*self.system, id, current, &observed, &cause)
            .await
            .map_err(decide_problem)?;
        committed.record.ok_or_else(unknown)
    }

    async fn change(&self, id: SubscriptionId, wanted: &Wanted) -> Result<Response, Problem> {
        let record = self.current(id).await?;
        wanted.check(&record)?;
        info!(subscription.id = %id, "asking Microsoft for a change");
        let (action, accepted) = match wanted {
            Wanted::Plan(plan) => {
                (Action::ChangePlan, self.marketplace.change_plan(id, plan).await)
            }
            Wanted::Quantity(seats) => {
                (Action::ChangeQuantity, self.marketplace.change_quantity(id, *seats).await)
            }
        };
        self.accepted(record, &action, accepted).await
    }

    async fn cancel(&self, id: SubscriptionId) -> Result<Response, Problem> {
        let record = self.current(id).await?;
        if *record.status() == Status::Unsubscribed {
            return Err(ended());
        }
        allowed(&record, &CustomerOperation::Delete)?;
        info!(subscription.id = %id, "asking Microsoft for the end of a subscription");
        let accepted = self.marketplace.cancel(id).await;
        self.accepted(record, &Action::Unsubscribe, accepted).await
    }

    /// Microsoft took the request; the record waits for its end.
    async fn accepted(
        &self,
        record: Record,
        action: &Action,
        accepted: Result<AcceptedOperation, FulfillmentError>,
    ) -> Result<Response, Problem> {
        let id = record.id();
        let accepted = match accepted {
            Ok(accepted) => accepted,
            Err(FulfillmentError::Unavailable { reason, repeatable: false, .. }) => {
                warn!(subscription.id = %id, reason, "whether Microsoft took the request isn't known");
                return Err(Problem::new(
                    StatusCode::GATEWAY_TIMEOUT,
                    "outcome_unknown",
                    "Microsoft gave no answer; look at the subscription and its operations before asking again",
                ));
            }
            Err(error) => return Err(problem(error)),
        };
        let Some(operation) = accepted.id else {
            return Ok(answer(StatusCode::ACCEPTED, &json!({ "operationId": null })));
        };
        self.await_operation(record, operation, action).await;
        let mut response = answer(StatusCode::ACCEPTED, &json!({ "operationId": operation }));
        if let Ok(location) =
            HeaderValue::try_from(format!("/subscriptions/{id}/operations/{operation}"))
        {
            response.headers_mut().insert(http::header::LOCATION, location);
        }
        Ok(response)
    }

    /// Microsoft has the request whatever becomes of this note; it's for the reconciliation.
    async fn await_operation(&self, record: Record, operation: OperationId, action: &Action) {
        let now = self.system.now();
        let rule = |record: Option<&Record>| {
            Ok(record.map_or(Decision::Unchanged, |record| {
                record.await_operation(operation, action, now)
            }))
        };
        let id = record.id();
        if let Err(error) = decide(&*self.store, &*self.system, id, Some(record), None, rule).await
        {
            warn!(subscription.id = %id, operation.id = %operation, %error, "the operation was not noted");
        }
    }
}

fn unknown() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "unknown_subscription", "there is no such subscription")
}

fn ended() -> Problem {
    Problem::new(StatusCode::CONFLICT, "unsubscribed", "the subscription is over already")
}

fn list_problem(error: StoreError) -> Problem {
    match error {
        StoreError::BadPosition => Problem::new(
            StatusCode::BAD_REQUEST,
            "malformed_request",
            "`next` is not from a list like this one",
        ),
        error => store_problem(error),
    }
}

fn store_problem(error: StoreError) -> Problem {
    error!(%error, "the table can't be used");
    Problem::unavailable()
}

fn decide_problem(error: DecideError) -> Problem {
    error!(%error, "a decision could not be committed");
    Problem::unavailable()
}

fn problem(error: FulfillmentError) -> Problem {
    let words =
        |message: Option<String>, otherwise: &str| message.unwrap_or_else(|| otherwise.to_owned());
    match error {
        FulfillmentError::NotFound(_) => {
            Problem::new(StatusCode::NOT_FOUND, "unknown_to_microsoft", "Microsoft doesn't know it")
        }
        FulfillmentError::Refused(refusal) => Problem::new(
            StatusCode::CONFLICT,
            "refused",
            words(refusal.message, "Microsoft refused the request"),
        ),
        FulfillmentError::Conflict(refusal) => Problem::new(
            StatusCode::CONFLICT,
            "operation_pending",
            words(refusal.message, "another operation is under way; try again when it has ended"),
        ),
        FulfillmentError::Unauthorized(_)
        | FulfillmentError::Token(_)
        | FulfillmentError::Unavailable { .. }
        | FulfillmentError::Malformed(_) => {
            error!(%error, "Microsoft can't be asked");
            Problem::unavailable()
        }
    }
}

#[async_trait]
impl Handler for Management {
    async fn handle(&self, request: Request) -> Response {
        let work = deadline::until(self.system.now() + deadline::OF_CALLER, self.call(&request));
        let span = info_span!("management", correlation_id = Empty, subscription.id = Empty);
        let answered = telemetry::within(self.system.new_id(), span, work).await;
        answered.unwrap_or_else(Response::from)
    }
}
