//! The Lambda runtime around a handler.

mod event;
#[cfg(test)]
mod tests;

use std::process::ExitCode;
use std::sync::Arc;

use http::{Method, StatusCode};
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use lambda_http::{Context, Error, LambdaEvent, service_fn};
use serde_json::value::RawValue;
use tracing::{error, info, warn};

use super::environment::{ConfigError, Environment};
use super::error_class::ErrorClass;
use super::http::{Handler, Principal, Problem};
use super::{invocation, telemetry, version};

/// Who may call a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anyone. The function itself checks who calls.
    Public,
    /// A principal whose AWS signature was checked before the function was called. The template asks
    /// API Gateway for that. An event without a principal came another way, such as by a function
    /// URL without authentication.
    Signed,
}

/// Runs an HTTP function: reads its settings, then answers requests until Lambda ends the process.
/// `service` is its name in the log.
///
/// A wrong setting stops the start with one line on standard error and in the log.
pub async fn serve<H: Handler + 'static>(
    service: &'static str,
    access: Access,
    build: impl FnOnce(&Environment) -> Result<H, ConfigError>,
) -> ExitCode {
    let handler = match start(service, build) {
        Ok(handler) => Arc::new(handler),
        Err(code) => return code,
    };
    let answer = move |invocation: LambdaEvent<Box<RawValue>>| {
        let handler = Arc::clone(&handler);
        async move {
            let LambdaEvent { payload, context } = invocation;
            let answer = answer(&*handler, access, payload.get());
            Ok::<_, Error>(invoked(&context, answer).await)
        }
    };
    ended(lambda_runtime::run(service_fn(answer)).await)
}

/// Answers one event of API Gateway or of a function URL (payload format 2.0).
///
/// It converts the event itself: `lambda_http::run` panics on a query, a `Host` or an
/// `X-Forwarded-Proto` that makes no URL, and any caller can send those.
pub async fn answer(
    handler: &dyn Handler,
    access: Access,
    event: &str,
) -> ApiGatewayV2httpResponse {
    let request = event::request(event);
    let is_head = request.as_ref().is_ok_and(|request| *request.method() == Method::HEAD);
    let mut response = match request {
        Ok(request) => match (access, request.extensions().get::<Principal>()) {
            (Access::Public, _) => handler.handle(request).await,
            (Access::Signed, Some(principal)) => {
                info!(%principal, method = %request.method(), "a signed request");
                handler.handle(request).await
            }
            (Access::Signed, None) => {
                error!(
                    class = ErrorClass::Configuration.name(),
                    "refused a request without a signature: is the function reachable past the API?"
                );
                Problem::new(
                    StatusCode::UNAUTHORIZED,
                    "unsigned",
                    "a request with a valid AWS signature is required",
                )
                .into()
            }
        },
        Err(malformed) => {
            warn!(error = %malformed, "the event holds no HTTP request");
            handler.refuse(Problem::new(
                StatusCode::BAD_REQUEST,
                "malformed_request",
                "this is not a well-formed HTTP request",
            ))
        }
    };
    if is_head {
        response.body_mut().clear();
    }
    version::name_in(response.headers_mut());
    event::response(response)
}

/// Runs the work of one invocation. Its log lines have the invocation's ids.
pub async fn invoked<F: Future>(context: &Context, work: F) -> F::Output {
    invocation::run(&context.request_id, context.xray_trace_id.as_deref(), work).await
}

/// Reads the settings and starts the log.
pub fn start<T>(
    service: &'static str,
    build: impl FnOnce(&Environment) -> Result<T, ConfigError>,
) -> Result<T, ExitCode> {
    let environment = Environment::of_process();
    telemetry::start(&environment, service).and_then(|()| build(&environment)).map_err(|wrong| {
        eprintln!("{wrong}");
        let class = ErrorClass::Configuration;
        error!(error = %wrong, class = class.name(), metric = class.metric(), "a setting is wrong");
        ExitCode::FAILURE
    })
}

/// The exit code after the runtime has ended.
pub fn ended(result: Result<(), Error>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error!(%error, class = ErrorClass::Program.name(), "the Lambda runtime ended");
            ExitCode::FAILURE
        }
    }
}
