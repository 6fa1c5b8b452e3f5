//! Starts runs of a state machine: one call of AWS Step Functions, in its JSON protocol. Its SDK would make
//! the function larger and its start slower.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_credential_types::provider::{ProvideCredentials as _, SharedCredentialsProvider};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderName, StatusCode};
use serde_json::{Value, json};
use thiserror::Error;
use url::Url;

use super::aws_signature::sign_request;
use super::error_class::ErrorClass;
use super::http_client::Transport;

/// How long a call may take.
const TIMEOUT: Duration = Duration::from_secs(5);

const TARGET: HeaderName = HeaderName::from_static("x-amz-target");

/// AWS's codes for a load that is too high, which come with a 400.
const THROTTLES: [&str; 3] =
    ["ThrottlingException", "ExecutionLimitExceeded", "RequestLimitExceeded"];

/// Starts runs of the reconciliation.
#[async_trait]
pub trait RunStarter: Send + Sync {
    /// Starts a run. MUST start none if one was started by this name before. A name has up to 80 letters,
    /// digits, `-` and `_`.
    async fn start(&self, name: &str, dry_run: bool) -> Result<(), StartError>;
}

/// Why no run was started, as far as is known. A repeated call with the same name does no harm.
#[derive(Debug, Error)]
pub enum StartError {
    /// The deployment has to be changed.
    #[error("Step Functions refused StartExecution: {status} {code}")]
    Refused { status: u16, code: String },
    #[error("Step Functions is unavailable: {0}")]
    Unavailable(String),
    /// The function has no credentials to sign with.
    #[error("Step Functions was not asked: {0}")]
    Unsigned(String),
}

impl StartError {
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Refused { .. } | Self::Unsigned(_) => ErrorClass::Configuration,
            Self::Unavailable(_) => ErrorClass::Program,
        }
    }
}

/// A state machine.
pub struct StateMachine {
    pub transport: Arc<dyn Transport>,
    pub credentials: SharedCredentialsProvider,
    /// `https://states.eu-north-1.amazonaws.com`, or a stand-in; no trailing slash.
    pub endpoint: String,
    pub region: String,
    pub arn: String,
}

impl StateMachine {
    /// AWS's own endpoint in a region.
    pub fn endpoint_in(region: &str) -> String {
        let suffix = if region.starts_with("cn-") { ".com.cn" } else { ".com" };
        format!("https://states.{region}.amazonaws{suffix}")
    }

    fn request(&self, body: &Value) -> Result<http::Request<Bytes>, http::Error> {
        let url = Url::parse(&self.endpoint).ok();
        let host =
            url.as_ref().map(|url| &url[url::Position::BeforeHost..url::Position::AfterPort]);
        http::Request::post(format!("{}/", self.endpoint))
            .header(HOST, host.unwrap_or_default())
            .header(CONTENT_TYPE, "application/x-amz-json-1.0")
            .header(TARGET, "AWSStepFunctions.StartExecution")
            .body(Bytes::from(body.to_string()))
    }
}

#[async_trait]
impl RunStarter for StateMachine {
    /// Step Functions knows a name for 90 days.
    async fn start(&self, name: &str, dry_run: bool) -> Result<(), StartError> {
        let input = if dry_run { json!({ "dryRun": true }) } else { json!({}) };
        let body = json!({ "stateMachineArn": self.arn, "name": name, "input": input.to_string() });
        let unsigned = |error: &dyn std::error::Error| StartError::Unsigned(error.to_string());
        let mut request = self.request(&body).map_err(|error| unsigned(&error))?;
        let credentials = self.credentials.provide_credentials().await;
        let credentials = credentials.map_err(|error| unsigned(&error))?;
        sign_request(&mut request, &credentials, &self.region, "states")
            .map_err(|error| unsigned(&error))?;
        let answer = self.transport.send(request, TIMEOUT).await;
        let answer = answer.map_err(|error| StartError::Unavailable(error.to_string()))?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            status => refusal(status, answer.body()),
        }
    }
}

fn refusal(status: StatusCode, body: &[u8]) -> Result<(), StartError> {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    // AWS may put a namespace before the code.
    let code = body["__type"].as_str().and_then(|code| code.rsplit('#').next());
    let is_word = |code: &&str| {
        (1..=64).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    let code = code.filter(is_word).unwrap_or("without a reason").to_owned();
    if code == "ExecutionAlreadyExists" {
        return Ok(());
    }
    if status.is_server_error()
        || status == StatusCode::TOO_MANY_REQUESTS
        || THROTTLES.contains(&code.as_str())
    {
        return Err(StartError::Unavailable(format!("{} {code}", status.as_u16())));
    }
    Err(StartError::Refused { status: status.as_u16(), code })
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use aws_credential_types::Credentials;

    use super::*;
    use crate::host::http_client::SendError;

    /// Keeps the requests, and gives each the same answer.
    #[derive(Debug)]
    struct Recorder(Mutex<Vec<http::Request<Bytes>>>);

    #[async_trait]
    impl Transport for Recorder {
        async fn send(
            &self,
            request: http::Request<Bytes>,
            _: Duration,
        ) -> Result<http::Response<Bytes>, SendError> {
            self.0.lock().expect("no test panics with it").push(request);
            Ok(http::Response::new(Bytes::from_static(b"{\"executionArn\":\"arn\"}")))
        }
    }

    #[tokio::test]
    async fn a_run_is_started_by_a_signed_call_that_names_it() {
        let recorder = Arc::new(Recorder(Mutex::default()));
        let machine = StateMachine {
            transport: recorder.clone(),
            credentials: SharedCredentialsProvider::new(Credentials::new(
                "id", "key", None, None, "test",
            )),
            endpoint: StateMachine::endpoint_in("eu-north-1"),
            region: "eu-north-1".to_owned(),
            arn: "arn:aws:states:eu-north-1:123456789012:stateMachine:run".to_owned(),
        };
        machine.start("one", false).await.expect("it is started");
        machine.start("two", true).await.expect("it is started");
        let requests = recorder.0.lock().expect("no test panics with it");
        for (request, name, input) in
            [(&requests[0], "one", "{}"), (&requests[1], "two", "{\"dryRun\":true}")]
        {
            assert_eq!(request.uri(), "https://states.eu-north-1.amazonaws.com/");
            assert_eq!(request.headers()[HOST], "states.eu-north-1.amazonaws.com");
            assert_eq!(request.headers()[TARGET], "AWSStepFunctions.StartExecution");
            let signature = request.headers()["authorization"].to_str().expect("text");
            assert!(signature.contains("/eu-north-1/states/aws4_request"), "{signature}");
            let body: Value = serde_json::from_slice(request.body()).expect("JSON");
            let expected = json!({ "stateMachineArn": machine.arn, "name": name, "input": input });
            assert_eq!(body, expected);
        }
        let china = StateMachine::endpoint_in("cn-north-1");
        assert_eq!(china, "https://states.cn-north-1.amazonaws.com.cn");
    }

    #[test]
    fn a_name_that_is_taken_is_no_error_and_a_passing_failure_is_told_from_a_setting() {
        let refused = |status: u16, body: &str| {
            refusal(StatusCode::from_u16(status).expect("a status"), body.as_bytes())
        };
        for code in ["ExecutionAlreadyExists", "com.amazonaws.sfn#ExecutionAlreadyExists"] {
            assert!(refused(400, &json!({ "__type": code }).to_string()).is_ok(), "{code}");
        }
        for (status, code, is_configuration) in [
            (400, "AccessDeniedException", true),
            (400, "StateMachineDoesNotExist", true),
            (400, "a <b>secret</b>", true),
            (400, "ThrottlingException", false),
            (400, "ExecutionLimitExceeded", false),
            (429, "", false),
            (503, "ServiceUnavailable", false),
        ] {
            let error = refused(status, &json!({ "__type": code }).to_string());
            let error = error.expect_err("a refusal");
            assert_eq!(error.class() == ErrorClass::Configuration, is_configuration, "{error}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
