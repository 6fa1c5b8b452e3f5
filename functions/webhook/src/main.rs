//! The webhook as a Lambda function.

use std::process::ExitCode;

use shared::host::lambda::{Access, serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    serve(env!("CARGO_PKG_NAME"), Access::Public, webhook::Webhook::from_environment).await
}
