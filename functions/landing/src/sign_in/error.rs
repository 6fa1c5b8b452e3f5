//! Why a visitor is not signed in.

use shared::host::http_client::SendError;
use shared::host::secret::SecretError;
use shared::microsoft::entra::{InvalidToken, Refused, SigningKeyError};
use thiserror::Error;

#[derive(Debug, Error)]
pub(crate) enum SignInError {
    /// The answer that came back from Entra does not match the request.
    #[error(transparent)]
    Untrusted(#[from] Untrusted),
    /// The visitor chose not to sign in.
    #[error("the visitor declined to sign in")]
    Declined,
    /// The purchase token does not fit into a cookie. No real one comes near that.
    #[error("the purchase token is too long")]
    TooLong,
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum Untrusted {
    #[error("this browser began no sign-in")]
    NoRoundTrip,
    #[error("the sign-in took too long")]
    RoundTripExpired,
    #[error("another state")]
    OtherState,
    #[error("Entra came back with an error")]
    ErrorFromEntra,
    #[error("no code")]
    NoCode,
    #[error("Entra does not accept the code")]
    BadCode,
    #[error("id token: {0}")]
    Token(InvalidToken),
}

/// Entra or Secrets Manager is unavailable, or the application is set up wrongly.
#[derive(Debug, Error)]
pub(crate) enum Unavailable {
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error(transparent)]
    Keys(#[from] SigningKeyError),
    #[error(transparent)]
    Unreachable(#[from] SendError),
    #[error("Entra refuses the landing page's application")]
    ApplicationRefused,
    #[error("Entra answered with an error")]
    ErrorAnswer,
    #[error("could not read Entra's answer")]
    UnreadableAnswer,
    #[error("Entra gave no id token")]
    NoIdToken,
}

impl From<Refused> for SignInError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Invalid(invalid) => Untrusted::Token(invalid).into(),
            Refused::Unverifiable(error) => Unavailable::Keys(error).into(),
        }
    }
}
