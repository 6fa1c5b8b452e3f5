//! Notes: what the publisher's staff and programs write down about a subscription, each with its author and its
//! time.
//!
//! A note is never changed, and no note is ever left out for a newer one. Only an erasure of personal data removes
//! them. They stay with the publisher: no event and no list of records has them.

use std::fmt;

use jiff::Timestamp;
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

/// In characters.
pub const LONGEST_NOTE_TEXT: usize = 1000;

/// The most notes of one subscription.
pub const MOST_NOTES: usize = 100;

/// The most bytes of texts and authors, of all notes of a subscription together. A hundred of the longest notes in a
/// Latin script fit. The item has a reference and metadata beside them, and DynamoDB stores none of more than 400 KB.
pub const MOST_NOTE_BYTES: usize = 250_000;

/// A note about a subscription.
///
/// Serialised in the table and in answers of the API: members are only added.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Note {
    pub id: Uuid,
    pub at: Timestamp,
    /// The member of the staff, or the caller of the publisher's API as AWS names it; `None` where the host
    /// doesn't say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// One line.
    pub text: String,
}

/// Why a note can't be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NoteRefused {
    #[error("a note has 1 to {LONGEST_NOTE_TEXT} characters")]
    Length,
    #[error("a note has no control characters, and no line breaks")]
    Characters,
    #[error(
        "a subscription has up to {MOST_NOTES} notes, and up to {MOST_NOTE_BYTES} bytes of them"
    )]
    TooMany,
    /// The id belongs to a note with another text.
    #[error("there is another note with this id")]
    AnotherText,
}

/// The text that is stored for this one: without blanks at its ends.
///
/// # Errors
/// [`NoteRefused`] where the text can't be a note.
pub fn note_text(text: &str) -> Result<&str, NoteRefused> {
    let text = text.trim();
    if text.contains(char::is_control) {
        return Err(NoteRefused::Characters);
    }
    let fits = (1..=LONGEST_NOTE_TEXT).contains(&text.chars().count());
    fits.then_some(text).ok_or(NoteRefused::Length)
}

impl Note {
    /// The id of a note that is added under this idempotency key. A repeated request finds the note by it, for as
    /// long as the note is there.
    pub fn id_under(key: &str) -> Uuid {
        let digest = digest(&SHA256, key.as_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest.as_ref()[..16]);
        uuid::Builder::from_custom_bytes(bytes).into_uuid()
    }

    pub(super) fn bytes(&self) -> usize {
        self.text.len() + self.by.as_ref().map_or(0, String::len)
    }
}

/// Shows neither the text nor the author.
impl fmt::Debug for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Note").field("id", &self.id).field("at", &self.at).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
