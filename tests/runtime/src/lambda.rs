//! Lambda: the Runtime API, and a binary that polls it for invocations.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{self, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use http::StatusCode;
use jiff::Timestamp;
use local::LocalSystem;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::aws::{self, Aws, Seen, TABLE};
use crate::deployment::tested;
use crate::process::{Process, Variables, Written};
use crate::{Answer, Event};

/// A function in an execution environment.
pub struct Lambda {
    process: Process,
    api: Arc<RuntimeApi>,
    aws: Arc<Aws>,
    invocations: mpsc::UnboundedSender<Invocation>,
    timeout: Duration,
    started: Timestamp,
    serving: JoinHandle<()>,
}

struct Invocation {
    id: String,
    payload: String,
    deadline: Timestamp,
}

struct RuntimeApi {
    waiting: Mutex<mpsc::UnboundedReceiver<Invocation>>,
    outcomes: StdMutex<HashMap<String, oneshot::Sender<Outcome>>>,
}

/// How an invocation ended.
type Outcome = Result<Bytes, Bytes>;

impl Lambda {
    /// Starts a function as the template deploys it.
    pub async fn start(binary: &Path, function: &str, system: &LocalSystem) -> Self {
        Self::start_with(binary, function, system, &Variables::new()).await
    }

    /// Starts a function as the template deploys it, with additional settings.
    ///
    /// # Panics
    /// When the function can't be started.
    pub async fn start_with(
        binary: &Path,
        function: &str,
        system: &LocalSystem,
        settings: &Variables,
    ) -> Self {
        let stack = tested();
        assert_eq!(system.variables["TABLE_NAME"], TABLE);
        let (invocations, waiting) = mpsc::unbounded_channel();
        let api =
            Arc::new(RuntimeApi { waiting: Mutex::new(waiting), outcomes: StdMutex::default() });
        let aws = Arc::new(Aws {
            database: system.database_url().expect("the system has its own database").to_owned(),
            secret: system.variables["ENTRA_CLIENT_SECRET"].clone(),
            landing_secret: system.variables["LANDING_CLIENT_SECRET"].clone(),
            console_secret: system.variables["CONSOLE_CLIENT_SECRET"].clone(),
            signing_key: system.variables.get("DELIVERY_SIGNING_KEY").cloned().unwrap_or_default(),
            granted: stack.grants(function),
            seen: StdMutex::default(),
            http: shared::host::http_client::client(),
        });
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("a bound port has an address");
        let routes = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(failure))
            .route("/2018-06-01/runtime/init/error", post(init_failure))
            .with_state(Arc::clone(&api))
            .route("/aws", post(aws::call).with_state(Arc::clone(&aws)))
            .route("/aws/", post(aws::call).with_state(Arc::clone(&aws)));
        let serving = tokio::spawn(async move {
            axum::serve(listener, routes).await.expect("the Runtime API serves");
        });

        let mut variables = stack.environment(function);
        for (name, value) in &mut variables {
            if let Some(given) = system.variables.get(name) {
                value.clone_from(given);
            }
        }
        let timeout = stack.timeout(function);
        let mut set = |name: &str, value: &str| variables.insert(name.to_owned(), value.to_owned());
        // The variables that Lambda itself sets.
        set("AWS_LAMBDA_RUNTIME_API", &address.to_string());
        set("AWS_LAMBDA_FUNCTION_NAME", function);
        set("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST");
        set("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128");
        set("AWS_REGION", "eu-north-1");
        set("AWS_ACCESS_KEY_ID", "ASIAEXAMPLE");
        set("AWS_SECRET_ACCESS_KEY", "emulated-role-key");
        set("AWS_SESSION_TOKEN", "emulated-session-token");
        // The function's calls to AWS come to this machine instead.
        set("AWS_ENDPOINT_URL_DYNAMODB", &format!("http://{address}/aws"));
        set("AWS_ENDPOINT_URL_SECRETS_MANAGER", &format!("http://{address}/aws"));
        set("AWS_ENDPOINT_URL_SFN", &format!("http://{address}/aws"));
        set("AWS_ENDPOINT_URL_CLOUDWATCH", &format!("http://{address}/aws"));
        set("AWS_ENDPOINT_URL_EVENTBRIDGE", &format!("http://{address}/aws"));
        // The template always deploys the sign-in. Most cases do without it.
        set("LANDING_SIGN_IN", &system.variables["LANDING_SIGN_IN"]);
        variables.extend(settings.clone());
        let started = Timestamp::now();
        let process = Process::start(binary, &variables);
        Self { process, api, aws, invocations, timeout, started, serving }
    }

    /// When the process was started.
    pub fn started(&self) -> Timestamp {
        self.started
    }

    /// How much processor time the function has used so far; `None` where the system doesn't tell.
    pub fn cpu_time(&self) -> Option<Duration> {
        self.process.cpu_time()
    }

    /// Invokes the function. `Err` is the error it returned; its invoker may retry.
    ///
    /// # Panics
    /// When the function gives no answer in JSON.
    pub async fn invoke(&mut self, event: &Event) -> Result<Answer, String> {
        let id = Uuid::new_v4().to_string();
        let outcome = self.api.begin(&id);
        let deadline = Timestamp::now() + self.timeout;
        let invocation = Invocation { id, payload: event.payload().to_string(), deadline };
        self.invocations
            .send(invocation)
            .expect("the Runtime API runs as long as this value exists");
        let outcome = tokio::select! {
            outcome = outcome => outcome.expect("the Runtime API forgets no invocation"),
            status = self.process.ended() => panic!("the function ended: {status}"),
            () = tokio::time::sleep(self.timeout) => panic!("no answer within the function's timeout"),
        };
        let returned: Value = match outcome {
            Ok(body) => serde_json::from_slice(&body).expect("a function answers in JSON"),
            Err(error) => return Err(String::from_utf8_lossy(&error).into_owned()),
        };
        Ok(if event.is_http() {
            Answer::from_gateway(&returned)
        } else {
            Answer::returned(&returned)
        })
    }

    /// The entries that the function has put on the event bus so far.
    pub fn on_bus(&self) -> Vec<Value> {
        self.aws.seen.lock().unwrap_or_else(PoisonError::into_inner).on_bus.clone()
    }

    /// Ends the function and returns its output and its calls to AWS.
    pub async fn end(self) -> (Written, Seen) {
        let written = self.process.end().await;
        self.serving.abort();
        let mut seen = self.aws.seen.lock().unwrap_or_else(PoisonError::into_inner);
        (written, std::mem::take(&mut *seen))
    }
}

async fn next(State(api): State<Arc<RuntimeApi>>) -> Response {
    let Some(Invocation { id, payload, deadline }) = api.waiting.lock().await.recv().await else {
        return StatusCode::GONE.into_response();
    };
    let headers = [
        ("lambda-runtime-aws-request-id", id),
        ("lambda-runtime-deadline-ms", deadline.as_millisecond().to_string()),
        (
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:eu-north-1:123456789012:function:tested".to_owned(),
        ),
        (
            "lambda-runtime-trace-id",
            "Root=1-6b03fbf9-ac0fe9ef99e75d01a3ea5733;Parent=53995c3f42cd8ad8;Sampled=0".to_owned(),
        ),
        ("content-type", "application/json".to_owned()),
    ];
    (headers, payload).into_response()
}

async fn response(
    State(api): State<Arc<RuntimeApi>>,
    extract::Path(id): extract::Path<String>,
    body: Bytes,
) -> StatusCode {
    api.end(&id, Ok(body))
}

async fn failure(
    State(api): State<Arc<RuntimeApi>>,
    extract::Path(id): extract::Path<String>,
    body: Bytes,
) -> StatusCode {
    api.end(&id, Err(body))
}

/// The function failed to start, so every waiting invocation fails.
async fn init_failure(State(api): State<Arc<RuntimeApi>>, body: Bytes) -> StatusCode {
    let mut outcomes = api.outcomes.lock().unwrap_or_else(PoisonError::into_inner);
    for (_, waits) in outcomes.drain() {
        // Fails only if the invoker has stopped waiting.
        let _ = waits.send(Err(body.clone()));
    }
    StatusCode::ACCEPTED
}

impl RuntimeApi {
    fn begin(&self, id: &str) -> oneshot::Receiver<Outcome> {
        let (ended, outcome) = oneshot::channel();
        let mut outcomes = self.outcomes.lock().unwrap_or_else(PoisonError::into_inner);
        outcomes.insert(id.to_owned(), ended);
        outcome
    }

    fn end(&self, id: &str, outcome: Outcome) -> StatusCode {
        let waits = self.outcomes.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
        match waits.map(|waits| waits.send(outcome)) {
            Some(Ok(())) => StatusCode::ACCEPTED,
            // The invocation is unknown or already answered.
            Some(Err(_)) | None => StatusCode::BAD_REQUEST,
        }
    }
}
