//! Microsoft's words that the emulator uses, and how they are read back.

use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// One of the words below.
pub(super) type Word = &'static str;

// The statuses of a subscription (F-OBJ-3).
pub(super) const PENDING_FULFILLMENT_START: Word = "PendingFulfillmentStart";
pub(super) const SUBSCRIBED: Word = "Subscribed";
pub(super) const SUSPENDED: Word = "Suspended";
pub(super) const UNSUBSCRIBED: Word = "Unsubscribed";

/// The publisher requested an operation, and it has not started.
pub(super) const NOT_STARTED: Word = "NotStarted";
/// An operation waits for the publisher's acknowledgement.
pub(super) const IN_PROGRESS: Word = "InProgress";
pub(super) const SUCCEEDED: Word = "Succeeded";
/// The publisher refused an operation, or never received it.
pub(super) const FAILED: Word = "Failed";
/// The subscription has the requested value already (F-OP-2).
pub(super) const CONFLICT: Word = "Conflict";

/// The source of operations that Microsoft, a customer or a reseller starts.
pub(super) const AZURE: Word = "Azure";
/// The source of operations that the publisher requests.
pub(super) const PARTNER: Word = "Partner";

// What the beneficiary may do (F-OBJ-11).
pub(super) const READ: Word = "Read";
pub(super) const UPDATE: Word = "Update";
pub(super) const DELETE: Word = "Delete";

const ALL: [Word; 14] = [
    PENDING_FULFILLMENT_START,
    SUBSCRIBED,
    SUSPENDED,
    UNSUBSCRIBED,
    NOT_STARTED,
    IN_PROGRESS,
    SUCCEEDED,
    FAILED,
    CONFLICT,
    AZURE,
    PARTNER,
    READ,
    UPDATE,
    DELETE,
];

fn known<E: Error>(text: &str) -> Result<Word, E> {
    let word = ALL.into_iter().find(|word| *word == text);
    word.ok_or_else(|| E::custom(format!("{text:?} is not a word of Microsoft's")))
}

pub(super) fn word<'de, D: Deserializer<'de>>(from: D) -> Result<Word, D::Error> {
    known(&String::deserialize(from)?)
}

pub(super) fn words<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Word>, D::Error> {
    Vec::<String>::deserialize(from)?.iter().map(|text| known(text)).collect()
}
