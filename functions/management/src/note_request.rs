//! The body of a new note, and why there can't be one.

use serde::Deserialize;
use shared::domain::{NoteRefused, note_text};
use shared::host::http::Problem;
use shared::lenient::strict_object;

use crate::error_code::{ErrorCode, malformed};

/// Reads the body of a new note.
pub(crate) fn parse(body: &[u8]) -> Result<String, Problem> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        text: String,
    }
    let body: Option<Body> = strict_object(body);
    let Body { text } = body.ok_or_else(|| malformed("the body must be {\"text\": the note}"))?;
    note_text(&text).map(str::to_owned).map_err(note_problem)
}

pub(crate) fn note_problem(refused: NoteRefused) -> Problem {
    match refused {
        NoteRefused::Length | NoteRefused::Characters => {
            ErrorCode::InvalidNote.with(refused.to_string())
        }
        NoteRefused::TooMany => ErrorCode::TooManyNotes.with(refused.to_string()),
        // The id was made from the key.
        NoteRefused::AnotherText => ErrorCode::KeyReused
            .with("the key was used for another note; a new note needs a new key"),
    }
}
