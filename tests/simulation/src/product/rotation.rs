//! How the publisher replaces its signing keys, step by step, as the documents for receivers say
//! (`functions/delivery/README.md`, "Keys").

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};

use super::signature::{Key, LONGEST_WAY};

/// Longer than a function uses a key that it has read, and than one that has begun to sign runs on.
const KNOWN_EVERYWHERE: SignedDuration = SignedDuration::from_mins(7);

/// What is signed. Each has keys of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signed {
    Events,
    Questions,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Step {
    /// There is one key.
    #[default]
    Settled,
    /// The secret holds the next key, too.
    BothSign,
    /// The receiver holds the next key. It may have dropped the old one.
    ReceiverKnows,
    /// The secret holds the next key alone.
    NextSigns,
}

/// The keys in the functions' secrets, and the keys that the receiver holds.
#[derive(Default)]
pub(crate) struct Rotation {
    /// The number of the key that is replaced.
    number: u32,
    step: Step,
    /// When this step began.
    since: Timestamp,
    /// Whether the receiver keeps the old key beside the new one.
    keeps_both: bool,
    /// When a function last failed to read the secret.
    not_read: Option<Timestamp>,
}

impl Rotation {
    /// Takes the next step, unless functions may still sign as before the last one. Returns whether
    /// it did.
    pub(crate) fn proceed(&mut self, now: Timestamp, keeps_both: bool) -> bool {
        if now.duration_since(self.since) < KNOWN_EVERYWHERE {
            return false;
        }
        self.since = now;
        self.step = match self.step {
            Step::Settled => Step::BothSign,
            Step::BothSign => {
                self.keeps_both = keeps_both;
                Step::ReceiverKnows
            }
            Step::ReceiverKnows => Step::NextSigns,
            Step::NextSigns => {
                self.number += 1;
                Step::Settled
            }
        };
        true
    }

    /// A function could not read the secret, and signs with the keys that it knows.
    pub(crate) fn not_read(&mut self, now: Timestamp) {
        self.not_read = Some(now);
    }

    /// Whether a message that arrives now may be signed with keys that were replaced.
    pub(super) fn may_be_outdated(&self, now: Timestamp) -> bool {
        self.not_read.is_some_and(|at| now.duration_since(at) < LONGEST_WAY)
    }

    /// The text of the secret.
    pub(crate) fn secret(&self, signed: Signed) -> String {
        let (old, next) = (text(signed, self.number), text(signed, self.number + 1));
        match self.step {
            Step::Settled => old,
            Step::BothSign | Step::ReceiverKnows => format!("{next} {old}"),
            Step::NextSigns => next,
        }
    }

    /// The keys that the receiver holds.
    pub(crate) fn held(&self, signed: Signed) -> Vec<Key> {
        let key = |number| Key::new(&text(signed, number)).expect("a key's text");
        match self.step {
            Step::Settled | Step::BothSign => vec![key(self.number)],
            Step::ReceiverKnows | Step::NextSigns if self.keeps_both => {
                vec![key(self.number), key(self.number + 1)]
            }
            Step::ReceiverKnows | Step::NextSigns => vec![key(self.number + 1)],
        }
    }
}

/// The text of a key with this number.
fn text(signed: Signed, number: u32) -> String {
    let bytes = format!("{:-<32}", format!("{signed:?}-{number}"));
    format!("whsec_{}", STANDARD.encode(bytes))
}
