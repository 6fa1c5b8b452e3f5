use super::*;
use crate::domain::{AnnotationPatch, Annotations};

const BY: &str = "console: Olof Operator (8f4b3c1e-0000-4000-8000-000000000002)";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a time")
}

fn note(number: u128, text: &str) -> Note {
    let second = i64::try_from(number).expect("a small number");
    let id = Uuid::from_u128(number);
    Note { id, at: at(second), by: Some(BY.to_owned()), text: text.to_owned() }
}

fn added(current: Option<&Annotations>, note: Note) -> Annotations {
    Annotations::with_note(current, note).expect("it is accepted").expect("it is new")
}

/// The annotations with so many notes of this text.
fn full(notes: u128, text: &str) -> Annotations {
    let add =
        |current: Option<Annotations>, number| Some(added(current.as_ref(), note(number, text)));
    (1..=notes).fold(None, add).expect("a note")
}

#[test]
fn notes_follow_one_another_and_leave_reference_and_metadata_as_they_are() {
    let patch = AnnotationPatch::new(Some(Some("C-4711".to_owned())), None).expect("a patch");
    let referred = patch.apply(None, at(0), None).expect("few pairs").expect("a change");
    let first = added(Some(&referred), note(1, "Renewal talks in May"));
    assert_eq!(first.reference.as_deref(), Some("C-4711"));
    assert_eq!((first.revision, first.has_new_reference()), (2, false));
    assert_eq!((first.changed_at, first.changed_by.as_deref()), (at(1), Some(BY)));
    let second = added(Some(&first), note(2, "They renew"));
    assert_eq!(second.notes, [note(1, "Renewal talks in May"), note(2, "They renew")]);
    assert_eq!(second.shown(), (Some("C-4711"), None), "notes are not shown with them");

    let patch = AnnotationPatch::new(Some(None), None).expect("a patch");
    let patched = patch.apply(Some(&second), at(3), None).expect("few pairs").expect("a change");
    assert_eq!(patched.notes, second.notes, "a patch keeps the notes");
}

#[test]
fn a_note_that_is_there_is_not_added_again_and_never_changed() {
    let first = added(None, note(1, "They renew"));
    let later = Note { at: at(9), by: None, ..note(1, "They renew") };
    assert_eq!(Annotations::with_note(Some(&first), later), Ok(None));
    let other = note(1, "They leave");
    assert_eq!(Annotations::with_note(Some(&first), other), Err(NoteRefused::AnotherText));
    assert_eq!(first.note(Uuid::from_u128(1)), Some(&note(1, "They renew")));
    assert_eq!(first.note(Uuid::from_u128(2)), None);
}

#[test]
fn a_key_has_one_id_and_another_key_another_one() {
    assert_eq!(Note::id_under("order-1"), Note::id_under("order-1"));
    assert_ne!(Note::id_under("order-1"), Note::id_under("order-2"));
    assert_eq!(Note::id_under("order-1").get_version_num(), 8);
}

#[test]
fn a_text_has_a_limit_in_characters_and_is_one_line() {
    let long = |length| "ü".repeat(length);
    for (text, expected) in [
        (" a \n".to_owned(), Ok("a".to_owned())),
        (long(1000), Ok(long(1000))),
        (long(1001), Err(NoteRefused::Length)),
        (String::new(), Err(NoteRefused::Length)),
        (" \t ".to_owned(), Err(NoteRefused::Length)),
        ("two\nlines".to_owned(), Err(NoteRefused::Characters)),
        ("\u{1b}[2J".to_owned(), Err(NoteRefused::Characters)),
    ] {
        assert_eq!(note_text(&text).map(str::to_owned), expected, "{text:?}");
    }
}

#[test]
fn a_hundred_notes_fit_and_no_more() {
    let full = full(100, &"a".repeat(1000));
    let one_more = Annotations::with_note(Some(&full), note(101, "a"));
    assert_eq!(one_more, Err(NoteRefused::TooMany));
    let again = Annotations::with_note(Some(&full), note(7, &"a".repeat(1000)));
    assert_eq!(again, Ok(None), "a repeated request gets its answer");
}

#[test]
fn notes_in_any_script_fit_into_an_item() {
    const ITEM: usize = 400 * 1024;
    let text = "𝄞".repeat(1000);
    let full = full(61, &text);
    let one_more = Annotations::with_note(Some(&full), note(62, &text));
    assert_eq!(one_more, Err(NoteRefused::TooMany));
    // The most that a reference and metadata have beside them.
    let beside = 4 * (100 + 20 * (40 + 500));
    assert!(serde_json::to_string(&full).expect("JSON").len() + beside < ITEM * 9 / 10);
}

#[test]
fn the_debug_text_shows_neither_text_nor_author() {
    let text = format!("{:?} {:?}", note(1, "They renew"), added(None, note(1, "They renew")));
    assert!(!text.contains("renew") && !text.contains("Olof"), "{text}");
}
