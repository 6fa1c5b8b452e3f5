//! The activation function on Lambda.

use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    shared::host::lambda::serve(activation::Activation::from_environment).await
}
