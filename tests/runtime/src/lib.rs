//! Hosts for tests: they start the binaries that ship, as Lambda and the Azure Functions host do,
//! next to the emulator and an embedded database, and send them the payloads of `events/`.
//!
//! Each binary gets exactly what `template.yaml` deploys it with ([`deployment`]), so a setting or
//! permission that is missing there makes a test fail: its environment comes from the template, and
//! its calls to AWS pass [`aws`], which refuses everything that the template's role does not grant.

mod answer;
pub mod aws;
mod azure;
pub mod cases;
mod credential;
pub mod deployment;
mod event;
mod hosted_case;
mod lambda;
mod process;
mod replay;
pub mod settings;
mod timer_delivery;
mod timer_examination;

use std::path::{Path, PathBuf};

pub use answer::Answer;
pub use credential::Credential;
pub use event::{Event, Live};
pub use hosted_case::{Case, HostedCase};
pub use lambda::Lambda;
pub use replay::{azure_answers_with, lambda_answers, lambda_answers_with, same_on_both_hosts};
pub use timer_delivery::azure_delivers_on_the_timer_alone;
pub use timer_examination::azure_examines_the_deployment_on_the_timer;

/// The folder of the workspace.
pub fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The binary under test: the one that cargo built, or the one of the same name in the folder that
/// `RUNTIME_BINARIES` names.
pub fn binary(built: &str) -> PathBuf {
    let built = PathBuf::from(built);
    match std::env::var_os("RUNTIME_BINARIES") {
        Some(folder) => {
            let name = built.file_name().expect("a binary has a name");
            // Tests run in their package's folder, but the variable is relative to the project's.
            project().join(folder).join(name)
        }
        None => built,
    }
}

/// Another function's binary in the same folder.
///
/// # Panics
/// When it has not been built.
pub fn beside(binary: &Path, function: &str) -> PathBuf {
    let other = binary.with_file_name(function);
    assert!(
        other.is_file(),
        "{} is not built; `cargo build --workspace` builds it",
        other.display()
    );
    other
}
