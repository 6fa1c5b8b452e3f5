//! The landing function on Lambda.

use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    shared::host::lambda::serve(landing::Landing::from_environment).await
}
