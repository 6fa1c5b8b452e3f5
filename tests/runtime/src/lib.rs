//! The hosts, for tests: starts the binaries that ship, as Lambda and as the Azure Functions host do,
//! on a stage of emulator and database, and sends them the payloads of `events/`.
//!
//! What is deployed with a function is read from `template.yaml`, so that a setting or a permission
//! missing there is missing here: the binary gets the template's environment and nothing else, and
//! its calls to AWS pass [`aws`], which refuses what the template's role does not grant.

mod answer;
pub mod aws;
mod azure;
pub mod cases;
mod event;
mod lambda;
mod play;
mod process;
mod replay;
pub mod settings;
pub mod template;
mod told;

use std::path::{Path, PathBuf};

pub use answer::Answer;
pub use event::{Event, Live};
pub use lambda::Lambda;
pub use play::{Case, Play};
pub use replay::{lambda_answers, same_on_both_hosts};
pub use template::Template;
pub use told::azure_tells_by_the_timer_alone;

/// The project's folder.
fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The binary to test: the one cargo has built, or its namesake in the folder that
/// `RUNTIME_BINARIES` names.
pub fn binary(built: &str) -> PathBuf {
    let built = PathBuf::from(built);
    match std::env::var_os("RUNTIME_BINARIES") {
        Some(folder) => {
            let name = built.file_name().expect("a binary has a name");
            // Tests run in their package's folder; the variable is written from the project's.
            project().join(folder).join(name)
        }
        None => built,
    }
}

/// Another function's binary, built beside this one.
///
/// # Panics
/// When it isn't there.
pub fn beside(binary: &Path, function: &str) -> PathBuf {
    let other = binary.with_file_name(function);
    assert!(
        other.is_file(),
        "{} is not built; `cargo build --workspace` builds it",
        other.display()
    );
    other
}
