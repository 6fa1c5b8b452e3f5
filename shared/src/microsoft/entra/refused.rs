//! Why a token is not accepted, and the header it comes in.

use http::HeaderMap;
use http::header::AUTHORIZATION;
use thiserror::Error;

use super::keys::SigningKeyError;

/// Why a token is not accepted.
#[derive(Debug, Error)]
pub enum Refused {
    /// The token is absent or wrong: 401.
    #[error("not a valid token: {0}")]
    Invalid(#[from] InvalidToken),
    /// We can't know at the moment whether it is right. That is our own fault: 5xx (F-WHA-13).
    #[error("the token can't be verified: {0}")]
    Unverifiable(SigningKeyError),
}

impl From<SigningKeyError> for Refused {
    fn from(error: SigningKeyError) -> Self {
        match error {
            SigningKeyError::Unknown => Self::Invalid(InvalidToken::UnknownKey),
            SigningKeyError::Unconfirmed(_) | SigningKeyError::Unavailable(_) => {
                Self::Unverifiable(error)
            }
        }
    }
}

/// What is wrong with a token.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum InvalidToken {
    #[error("not exactly one Authorization header")]
    NotOneHeader,
    #[error("the Authorization header is not text")]
    HeaderNotText,
    #[error("not a bearer token")]
    NotBearer,
    #[error("too long")]
    TooLong,
    #[error("not a JWT")]
    NotJwt,
    #[error("not signed with RS256")]
    OtherAlgorithm,
    #[error("has extensions that must be understood")]
    Critical,
    #[error("names no key")]
    NoKeyId,
    #[error("names no tenant")]
    NoTenant,
    #[error("signed with an unknown key")]
    UnknownKey,
    #[error("a bad signature or unreadable claims")]
    BadSignature,
    #[error("another audience")]
    OtherAudience,
    #[error("another tenant")]
    OtherTenant,
    #[error("names no object")]
    NoObject,
    #[error("the roles are no list of texts")]
    RolesNotText,
    #[error("another issuer")]
    OtherIssuer,
    #[error("the version contradicts the issuer")]
    OtherVersion,
    #[error("another caller")]
    OtherCaller,
    #[error("another nonce")]
    OtherNonce,
    #[error("absurd times")]
    AbsurdTime,
    #[error("expired")]
    Expired,
    #[error("not valid yet")]
    NotYetValid,
}

/// A token as a caller sent it. It proves nothing until a verifier has accepted it.
#[derive(Clone, Copy)]
pub struct UnverifiedToken<'a>(pub &'a str);

impl<'a> UnverifiedToken<'a> {
    /// Takes the token from the one `Authorization` header. The scheme's case does not matter.
    pub fn from_headers(headers: &'a HeaderMap) -> Result<Self, InvalidToken> {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            return Err(InvalidToken::NotOneHeader);
        };
        let value = value.to_str().map_err(|_| InvalidToken::HeaderNotText)?;
        match value.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
                Ok(Self(token.trim()))
            }
            _ => Err(InvalidToken::NotBearer),
        }
    }
}
