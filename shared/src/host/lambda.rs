//! The Lambda runtime around a handler.

use std::process::ExitCode;
use std::sync::Arc;

use bytes::Bytes;
use lambda_http::{Body, Error, RequestExt, service_fn};
use tracing::error;

use crate::host::environment::{ConfigError, Environment};
use crate::host::http::{Handler, Request};
use crate::host::telemetry;

/// Starts an HTTP function: reads its settings, then answers until the environment is taken away.
///
/// A wrong setting stops the start with one line on standard error, and in the log.
pub async fn serve<H: Handler + 'static>(
    build: impl FnOnce(&Environment) -> Result<H, ConfigError>,
) -> ExitCode {
    match start(build) {
        Ok(handler) => {
            let handler = Arc::new(handler);
            ended(
                lambda_http::run(service_fn(move |request: lambda_http::Request| {
                    let handler = Arc::clone(&handler);
                    async move { Ok::<_, Error>(handler.handle(incoming(request)).await.map(outgoing)) }
                }))
                .await,
            )
        }
        Err(code) => code,
    }
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

/// The exit code of a runtime that came to an end.
pub fn ended(result: Result<(), Error>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error!(%error, "the Lambda runtime ended");
            ExitCode::FAILURE
        }
    }
}

/// The request with the path the caller asked for, without a stage's name before it.
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
