//! What can go wrong with the table.

use thiserror::Error;

use crate::host::error_class::ErrorClass;
use crate::host::http_client::Cause;
use crate::host::retry::Transient;

#[derive(Debug, Error)]
pub enum StoreError {
    /// The table refuses requests for a moment. Nothing was written.
    #[error("the table is throttled: {code}")]
    Throttled {
        /// AWS's error code.
        code: String,
    },
    /// Failing, or not responding. A write may have been made.
    #[error("the table is unavailable: {code}")]
    Unavailable {
        /// AWS's error code, or a few words where there is none.
        code: String,
        source: Option<Cause>,
    },
    /// Every attempt met another writer.
    #[error("other writers kept changing the item")]
    Contended,
    /// The caller's continuation token doesn't belong to this list.
    #[error("the continuation token doesn't belong to this list")]
    BadPosition,
    /// The table refused the request: the table does not exist, or the role may not do this.
    #[error("the table refused the request: {code}: {message}")]
    Refused {
        code: String,
        /// AWS's words, such as which permission is missing.
        message: String,
        source: Cause,
    },
    /// An item is not in the format that this program writes.
    #[error("the item {key} can't be read: {reason}")]
    Corrupt {
        /// Partition and sort key.
        key: String,
        reason: Corruption,
    },
}

/// What is wrong with an item.
#[derive(Debug, Error)]
pub enum Corruption {
    #[error("it has no body")]
    MissingBody,
    #[error("it holds an unknown type")]
    UnknownType,
    #[error("it holds another subscription's record")]
    OtherSubscription,
    #[error(transparent)]
    Body(#[from] serde_dynamo::Error),
    #[error(transparent)]
    Time(#[from] jiff::Error),
}

impl StoreError {
    pub fn class(&self) -> ErrorClass {
        ErrorClass::Table
    }

    /// For a response without an error that is unusable all the same.
    pub fn unavailable(reason: &str) -> Self {
        Self::Unavailable { code: reason.to_owned(), source: None }
    }
}

impl Transient for StoreError {
    fn is_transient(&self) -> bool {
        match self {
            Self::Throttled { .. } | Self::Unavailable { .. } | Self::Contended => true,
            Self::BadPosition | Self::Refused { .. } | Self::Corrupt { .. } => false,
        }
    }
}

/// Why a commit failed.
#[derive(Debug, Error)]
pub enum CommitError {
    #[error("another writer changed the record")]
    Conflict,
    #[error("the operation has already been answered")]
    AlreadyMarked,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Only a commit that certainly wrote nothing may be repeated.
impl Transient for CommitError {
    fn is_transient(&self) -> bool {
        matches!(self, Self::Store(StoreError::Throttled { .. }))
    }
}
