//! What can go wrong with the table.

use thiserror::Error;

use crate::host::http_client::Cause;
use crate::host::retry::Transient;

#[derive(Debug, Error)]
pub enum StoreError {
    /// Throttled, broken or silent. A write may have been made.
    #[error("the table is unavailable: {code}")]
    Unavailable {
        /// AWS's error code, or a few words where there is none.
        code: String,
        source: Option<Cause>,
    },
    /// Every attempt met another writer.
    #[error("other writers kept changing the item")]
    Contended,
    /// Not where a list can continue.
    #[error("not a position in this list")]
    BadPosition,
    /// The table refused the request: it does not exist, or the role may not do this.
    #[error("the table refused the request: {code}: {source}")]
    Refused { code: String, source: Cause },
    /// An item is not as this program writes it.
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
    /// For an answer that DynamoDB gave without an error, and that is no use.
    pub fn unavailable(reason: &str) -> Self {
        Self::Unavailable { code: reason.to_owned(), source: None }
    }
}

impl Transient for StoreError {
    fn is_transient(&self) -> bool {
        match self {
            Self::Unavailable { .. } | Self::Contended => true,
            Self::BadPosition | Self::Refused { .. } | Self::Corrupt { .. } => false,
        }
    }
}

/// Why a commit was not made.
#[derive(Debug, Error)]
pub enum CommitError {
    #[error("another writer changed the record")]
    Conflict,
    #[error("the operation is answered already")]
    AlreadyMarked,
    #[error(transparent)]
    Store(#[from] StoreError),
}
