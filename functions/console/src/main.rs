//! The console's function on Lambda.

use std::process::ExitCode;

use shared::host::lambda::{Access, serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    serve(env!("CARGO_PKG_NAME"), Access::Public, console::Console::from_environment).await
}
