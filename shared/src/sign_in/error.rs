//! Why a visitor is not signed in.

use std::collections::BTreeSet;

use thiserror::Error;

use super::site::Site;
use crate::host::error_class::ErrorClass;
use crate::host::http_client::SendError;
use crate::host::secret::SecretError;
use crate::microsoft::entra::{
    Asserted, CredentialError, InvalidToken, Refused, SigningKeyError, class_of_refusal,
    describe_refusal, sent,
};

/// Why a sign-in fails.
#[derive(Debug, Error)]
pub enum SignInError {
    /// Entra's answer does not belong to a sign-in of this browser, or is invalid.
    #[error(transparent)]
    Untrusted(#[from] Untrusted),
    #[error("the visitor declined to sign in")]
    Declined,
    /// It does not fit into a cookie. Microsoft's purchase tokens are far shorter.
    #[error("what the visitor came with is too long")]
    TooLong,
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// What is wrong with Entra's answer.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum Untrusted {
    #[error("the browser has no cookie of a sign-in")]
    NoRoundTrip,
    #[error("the sign-in took too long")]
    RoundTripExpired,
    #[error("the state does not match")]
    OtherState,
    #[error("Entra redirected with an error")]
    ErrorFromEntra,
    #[error("Entra redirected without a code")]
    NoCode,
    #[error("Entra does not accept the code")]
    BadCode,
    #[error("id token: {0}")]
    Token(InvalidToken),
}

/// Entra or Secrets Manager is unavailable, or the application is set up wrongly.
#[derive(Debug, Error)]
pub enum Unavailable {
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error(transparent)]
    Keys(#[from] SigningKeyError),
    #[error(transparent)]
    Unreachable(#[from] SendError),
    #[error(
        "Entra refuses the {}'s application: {}{}; check its client id and \
         credential",
        site.name,
        describe_refusal(error, codes),
        sent(asserted)
    )]
    ApplicationRefused {
        site: &'static Site,
        /// Entra's word, such as `invalid_client`.
        error: &'static str,
        /// AADSTS numbers.
        codes: BTreeSet<u64>,
        /// What was sent in the place of a client secret, to compare with the app registration.
        asserted: Option<Asserted>,
    },
    #[error(transparent)]
    Credential(#[from] CredentialError),
    #[error("{} is needed where the {}'s app has no client secret", .0.cookie_key_setting, .0.name)]
    NoCookieKey(&'static Site),
    #[error("{} is shorter than it must be", .0.cookie_key_setting)]
    ShortCookieKey(&'static Site),
    #[error("Entra answered with an error")]
    ErrorAnswer,
    #[error("could not read Entra's answer")]
    UnreadableAnswer,
    #[error("Entra returned no id token")]
    NoIdToken,
}

impl Unavailable {
    /// What an operator does about it.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Secret(error) => error.class(),
            Self::Credential(error) => error.class(),
            Self::NoCookieKey(_) | Self::ShortCookieKey(_) => ErrorClass::Configuration,
            Self::ApplicationRefused { error, codes, .. } => class_of_refusal(error, codes),
            Self::Keys(error) => error.class(),
            Self::Unreachable(_) | Self::ErrorAnswer | Self::UnreadableAnswer | Self::NoIdToken => {
                ErrorClass::MicrosoftUnavailable
            }
        }
    }
}

impl From<Refused> for SignInError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Invalid(invalid) => Untrusted::Token(invalid).into(),
            Refused::Unverifiable(error) => Unavailable::Keys(error).into(),
        }
    }
}
