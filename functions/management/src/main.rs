//! The management function on Lambda.

use std::process::ExitCode;

use shared::host::lambda::{Access, serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    serve(env!("CARGO_PKG_NAME"), Access::Signed, management::Management::from_environment).await
}
