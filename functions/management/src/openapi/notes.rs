//! The calls about notes.

use super::described::{Body, Described, TABLE, list as listed, ok, read};
use super::response::Success;
use super::schemas::reference;
use crate::error_code::ErrorCode;

pub(super) fn list() -> Described {
    Described {
        description: "They are for your staff: no event and no record has them.",
        ..read(
            "listNotes",
            "List the notes about the subscription, the oldest first",
            ok("All of them", listed("notes", "Note")),
            &[&TABLE, &[ErrorCode::UnknownSubscription]],
        )
    }
}

pub(super) fn add() -> Described {
    Described {
        description: "The note is stored with the caller and the time, and is never changed. Microsoft is not asked, \
            and the record's version stays. If you repeat the request with the same key, you get the first answer \
            again, for as long as the note is there; a key is about one subscription.",
        body: Some(Body { schema: reference("NewNote"), required: true }),
        headers: &["idempotencyKey"],
        ..read(
            "addNote",
            "Add a note about the subscription",
            Success {
                status: 201,
                headers: &["Idempotency-Replayed"],
                ..ok("The note", reference("Note"))
            },
            &[
                &TABLE,
                &[
                    ErrorCode::InvalidNote,
                    ErrorCode::UnknownSubscription,
                    ErrorCode::PersonalDataErased,
                    ErrorCode::TooManyNotes,
                    ErrorCode::KeyReused,
                ],
            ],
        )
    }
}
