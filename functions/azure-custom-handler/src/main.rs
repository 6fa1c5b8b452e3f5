//! The executable that the Azure Functions host starts.

use std::net::Ipv4Addr;
use std::process::ExitCode;

use azure_custom_handler::{Functions, router};
use shared::host::environment::{ConfigError, Environment};
use shared::host::error_class::ErrorClass;
use shared::host::telemetry;
use tokio::net::TcpListener;
use tracing::error;

#[tokio::main]
async fn main() -> ExitCode {
    let environment = Environment::of_process();
    let log = telemetry::start(&environment, env!("CARGO_PKG_NAME"));
    let (functions, port) = match log.and_then(|()| start(&environment)) {
        Ok(started) => started,
        Err(wrong) => {
            eprintln!("{wrong}");
            return ExitCode::FAILURE;
        }
    };
    // The host calls its handler over loopback.
    let served = match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
        Ok(listener) => axum::serve(listener, router(functions)).await,
        Err(error) => Err(error),
    };
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error!(%error, port, class = ErrorClass::Program.name(), "the server failed");
            ExitCode::FAILURE
        }
    }
}

fn start(environment: &Environment) -> Result<(Functions, u16), ConfigError> {
    const NAME: &str = "FUNCTIONS_CUSTOMHANDLER_PORT";
    const PURPOSE: &str = "the port on which the Azure Functions host calls its handler";
    let port = environment.require(NAME, PURPOSE)?;
    let port = port.parse().map_err(|_| ConfigError {
        name: NAME,
        problem: "is not a port".to_owned(),
        purpose: PURPOSE,
    })?;
    // All functions of an app share an origin, and the console needs one of its own.
    const CONSOLE: &str = "CONSOLE_CLIENT_ID";
    if environment.get(CONSOLE).is_some() {
        let problem = "is set, and the Azure Functions host serves no console".to_owned();
        let purpose = "the staff console's own app registration at Entra";
        return Err(ConfigError { name: CONSOLE, problem, purpose });
    }
    Ok((Functions::from_environment(environment)?, port))
}
