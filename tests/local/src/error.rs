//! Why the local system could not start or continue.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use emulator::StartError;
use shared::host::environment::ConfigError;
use shared::store::StoreError;

/// An error of another library.
pub(crate) type Source = Box<dyn Error + Send + Sync>;

#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("could not start Microsoft's side: {0}")]
    Emulator(#[source] StartError),
    #[error(
        "could not open 127.0.0.1:{port} for {server}: {source}; {option} chooses another port"
    )]
    Port { server: &'static str, port: u16, option: &'static str, source: io::Error },
    #[error("could not open a port for {server}: {source}")]
    NoPort { server: &'static str, source: io::Error },
    #[error("could not open the folder {}: {source}", folder.display())]
    Folder { folder: PathBuf, source: io::Error },
    #[error(
        "the folder {} is in use by another cargo local; --data chooses another folder",
        folder.display()
    )]
    FolderInUse { folder: PathBuf },
    #[error("could not start the embedded database: {0}")]
    Database(#[source] Source),
    #[error("could not create the table {table}: {}", chain(&**source))]
    Table { table: String, source: Source },
    #[error("could not read the table's stream: {0}")]
    Stream(#[source] Source),
    #[error("could not deliver the pending events: {0}")]
    Sweep(#[source] StoreError),
}

impl From<StartError> for LocalError {
    fn from(error: StartError) -> Self {
        let (server, option) = ("Microsoft's side", "--emulator-port");
        match error {
            StartError::Port { port, source } => Self::Port { server, port, option, source },
            StartError::Client(_) | StartError::Kept { .. } => Self::Emulator(error),
        }
    }
}

/// An error with its causes: an SDK error's own text says only `service error`.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
