//! What the verifiers of both kinds of token share: limits, the header, the signature, the times.

use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::refused::{InvalidToken, UnverifiedToken};
use crate::lenient::repaired;

/// How far Entra's clock and ours may differ. Entra's own libraries allow five minutes; every
/// second here is a second in which an expired token is still accepted (F-WHJ-5).
const LEEWAY: SignedDuration = SignedDuration::from_secs(60);

/// Entra's tokens are around two kilobytes. Longer ones are not decoded.
const LONGEST_TOKEN: usize = 16 * 1024;

/// The id of the key that the token claims to be signed with.
///
/// Keys that the token itself carries or points to (`jwk`, `jku`, `x5u`, `x5c`) are ignored: only
/// the published key of this id verifies.
pub(super) fn key_id(token: UnverifiedToken<'_>) -> Result<String, InvalidToken> {
    if token.0.len() > LONGEST_TOKEN {
        return Err(InvalidToken::TooLong);
    }
    let header = decode_header(token.0).map_err(|_| InvalidToken::NotJwt)?;
    if header.alg != Algorithm::RS256 {
        return Err(InvalidToken::OtherAlgorithm);
    }
    // RFC 7515, section 4.1.11: a token with an extension that is not understood is invalid, and we
    // understand none.
    if header.crit.is_some() {
        return Err(InvalidToken::Critical);
    }
    header.kid.ok_or(InvalidToken::NoKeyId)
}

/// The claims of a token whose signature is right. The library checks nothing else, since it knows
/// neither our clock nor the two forms of a token. A claim that is there twice is refused; half a
/// character in a person's name is not.
pub(super) fn signed_claims<T: DeserializeOwned>(
    token: UnverifiedToken<'_>,
    key: &DecodingKey,
) -> Result<T, InvalidToken> {
    let mut validation = Validation::new(Algorithm::RS256);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    let token = decode::<Box<RawValue>>(token.0, key, &validation)
        .map_err(|_| InvalidToken::BadSignature)?;
    serde_json::from_str(&repaired(token.claims.get().as_bytes()))
        .map_err(|_| InvalidToken::BadSignature)
}

/// Checks when a token expires and when it begins, in seconds since 1970.
pub(super) fn check_times(
    expires: i64,
    begins: impl IntoIterator<Item = i64>,
    now: Timestamp,
) -> Result<(), InvalidToken> {
    let time = |seconds| Timestamp::from_second(seconds).map_err(|_| InvalidToken::AbsurdTime);
    if now.duration_since(time(expires)?) >= LEEWAY {
        return Err(InvalidToken::Expired);
    }
    for seconds in begins {
        if time(seconds)?.duration_since(now) > LEEWAY {
            return Err(InvalidToken::NotYetValid);
        }
    }
    Ok(())
}
