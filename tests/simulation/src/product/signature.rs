//! Verifies a message's signature as the documents for receivers say
//! (`functions/delivery/README.md`, "The signature"). It shares no code with the functions that sign.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::Request;
use jiff::{SignedDuration, Timestamp};
use ring::hmac;

/// How far a timestamp may be from the receiver's clock.
pub(crate) const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

/// How old a signature is at most when it arrives: the longest timeout of a function that signs, and
/// the part of a second that the timestamp leaves out.
pub(super) const LONGEST_WAY: SignedDuration = SignedDuration::from_secs(61);

/// A key that a receiver holds.
pub(crate) struct Key(hmac::Key);

impl Key {
    pub(crate) fn new(text: &str) -> Option<Self> {
        let bytes = STANDARD.decode(text.strip_prefix("whsec_")?).ok()?;
        Some(Self(hmac::Key::new(hmac::HMAC_SHA256, &bytes)))
    }
}

/// What time it is at Microsoft, where a message arrives, and where it was sent from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clocks {
    pub(crate) microsoft: Timestamp,
    pub(crate) receiver: Timestamp,
    pub(crate) sender: Timestamp,
}

/// Why a receiver refuses a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// A header is missing, or holds something else.
    Header(&'static str),
    /// The timestamp is too far from the receiver's clock.
    Timestamp,
    /// The timestamp isn't the time of this attempt.
    NotSignedAnew,
    Signature,
}

/// Whether a message is genuine. `Ok`: its id.
pub(crate) fn verify<'a>(
    request: &'a Request<Bytes>,
    keys: &[Key],
    clocks: Clocks,
) -> Result<&'a str, Refusal> {
    let header = |name: &'static str| {
        let value = request.headers().get(name).and_then(|value| value.to_str().ok());
        value.ok_or(Refusal::Header(name))
    };
    let (id, seconds) = (header("webhook-id")?, header("webhook-timestamp")?);
    let signatures = header("webhook-signature")?;
    let signed_at = seconds.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    let signed_at = signed_at.ok_or(Refusal::Header("webhook-timestamp"))?;
    if clocks.receiver.duration_since(signed_at).abs() > TOLERANCE {
        return Err(Refusal::Timestamp);
    }
    let age = clocks.sender.duration_since(signed_at);
    if age.is_negative() || age > LONGEST_WAY {
        return Err(Refusal::NotSignedAnew);
    }
    let message = [id.as_bytes(), b".", seconds.as_bytes(), b".", request.body()].concat();
    let signatures = signatures.split(' ').filter_map(|one| one.strip_prefix("v1,"));
    let signatures: Vec<_> = signatures.filter_map(|one| STANDARD.decode(one).ok()).collect();
    let fits = |key: &Key| {
        signatures.iter().any(|signature| hmac::verify(&key.0, &message, signature).is_ok())
    };
    if keys.iter().any(fits) { Ok(id) } else { Err(Refusal::Signature) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    /// The example in the documents for receivers.
    fn example(signatures: &str) -> Request<Bytes> {
        Request::builder()
            .header("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek")
            .header("webhook-timestamp", "1614265330")
            .header("webhook-signature", signatures)
            .body(Bytes::from_static(br#"{"test": 2432232314}"#))
            .expect("a request")
    }

    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn verified(signatures: &str, key: &str, receiver: i64, sender: i64) -> Result<(), Refusal> {
        let at = |seconds| Timestamp::from_second(1_614_265_330 + seconds).expect("a timestamp");
        let clocks = Clocks { microsoft: at(0), receiver: at(receiver), sender: at(sender) };
        verify(&example(signatures), &[Key::new(key).expect("a key")], clocks).map(drop)
    }

    #[test]
    fn the_example_of_the_documents_is_genuine() {
        assert_eq!(verified(SIGNATURE, KEY, 0, 0), Ok(()));
        assert_eq!(verified(&format!("v2,AAAA v1,AAAA {SIGNATURE}"), KEY, 0, 0), Ok(()));
    }

    #[test]
    fn a_message_that_is_not_genuine_is_refused() {
        let other = format!("whsec_{}", STANDARD.encode([7; 32]));
        assert_eq!(verified(SIGNATURE, &other, 0, 0), Err(Refusal::Signature));
        assert_eq!(verified("v1,AAAA", KEY, 0, 0), Err(Refusal::Signature));
        assert_eq!(verified(&SIGNATURE.replace("v1", "v2"), KEY, 0, 0), Err(Refusal::Signature));
        assert_eq!(verified(SIGNATURE, KEY, 301, 0), Err(Refusal::Timestamp));
        assert_eq!(verified(SIGNATURE, KEY, -301, 0), Err(Refusal::Timestamp));
        assert_eq!(verified(SIGNATURE, KEY, 0, 62), Err(Refusal::NotSignedAnew));
        assert_eq!(verified(SIGNATURE, KEY, 0, -1), Err(Refusal::NotSignedAnew));
    }
}
