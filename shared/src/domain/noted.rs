//! Annotations with one more note.

use uuid::Uuid;

use super::annotations::Annotations;
use super::note::{MOST_NOTE_BYTES, MOST_NOTES, Note, NoteRefused};

impl Annotations {
    /// The note with this id, if it was added.
    pub fn note(&self, id: Uuid) -> Option<&Note> {
        self.notes.iter().find(|note| note.id == id)
    }

    /// The annotations with this note after those that are there; `None` if it was added before.
    ///
    /// # Errors
    /// [`NoteRefused::TooMany`], and [`NoteRefused::AnotherText`] if the id belongs to another note.
    pub fn with_note(current: Option<&Self>, note: Note) -> Result<Option<Self>, NoteRefused> {
        let mut notes = current.map(|current| current.notes.clone()).unwrap_or_default();
        if let Some(known) = current.and_then(|current| current.note(note.id)) {
            return if known.text == note.text { Ok(None) } else { Err(NoteRefused::AnotherText) };
        }
        let (changed_at, changed_by) = (note.at, note.by.clone());
        notes.push(note);
        if notes.len() > MOST_NOTES
            || notes.iter().map(Note::bytes).sum::<usize>() > MOST_NOTE_BYTES
        {
            return Err(NoteRefused::TooMany);
        }
        Ok(Some(Self {
            reference: current.and_then(|current| current.reference.clone()),
            metadata: current.map(|current| current.metadata.clone()).unwrap_or_default(),
            notes,
            revision: current.map_or(0, |current| current.revision) + 1,
            reference_revision: current.map_or(0, |current| current.reference_revision),
            changed_at,
            changed_by,
        }))
    }
}
