//! All functions behind one HTTP server: for the Azure Functions host, and for running everything
//! on one machine.
//!
//! The host forwards the request of an HTTP trigger unchanged. It sends a timer as `POST
//! /reconciliation`, `POST /delivery` or `POST /examination`, and expects its own envelope as the answer. The host also
//! checks who may call a function: in the `function.json` files, all but the landing page and the
//! webhook need a function key.

mod body;
mod in_process;

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::middleware::map_response;
use axum::response::IntoResponse;
use axum::routing::{any, post};
use console::Console;
use delivery::{Delivery, Driver};
use http::{StatusCode, Uri};
use reconciliation::Reconciliation;
use serde_json::{Value, json};
use shared::config::{Dependencies, ManagementSettings};
use shared::host::environment::{ConfigError, Environment};
use shared::host::http::{Handler, Request, Response, json as answer};
use shared::host::step_functions::RunStarter;
use shared::host::version;

use in_process::InProcess;

pub struct Functions {
    pub landing: Arc<dyn Handler>,
    pub webhook: Arc<dyn Handler>,
    pub activation: Arc<dyn Handler>,
    pub management: Arc<dyn Handler>,
    pub reconciliation: Arc<Reconciliation>,
    /// `None` without `CONSOLE_CLIENT_ID`. It is served at an origin of its own: see [`console_router`].
    pub console: Option<Arc<dyn Handler>>,
    /// `None` if no receiver is configured.
    pub delivery: Option<Arc<Delivery>>,
}

impl Functions {
    pub fn from_environment(environment: &Environment) -> Result<Self, ConfigError> {
        let dependencies = Dependencies::read(environment)?;
        Self::new(environment, &dependencies)
    }

    pub fn new(
        environment: &Environment,
        dependencies: &Dependencies,
    ) -> Result<Self, ConfigError> {
        let reconciliation = Arc::new(Reconciliation::new(environment, dependencies)?);
        let starter: Arc<dyn RunStarter> = Arc::new(InProcess::new(reconciliation.clone()));
        let management = ManagementSettings::read(environment, dependencies)?;
        let management = ManagementSettings { starter: Some(starter), ..management };
        let console: Option<Arc<dyn Handler>> = match environment.get("CONSOLE_CLIENT_ID") {
            None => None,
            Some(_) => Some(Arc::new(Console::new(environment, dependencies, management.clone())?)),
        };
        Ok(Self {
            console,
            landing: Arc::new(landing::Landing::new(environment, dependencies)?),
            webhook: Arc::new(webhook::Webhook::new(environment, dependencies)?),
            activation: Arc::new(activation::Activation::new(dependencies)),
            management: Arc::new(management::Management::new(dependencies, management)),
            reconciliation,
            delivery: Delivery::beside(environment, dependencies)?.map(Arc::new),
        })
    }
}

/// The same routes as in `template.yaml` and the `function.json` files.
pub fn router(functions: Functions) -> Router {
    let function = |handler: &Arc<dyn Handler>, largest_body| {
        any(hand_over).with_state(Function { handler: Arc::clone(handler), largest_body })
    };
    let public = |handler| function(handler, body::LARGEST_PUBLIC);
    let private = |handler| function(handler, body::LARGEST_PRIVATE);
    Router::new()
        // The Azure Functions host asks here whether the handler is ready. Any answer means that it
        // is.
        .route("/", public(&functions.landing))
        .route("/landing", public(&functions.landing))
        .route("/landing/{*page}", public(&functions.landing))
        .route("/webhook", public(&functions.webhook))
        .route("/subscriptions/{id}/activate", private(&functions.activation))
        .route("/reconciliation", post(reconcile).with_state(functions.reconciliation))
        .route("/delivery", post(deliver).with_state(functions.delivery))
        .route("/examination", post(examine).with_state(functions.management.clone()))
        // Management has several routes, and answers 404 to all unknown ones.
        .fallback_service(private(&functions.management))
        .layer(map_response(name_version))
}

/// The console, which shares no origin with the landing page.
pub fn console_router(console: Arc<dyn Handler>) -> Router {
    let largest_body = body::LARGEST_PUBLIC;
    Router::new()
        .fallback_service(any(hand_over).with_state(Function { handler: console, largest_body }))
        .layer(map_response(name_version))
}

async fn name_version(mut response: Response<Body>) -> Response<Body> {
    version::name_in(response.headers_mut());
    response
}

/// A handler, and the largest body that it is given, in bytes.
#[derive(Clone)]
struct Function {
    handler: Arc<dyn Handler>,
    largest_body: usize,
}

async fn hand_over(
    State(Function { handler, largest_body }): State<Function>,
    request: http::Request<Body>,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let response = match body::read(body, largest_body).await {
        Ok(body) => handler.handle(Request::from_parts(parts, body)).await,
        Err(problem) => handler.refuse(problem),
    };
    response.map(Body::from)
}

/// How long an invocation starts further slices. If it takes longer than `host.json` allows, the
/// host kills the whole process, with all requests that are under way.
const LAST_SLICE_BEGINS: Duration = Duration::from_secs(60);

/// Runs slices until the list ends or the time is up. The answer needs the host's envelope: without
/// it, the invocation would hang.
async fn reconcile(State(reconciliation): State<Arc<Reconciliation>>) -> impl IntoResponse {
    let begun = Instant::now();
    loop {
        match reconciliation.slice().await {
            Ok(report) if !report.finished && begun.elapsed() < LAST_SLICE_BEGINS => {}
            Ok(report) => {
                return enveloped(StatusCode::OK, &[], json!(report));
            }
            Err(error) => {
                let logs = [error.to_string()];
                return enveloped(StatusCode::INTERNAL_SERVER_ERROR, &logs, Value::Null);
            }
        }
    }
}

/// Delivers everything that is due. On this host, no stream of the table starts a delivery.
async fn deliver(State(delivery): State<Option<Arc<Delivery>>>) -> impl IntoResponse {
    let Some(delivery) = delivery else {
        let logs =
            ["DELIVERY_ENDPOINT, DELIVERY_ENDPOINTS and DELIVERY_EVENT_BUS are not set".to_owned()];
        return enveloped(StatusCode::OK, &logs, Value::Null);
    };
    match delivery.sweep(Driver::Alone).await {
        Ok(report) => enveloped(StatusCode::OK, &[], json!(report)),
        Err(error) => {
            let logs = [error.to_string()];
            enveloped(StatusCode::INTERNAL_SERVER_ERROR, &logs, Value::Null)
        }
    }
}

/// Examines the deployment, with the request that a caller of the API would send.
async fn examine(State(management): State<Arc<dyn Handler>>) -> impl IntoResponse {
    let mut request = Request::default();
    *request.uri_mut() = Uri::from_static("/doctor");
    let answered = management.handle(request).await;
    let found = serde_json::from_slice(answered.body()).unwrap_or_default();
    enveloped(answered.status(), &[], found)
}

/// The answer to a timer, in the host's envelope.
fn enveloped(status: StatusCode, logs: &[String], returned: Value) -> Response<Body> {
    let envelope = json!({ "Outputs": {}, "Logs": logs, "ReturnValue": returned });
    answer(status, &envelope).map(Body::from)
}
