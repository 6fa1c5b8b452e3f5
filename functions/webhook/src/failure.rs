//! Why a call could not be handled.

use shared::flows::answer::AnswerError;
use shared::flows::ledger::UpdateError;
use shared::host::error_class::ErrorClass;
use shared::microsoft::entra::{InvalidToken, Refused, SigningKeyError};
use shared::microsoft::fulfillment::FulfillmentError;
use shared::store::StoreError;
use thiserror::Error;
use uuid::Uuid;

use crate::claim::Unreadable;

/// Every variant but the first is answered with a 5xx, and Microsoft retries.
#[derive(Debug, Error)]
pub(crate) enum WebhookFailure {
    #[error("{0}")]
    NotMicrosoft(InvalidToken),
    #[error(transparent)]
    Unverifiable(#[from] SigningKeyError),
    #[error("the body is too large: {0} bytes")]
    BodyTooLarge(usize),
    #[error("{unreadable} in the body, sent by app {app_id}")]
    UnreadableBody { unreadable: Unreadable, app_id: Uuid },
    /// Microsoft's copy does not show yet what the call says has happened.
    #[error("Microsoft's copy is not up to date yet")]
    Settling,
    /// Microsoft's reads don't know yet what a young call is about (F-OPG-5, F-GET-4).
    #[error("Microsoft doesn't know the {0} yet")]
    NotKnownYet(&'static str),
    #[error(transparent)]
    Fulfillment(#[from] FulfillmentError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Update(#[from] UpdateError),
    #[error(transparent)]
    Answer(#[from] AnswerError),
}

impl WebhookFailure {
    /// `None` where the fault is the caller's.
    pub(crate) fn class(&self) -> Option<ErrorClass> {
        Some(match self {
            Self::NotMicrosoft(_) => return None,
            Self::Unverifiable(error) => error.class(),
            Self::BodyTooLarge(_) | Self::UnreadableBody { .. } => ErrorClass::UnknownWord,
            Self::Settling | Self::NotKnownYet(_) => ErrorClass::MicrosoftUnavailable,
            Self::Fulfillment(error) => error.class(),
            Self::Store(error) => error.class(),
            Self::Update(error) => error.class(),
            Self::Answer(error) => error.class(),
        })
    }
}

impl From<InvalidToken> for WebhookFailure {
    fn from(invalid: InvalidToken) -> Self {
        Self::NotMicrosoft(invalid)
    }
}

impl From<Refused> for WebhookFailure {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Invalid(invalid) => Self::NotMicrosoft(invalid),
            Refused::Unverifiable(error) => Self::Unverifiable(error),
        }
    }
}
