//! What the publisher keeps about a subscription: a reference of its own, metadata, and [notes](Note).
//!
//! Microsoft knows nothing of it, no rule reads it, and a change of it makes no version of the record.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::note::Note;
use super::search::SearchTerm;

/// In characters.
pub const LONGEST_REFERENCE: usize = 100;

/// The most pairs of metadata. With the limits below, a page of a hundred subscriptions or events fits into an
/// answer of Lambda, which has 6 MB at the most.
pub const MOST_PAIRS: usize = 20;

/// In characters.
pub const LONGEST_KEY: usize = 40;

/// In characters.
pub const LONGEST_VALUE: usize = 500;

/// The publisher's own reference, metadata and notes of a subscription.
///
/// Serialised in the table: members are only added.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Annotations {
    /// The customer's or the contract's id in the publisher's own systems.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// In the order in which they were added.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
    /// Grows by one each time they are saved. Concurrent writers are detected by it.
    pub revision: u64,
    /// The revision that has set, changed or removed the reference; 0: none has.
    #[serde(default)]
    pub reference_revision: u64,
    pub changed_at: Timestamp,
    /// The caller of the publisher's API, as AWS names it; `None` where the host doesn't say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_by: Option<String>,
}

impl Annotations {
    /// What the subscription is found by, beside its record.
    pub fn search_term(&self) -> Option<SearchTerm> {
        self.reference.as_deref().and_then(SearchTerm::of)
    }

    /// Whether this revision has another reference than the one before it.
    pub fn has_new_reference(&self) -> bool {
        self.reference_revision == self.revision
    }

    /// The reference and the metadata as views and events show them: what is empty is left out. Notes are for the
    /// publisher's staff alone.
    pub fn shown(&self) -> (Option<&str>, Option<&BTreeMap<String, String>>) {
        (self.reference.as_deref(), Some(&self.metadata).filter(|pairs| !pairs.is_empty()))
    }
}

/// Shows the names of the pairs and how many notes there are, never what the publisher wrote about a customer.
impl fmt::Debug for Annotations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<&String> = self.metadata.keys().collect();
        f.debug_struct("Annotations")
            .field("metadata", &keys)
            .field("notes", &self.notes.len())
            .field("revision", &self.revision)
            .finish_non_exhaustive()
    }
}

/// A change of annotations, as a JSON Merge Patch (RFC 7396) describes it: what it doesn't name stays.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct AnnotationPatch {
    reference: Option<Option<String>>,
    metadata: Option<MetadataPatch>,
}

/// The `metadata` of a patch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MetadataPatch {
    /// Removes every pair.
    Clear,
    /// Sets these pairs. A key without a value is removed.
    Merge(BTreeMap<String, Option<String>>),
}

/// Shows what is changed, never its content.
impl fmt::Debug for AnnotationPatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnnotationPatch")
            .field("reference", &self.reference.is_some())
            .field("metadata", &self.metadata.is_some())
            .finish()
    }
}

/// Why annotations can't be what was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InvalidAnnotation {
    #[error("a reference has 1 to {LONGEST_REFERENCE} characters")]
    ReferenceLength,
    #[error("a reference has no control characters")]
    ReferenceCharacters,
    #[error("a key of the metadata has 1 to {LONGEST_KEY} characters")]
    KeyLength,
    #[error("a value of the metadata has up to {LONGEST_VALUE} characters")]
    ValueLength,
    #[error("keys and values of the metadata have no control characters")]
    MetadataCharacters,
    #[error("metadata has up to {MOST_PAIRS} pairs")]
    TooManyPairs,
}

/// The reference that is stored for this text: without blanks at its ends.
///
/// # Errors
/// [`InvalidAnnotation`] where the text can't be a reference.
pub fn reference(text: &str) -> Result<&str, InvalidAnnotation> {
    let text = text.trim();
    if text.chars().any(char::is_control) {
        return Err(InvalidAnnotation::ReferenceCharacters);
    }
    let is_long_enough = (1..=LONGEST_REFERENCE).contains(&text.chars().count());
    is_long_enough.then_some(text).ok_or(InvalidAnnotation::ReferenceLength)
}

fn check_pair(key: &str, value: Option<&str>) -> Result<(), InvalidAnnotation> {
    if !(1..=LONGEST_KEY).contains(&key.chars().count()) {
        return Err(InvalidAnnotation::KeyLength);
    }
    let value = value.unwrap_or_default();
    if value.chars().count() > LONGEST_VALUE {
        return Err(InvalidAnnotation::ValueLength);
    }
    if key.chars().chain(value.chars()).any(char::is_control) {
        return Err(InvalidAnnotation::MetadataCharacters);
    }
    Ok(())
}

impl AnnotationPatch {
    /// `None` leaves a part as it is; `Some(None)` removes the reference.
    ///
    /// # Errors
    /// [`InvalidAnnotation`] where a text is longer than it may be, or holds a control character.
    pub fn new(
        reference: Option<Option<String>>,
        metadata: Option<MetadataPatch>,
    ) -> Result<Self, InvalidAnnotation> {
        let reference = match reference {
            Some(Some(text)) => Some(Some(self::reference(&text)?.to_owned())),
            other => other,
        };
        if let Some(MetadataPatch::Merge(pairs)) = &metadata {
            pairs.iter().try_for_each(|(key, value)| check_pair(key, value.as_deref()))?;
        }
        Ok(Self { reference, metadata })
    }

    /// The annotations after this patch; `None` if it changes nothing.
    ///
    /// # Errors
    /// [`InvalidAnnotation::TooManyPairs`].
    pub fn apply(
        &self,
        current: Option<&Annotations>,
        now: Timestamp,
        by: Option<String>,
    ) -> Result<Option<Annotations>, InvalidAnnotation> {
        let (mut reference, mut metadata) =
            current.map(|it| (it.reference.clone(), it.metadata.clone())).unwrap_or_default();
        if let Some(wanted) = &self.reference {
            reference.clone_from(wanted);
        }
        match &self.metadata {
            None => {}
            Some(MetadataPatch::Clear) => metadata.clear(),
            Some(MetadataPatch::Merge(pairs)) => {
                for (key, value) in pairs {
                    match value {
                        Some(value) => drop(metadata.insert(key.clone(), value.clone())),
                        None => drop(metadata.remove(key)),
                    }
                }
            }
        }
        if metadata.len() > MOST_PAIRS {
            return Err(InvalidAnnotation::TooManyPairs);
        }
        let is_unchanged = match current {
            Some(current) => current.reference == reference && current.metadata == metadata,
            None => reference.is_none() && metadata.is_empty(),
        };
        if is_unchanged {
            return Ok(None);
        }
        let revision = current.map_or(0, |current| current.revision) + 1;
        let is_same = current.and_then(|current| current.reference.as_ref()) == reference.as_ref();
        let before = current.map_or(0, |current| current.reference_revision);
        let reference_revision = if is_same { before } else { revision };
        Ok(Some(Annotations {
            reference,
            metadata,
            notes: current.map(|current| current.notes.clone()).unwrap_or_default(),
            revision,
            reference_revision,
            changed_at: now,
            changed_by: by,
        }))
    }
}

#[cfg(test)]
mod tests;
