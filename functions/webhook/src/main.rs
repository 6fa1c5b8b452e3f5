//! The webhook as a Lambda function.

use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    shared::host::lambda::serve(webhook::Webhook::from_environment).await
}
