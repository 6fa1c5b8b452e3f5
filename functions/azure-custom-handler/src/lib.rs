//! The same handlers behind one HTTP server: for the Azure Functions host, and for one machine.
//!
//! The host forwards an HTTP trigger's request as it came. A timer comes as `POST /reconciliation` or
//! `POST /delivery` with an envelope, and wants one back. Who may call what is the host's business: `function.json`
//! keeps everything but the landing page and the webhook behind a function key.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::{any, get, post};
use delivery::{Delivery, Driver};
use http::StatusCode;
use reconciliation::Reconciliation;
use serde_json::{Value, json};
use shared::config::{Dependencies, ManagementSettings};
use shared::host::environment::{ConfigError, Environment};
use shared::host::http::{Handler, Request, Response, empty, json as answer};
use tracing::error;

/// As much as API Gateway lets through; each function has limits of its own.
const LARGEST_BODY: usize = 10 * 1024 * 1024;

/// Every function.
pub struct Functions {
    /// The landing page.
    pub landing: Arc<dyn Handler>,
    /// The webhook.
    pub webhook: Arc<dyn Handler>,
    /// Activation.
    pub activation: Arc<dyn Handler>,
    /// The publisher's own API.
    pub management: Arc<dyn Handler>,
    /// The reconciliation.
    pub reconciliation: Arc<Reconciliation>,
    /// The delivery; `None` where the settings name nobody to tell.
    pub delivery: Option<Arc<Delivery>>,
}

impl Functions {
    /// All functions as the settings describe them.
    pub fn from_environment(environment: &Environment) -> Result<Self, ConfigError> {
        let dependencies = Dependencies::read(environment)?;
        Self::new(environment, &dependencies)
    }

    /// All functions on a given foundation.
    pub fn new(
        environment: &Environment,
        dependencies: &Dependencies,
    ) -> Result<Self, ConfigError> {
        Ok(Self {
            landing: Arc::new(landing::Landing::new(environment, dependencies)?),
            webhook: Arc::new(webhook::Webhook::new(environment, dependencies)?),
            activation: Arc::new(activation::Activation::new(dependencies)),
            management: Arc::new(management::Management::new(
                dependencies,
                ManagementSettings::read(environment, dependencies)?,
            )),
            reconciliation: Arc::new(Reconciliation::new(environment, dependencies)?),
            delivery: Delivery::beside(environment, dependencies)?.map(Arc::new),
        })
    }
}

/// The routes, as the template and the `function.json` files have them.
pub fn router(functions: Functions) -> Router {
    let function = |handler: &Arc<dyn Handler>| any(hand_over).with_state(Arc::clone(handler));
    Router::new()
        // The host takes any answer here for "ready".
        .route("/", get(|| async { StatusCode::OK }))
        .route("/landing", function(&functions.landing))
        .route("/landing/{*page}", function(&functions.landing))
        .route("/webhook", function(&functions.webhook))
        .route("/subscriptions/{id}/activate", function(&functions.activation))
        .route("/reconciliation", post(reconcile).with_state(functions.reconciliation))
        .route("/delivery", post(deliver).with_state(functions.delivery))
        // Knows its own routes, and what to answer where there is none.
        .fallback_service(function(&functions.management))
}

async fn hand_over(
    State(handler): State<Arc<dyn Handler>>,
    request: http::Request<Body>,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    match to_bytes(body, LARGEST_BODY).await {
        Ok(body) => handler.handle(Request::from_parts(parts, body)).await.map(Body::from),
        // Too large or cut short. Not a 4xx: on the webhook that would be read as a rejection.
        Err(_) => empty(StatusCode::INTERNAL_SERVER_ERROR).map(Body::from),
    }
}

/// No further slice is begun later than this: the host ends the whole process, calls under way
/// included, when an invocation takes longer than `host.json` allows.
const LAST_SLICE_BEGINS: Duration = Duration::from_secs(60);

/// Runs slices until the list or the time is through, and answers in the host's envelope; an answer without one
/// would leave the invocation hanging.
async fn reconcile(State(reconciliation): State<Arc<Reconciliation>>) -> impl IntoResponse {
    let begun = Instant::now();
    loop {
        match reconciliation.slice().await {
            Ok(report) if !report.finished && begun.elapsed() < LAST_SLICE_BEGINS => {}
            Ok(report) => {
                return enveloped(StatusCode::OK, &[], json!(report));
            }
            Err(error) => {
                error!(%error, "the reconciliation ended before its time; the next run goes on");
                let logs = [error.to_string()];
                return enveloped(StatusCode::INTERNAL_SERVER_ERROR, &logs, Value::Null);
            }
        }
    }
}

/// Carries everything that is due; there is no stream of the table here that would wake anybody.
async fn deliver(State(delivery): State<Option<Arc<Delivery>>>) -> impl IntoResponse {
    let Some(delivery) = delivery else {
        let logs = ["neither DELIVERY_ENDPOINT nor DELIVERY_EVENT_BUS is set".to_owned()];
        return enveloped(StatusCode::OK, &logs, Value::Null);
    };
    match delivery.sweep(Driver::Alone).await {
        Ok(report) => enveloped(StatusCode::OK, &[], json!(report)),
        Err(error) => {
            error!(%error, "what is due can't be read; it stays due");
            let logs = [error.to_string()];
            enveloped(StatusCode::INTERNAL_SERVER_ERROR, &logs, Value::Null)
        }
    }
}

/// What the host wants back from a timer.
fn enveloped(status: StatusCode, logs: &[String], returned: Value) -> Response<Body> {
    let envelope = json!({ "Outputs": {}, "Logs": logs, "ReturnValue": returned });
    answer(status, &envelope).map(Body::from)
}
