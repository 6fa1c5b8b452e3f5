//! Why the local system could not start or continue.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use shared::host::environment::ConfigError;
use shared::store::StoreError;

/// An error of another library.
pub(crate) type Source = Box<dyn Error + Send + Sync>;

#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("could not start the emulator: {0}")]
    Emulator(#[source] io::Error),
    #[error("could not open port {port} for {server}: {source}")]
    Port { server: &'static str, port: u16, source: io::Error },
    #[error("could not create the folder {}: {source}", folder.display())]
    Folder { folder: PathBuf, source: io::Error },
    #[error("could not start the embedded database: {0}")]
    Database(#[source] Source),
    #[error("could not create the table {table}: {}", chain(&**source))]
    Table { table: String, source: Source },
    #[error("could not read the table's stream: {0}")]
    Stream(#[source] Source),
    #[error("could not deliver the pending events: {0}")]
    Sweep(#[source] StoreError),
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
