//! The publisher's own API over its subscriptions: list, read, history, plans, operations; change,
//! cancel; look at Microsoft's copy now, and have events told again.
//!
//! A change that is accepted here is in force only when Microsoft's webhook says so (F-CHP-7): the
//! answer is 202 and names the operation to follow. Activation is a function of its own.

mod ask;
mod change;
mod code;
mod history;
mod keyed;
#[cfg(test)]
mod openapi;
mod place;
mod route;
mod shown;
mod version;
mod whole;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};
use serde_json::json;
use shared::commit::{DecideError, adopt};
use shared::config::{ConfigError, Environment, Foundation, ManagementSettings};
use shared::domain::{Cause, OperationId, Record, Status, SubscriptionId};
use shared::fulfillment::{FulfillmentError, Marketplace};
use shared::http::{Handler, Problem, Request, Response, json as answer};
use shared::retry::RetryPolicy;
use shared::store::{Filter, Store, StoreError};
use shared::system::System;
use shared::{deadline, telemetry};
use tracing::field::{Empty, display};
use tracing::{Span, error, info_span};

use code::Code;
use keyed::Keyed;
use route::Route;
use shown::Shown;

/// The description of this API. Made from the code; a test keeps it so.
static DOCUMENT: &str = include_str!("../openapi.json");

/// What the publisher's API may touch.
pub struct Management {
    marketplace: Arc<dyn Marketplace>,
    store: Arc<dyn Store>,
    settings: ManagementSettings,
    keyed: Keyed,
    system: Arc<dyn System>,
}

impl Management {
    /// The function as its settings describe it.
    pub fn from_environment(environment: &Environment) -> Result<Self, ConfigError> {
        let foundation = Foundation::read(environment)?;
        let settings = ManagementSettings::read(environment, &foundation)?;
        Ok(Self::new(&foundation, settings))
    }

    /// The function on a given foundation.
    pub fn new(foundation: &Foundation, settings: ManagementSettings) -> Self {
        let Foundation { microsoft, store, system } = foundation;
        let marketplace = microsoft.marketplace(RetryPolicy::INTERACTIVE, system.clone());
        let keyed = Keyed { requests: settings.requests.clone(), system: system.clone() };
        Self { marketplace, store: store.clone(), settings, keyed, system: system.clone() }
    }

    async fn call(&self, request: &Request) -> Result<Response, Problem> {
        let route = Route::of(request)?;
        Span::current().record("subscription.id", route.subscription().map(display));
        match route {
            Route::List { filter, next } => self.list(&filter, next.as_deref()).await,
            Route::Document => Ok(document()),
            Route::Read(id) => Ok(version::answer(&self.record(id).await?)),
            Route::Events { id, after } => self.events(id, after, request).await,
            Route::Plans(id) => self.plans(id).await,
            Route::Operations(id) => {
                let operations = self.marketplace.list_operations(id).await.map_err(problem)?;
                Ok(answer(StatusCode::OK, &json!({ "operations": operations })))
            }
            Route::Operation(id, operation) => self.operation(id, operation).await,
            Route::Ask(id, asked) => self.ask(id, &asked, request).await,
            Route::Observe(id) => Ok(version::answer(&self.current(id).await?)),
            Route::Redeliver { id, from_version } => self.redeliver(id, from_version).await,
        }
    }

    async fn list(&self, filter: &Filter, next: Option<&str>) -> Result<Response, Problem> {
        let page = self.store.list(filter, next).await.map_err(|error| match error {
            StoreError::BadPosition => place::no_place(),
            error => store_problem(error),
        })?;
        let next = page.next.as_deref().map(place::seal);
        let shown: Vec<Shown<'_>> = page.items.iter().map(Shown::from).collect();
        Ok(answer(StatusCode::OK, &json!({ "subscriptions": shown, "next": next })))
    }

    async fn plans(&self, id: SubscriptionId) -> Result<Response, Problem> {
        // Microsoft answers for an ended subscription as if our token were wrong (F-PLN-6).
        let known = self.store.load(id).await.map_err(store_problem)?;
        if known.is_some_and(|record| *record.status() == Status::Unsubscribed) {
            return Err(change::ended());
        }
        let plans = self.marketplace.list_available_plans(id, None).await.map_err(problem)?;
        Ok(answer(StatusCode::OK, &json!({ "plans": plans })))
    }

    /// How far an operation has come: one look. Its end comes by the webhook or the reconciliation.
    async fn operation(
        &self,
        id: SubscriptionId,
        operation: OperationId,
    ) -> Result<Response, Problem> {
        let operation = self.marketplace.get_operation(id, operation).await.map_err(problem)?;
        let mut response = answer(StatusCode::OK, &operation);
        if !operation.is_settled() {
            response.headers_mut().insert(RETRY_AFTER, ask::LOOK_AGAIN);
        }
        Ok(response)
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
}

fn document() -> Response {
    let mut response = shared::http::empty(StatusCode::OK);
    let media_type = HeaderValue::from_static("application/json");
    response.headers_mut().insert(http::header::CONTENT_TYPE, media_type);
    *response.body_mut() = Bytes::from_static(DOCUMENT.as_bytes());
    response
}

fn unknown() -> Problem {
    Code::UnknownSubscription.with("there is no such subscription")
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
    match error {
        FulfillmentError::NotFound(_) => Code::UnknownToMicrosoft.with("Microsoft doesn't know it"),
        FulfillmentError::Refused(refusal) => Code::Refused
            .with(refusal.message.unwrap_or_else(|| "Microsoft refused the request".to_owned())),
        FulfillmentError::Conflict(refusal) => change::pending(refusal.message),
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
