//! The activation function on Lambda.

use std::process::ExitCode;

use shared::host::lambda::{Access, serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    serve(env!("CARGO_PKG_NAME"), Access::Signed, activation::Activation::from_environment).await
}
