//! The landing function on Lambda.

use std::process::ExitCode;

use shared::host::lambda::{Access, serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    serve(env!("CARGO_PKG_NAME"), Access::Public, landing::Landing::from_environment).await
}
