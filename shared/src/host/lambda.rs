//! The Lambda runtime around a handler.

use std::process::ExitCode;
use std::sync::Arc;

use bytes::Bytes;
use lambda_http::{Body, Error, RequestExt, service_fn};
use tracing::error;

use super::environment::{ConfigError, Environment};
use super::http::{Handler, Request};
use super::telemetry;

/// Runs an HTTP function: reads its settings, then answers requests until Lambda ends the process.
///
/// A wrong setting stops the start with one line on standard error and in the log.
pub async fn serve<H: Handler + 'static>(
    build: impl FnOnce(&Environment) -> Result<H, ConfigError>,
) -> ExitCode {
    let handler = match start(build) {
        Ok(handler) => Arc::new(handler),
        Err(code) => return code,
    };
    let answer = move |request: lambda_http::Request| {
        let handler = Arc::clone(&handler);
        async move { Ok::<_, Error>(handler.handle(incoming(request)).await.map(outgoing)) }
    };
    ended(lambda_http::run(service_fn(answer)).await)
}

/// Reads the settings and starts the log.
pub fn start<T>(build: impl FnOnce(&Environment) -> Result<T, ConfigError>) -> Result<T, ExitCode> {
    let environment = Environment::of_process();
    telemetry::start(&environment).and_then(|()| build(&environment)).map_err(|wrong| {
        eprintln!("{wrong}");
        error!(error = %wrong, "a setting is wrong");
        ExitCode::FAILURE
    })
}

/// The exit code after the runtime has ended.
pub fn ended(result: Result<(), Error>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error!(%error, "the Lambda runtime ended");
            ExitCode::FAILURE
        }
    }
}

/// The request with the caller's path, without the stage's name in front.
fn incoming(request: lambda_http::Request) -> Request {
    let path = request.raw_http_path().to_owned();
    let (mut parts, body) = request.into_parts();
    if !path.is_empty() {
        let query = parts.uri.query().map(|query| format!("?{query}")).unwrap_or_default();
        if let Ok(uri) = format!("{path}{query}").parse() {
            parts.uri = uri;
        }
    }
    let body = match body {
        Body::Text(text) => Bytes::from(text),
        Body::Binary(bytes) => Bytes::from(bytes),
        _ => Bytes::new(),
    };
    Request::from_parts(parts, body)
}

fn outgoing(body: Bytes) -> Body {
    match String::from_utf8(body.into()) {
        Ok(text) => Body::Text(text),
        Err(bytes) => Body::Binary(bytes.into_bytes()),
    }
}
