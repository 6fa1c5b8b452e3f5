//! The publisher's API: list, read, events, plans and operations; change and cancel; keep a reference,
//! metadata and notes; erase personal data; set what offers have of their own; read Microsoft's copy now;
//! send events again; examine the deployment; see, start and pause the reconciliation.
//!
//! An accepted change is in force only when Microsoft's webhook says so (F-CHP-7): the answer is
//! 202 and names the operation to follow. Activation is a function of its own.

mod annotate;
mod attempts;
mod change_request;
mod cursor;
mod deliveries;
mod doctor;
mod erase;
mod error_code;
mod events;
mod idempotency;
mod if_match;
mod json_integer;
mod note_request;
mod notes;
mod offers;
mod offers_request;
#[cfg(test)]
mod openapi;
mod parameters;
mod poll;
mod problem;
mod receivers;
mod reconciliations;
mod request_change;
mod route;
mod run_request;
mod test_event_request;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use serde_json::json;
use shared::config::{Dependencies, ManagementSettings};
use shared::domain::{Cause, OperationId, Record, Status, SubscriptionId};
use shared::flows::erasure::ErasureFlow;
use shared::flows::ledger::Ledger;
use shared::flows::request_change::{ChangeFlow, ChangeRefused};
use shared::host::clock::Clock;
use shared::host::environment::{ConfigError, Environment};
use shared::host::http::{
    GatewayHost, Handler, Principal, Problem, Request, Response, empty, json as json_response,
};
use shared::host::retry::RetryPolicy;
use shared::host::{correlation, deadline};
use shared::microsoft::fulfillment::Marketplace;
use shared::publisher::audit::{Shown, read_personal_data};
use shared::publisher::record_view::RecordView;
use shared::store::{Checkpoints, Filter, Found, ListQuery, Page, Runs, Store, StoreError, Wanted};
use tracing::field::{Empty, display};
use tracing::{Span, error, info_span};

use doctor::Doctor;
use idempotency::Idempotency;
use problem::{fulfillment_problem, store_problem, unknown_subscription, update_problem};
use route::Route;
use test_event_request::TestEventRequest;

/// The description of this API. Made from the code; a test compares the two.
static DOCUMENT: &str = include_str!("../openapi.json");

/// What the publisher's API may touch.
pub struct Management {
    marketplace: Arc<dyn Marketplace>,
    store: Arc<dyn Store>,
    ledger: Ledger,
    changes: ChangeFlow,
    erasure: ErasureFlow,
    doctor: Doctor,
    checkpoints: Arc<dyn Checkpoints>,
    runs: Arc<dyn Runs>,
    settings: ManagementSettings,
    idempotency: Idempotency,
    clock: Arc<dyn Clock>,
}

impl Management {
    pub fn from_environment(environment: &Environment) -> Result<Self, ConfigError> {
        let dependencies = Dependencies::read(environment)?;
        let settings = ManagementSettings::read_on_aws(environment, &dependencies)?;
        Ok(Self::new(&dependencies, settings))
    }

    pub fn new(dependencies: &Dependencies, settings: ManagementSettings) -> Self {
        let Dependencies { microsoft, store, checkpoints, runs, clock, .. } = dependencies;
        let (ledger, clock) = (dependencies.ledger(), clock.clone());
        let marketplace = microsoft.marketplace(RetryPolicy::INTERACTIVE, clock.clone());
        Self {
            erasure: ErasureFlow {
                ledger: ledger.clone(),
                erasures: settings.erasures.clone(),
                outbox: settings.outbox.clone(),
                annotations: settings.annotations.clone(),
                receivers: settings.receivers.clone(),
                receiver_states: settings.receiver_states.clone(),
            },
            doctor: Doctor::new(dependencies, &settings),
            changes: ChangeFlow { marketplace: marketplace.clone(), ledger: ledger.clone() },
            idempotency: Idempotency { store: settings.idempotency.clone(), clock: clock.clone() },
            marketplace,
            store: store.clone(),
            checkpoints: checkpoints.clone(),
            runs: runs.clone(),
            ledger,
            settings,
            clock,
        }
    }

    async fn call(&self, request: &Request) -> Result<Response, Problem> {
        let route = Route::of(request)?;
        Span::current().record("subscription.id", route.subscription().map(display));
        match route {
            Route::List { query, next } => self.list(&query, next.as_deref(), request).await,
            Route::ListOpen { state, filter, next } => {
                self.list_open(state, &filter, next.as_deref(), request).await
            }
            Route::Document => Ok(document()),
            Route::Read(id) => {
                let read = tokio::try_join!(self.record(id), self.annotations(id));
                let (record, annotations) = read?;
                Ok(if_match::answer(request, &record, annotations.as_ref()))
            }
            Route::Events { id, after } => self.events(id, after, request).await,
            Route::Plans(id) => self.plans(id).await,
            Route::Operations(id) => {
                let operations = self.marketplace.list_operations(id).await;
                let operations = operations.map_err(fulfillment_problem)?;
                Ok(json_response(StatusCode::OK, &json!({ "operations": operations })))
            }
            Route::Operation(id, operation) => self.operation(id, &operation).await,
            Route::RequestChange { id, change, reason } => {
                self.request_change(id, &change, reason.as_deref(), request).await
            }
            Route::Decline { id, reason } => self.decline(id, &reason, request).await,
            Route::Erase(id) => self.erase(id, request).await,
            Route::Annotate(id, patch) => self.annotate(id, &patch, request).await,
            Route::Observe(id) => {
                let record = self.current(id, request).await?;
                Ok(if_match::answer(request, &record, self.annotations(id).await?.as_ref()))
            }
            Route::Redeliver { id, from_version } => self.redeliver(id, from_version).await,
            Route::DeliveriesOf(id) => self.deliveries_of(id).await,
            Route::Attempts { id, limit, next } => {
                self.attempts(id, limit, next.as_deref(), request).await
            }
            Route::Notes(id) => self.notes(id, request).await,
            Route::AddNote { id, text } => self.add_note(id, text, request).await,
            Route::Deliveries { state, next } => self.deliveries(state, next.as_deref()).await,
            Route::Recover { recovery, receiver, next } => {
                self.recover(&recovery, receiver.as_deref(), next.as_deref()).await
            }
            Route::Receivers => self.receivers().await,
            Route::PauseReceiver { name, note } => self.pause_receiver(&name, note, request).await,
            Route::ResumeReceiver(name) => self.resume_receiver(&name, request).await,
            Route::Offers => self.offers().await,
            Route::SetOffers(offers) => self.set_offers(&offers, request).await,
            Route::Examine => {
                let gateway = request.extensions().get::<GatewayHost>();
                Ok(json_response(StatusCode::OK, &self.doctor.examine(gateway).await))
            }
            Route::LastExamination => Ok(json_response(StatusCode::OK, &self.doctor.last().await?)),
            Route::SendTestEvent(wanted) => {
                let TestEventRequest { kind, receiver } = wanted;
                let only = receiver.map(|name| self.receiver(&name)).transpose()?;
                let only = only.map(|receiver| receiver.target);
                let id = self.doctor.send_test_event(kind, only, Principal::of(request)).await?;
                Ok(json_response(StatusCode::ACCEPTED, &json!({ "id": id })))
            }
            Route::TestEvent(id) => {
                Ok(json_response(StatusCode::OK, &self.doctor.test_event(&id).await?))
            }
            Route::Reconciliations { limit, next } => {
                self.reconciliations(limit, next.as_deref()).await
            }
            Route::Reconcile { dry_run } => self.reconcile(dry_run, request).await,
            Route::Pause { note } => self.pause(note, request).await,
            Route::Resume => self.resume().await,
        }
    }

    async fn list(
        &self,
        query: &ListQuery,
        next: Option<&str>,
        request: &Request,
    ) -> Result<Response, Problem> {
        let page =
            self.settings.overview.list_ids(query, next).await.map_err(|error| match error {
                StoreError::BadPosition => cursor::not_a_cursor(),
                error => store_problem(error),
            })?;
        self.listed(&page, &query.filter, request).await
    }

    /// The records of a page with their annotations, of those that meet the filter. What can't be read is
    /// logged and left out, so that it does not hide the others.
    async fn listed(
        &self,
        page: &Page<SubscriptionId>,
        filter: &Filter,
        request: &Request,
    ) -> Result<Response, Problem> {
        let next = page.next.as_deref().map(cursor::encode);
        let wanted =
            page.items.iter().flat_map(|id| [Wanted::Record(*id), Wanted::Annotations(*id)]);
        let found = self.settings.overview.look_up(&wanted.collect()).await;
        let Found { records, annotations, .. } = found.map_err(store_problem)?;
        let annotations = |id: SubscriptionId| {
            let read = annotations.get(&id)?.as_ref();
            read.inspect_err(|error| error!(%error, class = error.class().name(), "left annotations out of a list")).ok()
        };
        let record = |id: &SubscriptionId| {
            let read = records.get(id)?.as_ref();
            read.inspect_err(
                |error| error!(%error, class = error.class().name(), "left a record out of a list"),
            )
            .ok()
        };
        let records = page.items.iter().filter_map(record);
        // The index may lag behind the records.
        let records = records.filter(|record| filter.is_met_by(record));
        let views = records
            .map(|record| RecordView::from(record).with_annotations(annotations(record.id())));
        let records: Vec<RecordView<'_>> = views.collect();
        read_personal_data(request, route::form(request), Shown::Records(records.len()));
        Ok(json_response(StatusCode::OK, &json!({ "subscriptions": records, "next": next })))
    }

    async fn plans(&self, id: SubscriptionId) -> Result<Response, Problem> {
        // About an ended subscription, Microsoft answers as if our token were wrong (F-PLN-6).
        let known = self.store.load(id).await.map_err(store_problem)?;
        if known.is_some_and(|record| *record.status() == Status::Unsubscribed) {
            return Err(problem::refusal(&ChangeRefused::Ended));
        }
        let plans = self.marketplace.list_available_plans(id, None).await;
        let plans = plans.map_err(fulfillment_problem)?;
        Ok(json_response(StatusCode::OK, &json!({ "plans": plans })))
    }

    /// How far an operation has come, read once. The webhook or the reconciliation records its end.
    async fn operation(
        &self,
        id: SubscriptionId,
        operation: &OperationId,
    ) -> Result<Response, Problem> {
        let operation = self.marketplace.get_operation(id, operation).await;
        let operation = operation.map_err(fulfillment_problem)?;
        let mut response = json_response(StatusCode::OK, &operation);
        if !operation.is_settled() {
            response.headers_mut().insert(RETRY_AFTER, poll::POLL_INTERVAL);
        }
        Ok(response)
    }

    async fn record(&self, id: SubscriptionId) -> Result<Record, Problem> {
        self.store.load(id).await.map_err(store_problem)?.ok_or_else(unknown_subscription)
    }

    /// The record after a read of Microsoft's copy, so that a change is decided on nothing older.
    async fn current(&self, id: SubscriptionId, request: &Request) -> Result<Record, Problem> {
        let current = self.store.load(id).await.map_err(store_problem)?;
        let observed = self.marketplace.get_subscription(id).await.map_err(fulfillment_problem)?;
        let cause = Cause::Management { principal: Principal::of(request) };
        let committed = self.ledger.adopt(id, current, &observed, &cause).await;
        committed.map_err(update_problem)?.record.ok_or_else(unknown_subscription)
    }
}

fn document() -> Response {
    let mut response = empty(StatusCode::OK);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    *response.body_mut() = Bytes::from_static(DOCUMENT.as_bytes());
    response
}

#[async_trait]
impl Handler for Management {
    async fn handle(&self, request: Request) -> Response {
        let deadline = self.clock.now() + deadline::CALLER_TIME;
        let work = deadline::with_deadline(deadline, self.call(&request));
        let span = info_span!("management", correlation_id = Empty, subscription.id = Empty);
        let answered = correlation::in_span(self.clock.new_id(), span, work).await;
        answered.unwrap_or_else(Response::from)
    }
}
