//! The folder that keeps the local system between runs.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use crate::error::LocalError;

/// An open folder. Until it is dropped, no other process can open it.
pub(crate) struct DataFolder {
    path: PathBuf,
    _lock: File,
}

impl DataFolder {
    /// Opens a folder, which it creates if needed.
    pub(crate) fn open(path: &Path) -> Result<Self, LocalError> {
        let failed = |source| LocalError::Folder { folder: path.to_owned(), source };
        std::fs::create_dir_all(path).map_err(failed)?;
        let lock = File::create(path.join("lock")).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => {
                Err(LocalError::FolderInUse { folder: path.to_owned() })
            }
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    /// The file that holds the table.
    pub(crate) fn database(&self) -> PathBuf {
        self.path.join("dynamodb.sqlite")
    }

    /// The file that holds Microsoft's side.
    pub(crate) fn microsoft(&self) -> PathBuf {
        self.path.join("microsoft.json")
    }
}
