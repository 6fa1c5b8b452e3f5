//! The history of a subscription: its events, and the notes of the staff among them by their time.

use jiff::Timestamp;
use shared::domain::{Event, Note};
use shared::store::Page;

use crate::api::Refusal;
use crate::copies::{Row, differences};
use crate::words::{caller, change, moment, pretty, title, who, why};

/// A part of the history, the latest entry first.
pub(super) struct History {
    pub(super) entries: Vec<Entry>,
    pub(super) no_events: Option<Refusal>,
    pub(super) no_notes: Option<Refusal>,
    /// The page after this one has the notes before this time.
    begins_at: Option<Timestamp>,
}

/// An event or a note.
pub(super) struct Entry {
    pub(super) title: String,
    /// What changed, or the text of a note.
    pub(super) change: Option<String>,
    pub(super) who: String,
    pub(super) why: Option<String>,
    pub(super) when: String,
    /// `None` for a note.
    pub(super) event: Option<Recorded>,
}

/// What else is shown of an event.
pub(super) struct Recorded {
    pub(super) version: u64,
    /// The fields that became others.
    pub(super) changes: Vec<Row>,
    /// The event as it is stored.
    pub(super) raw: String,
}

impl History {
    /// `before`: the page before this one has the notes from then on.
    pub(super) fn of(
        events: Result<Page<Event>, Refusal>,
        notes: Result<Vec<Note>, Refusal>,
        before: Option<Timestamp>,
    ) -> Self {
        let (Page { items: events, next }, no_events) = match events {
            Ok(page) => (page, None),
            Err(refusal) => (Page { items: Vec::new(), next: None }, Some(refusal)),
        };
        let (notes, no_notes) = match notes {
            Ok(notes) => (notes, None),
            Err(refusal) => (Vec::new(), Some(refusal)),
        };
        // Without an event on this page, its notes are on the next one.
        let begins_at = next.and_then(|_| events.last().map(|event| event.recorded_at).or(before));
        let is_here = |note: &Note| {
            begins_at.is_none_or(|begin| note.at >= begin) && before.is_none_or(|end| note.at < end)
        };
        let notes = notes.into_iter().filter(is_here).rev().collect();
        Self { entries: merged(events, notes), no_events, no_notes, begins_at }
    }

    /// The address of the part before this one, which ends with this version.
    pub(super) fn earlier(&self, page: &str, until: &str) -> String {
        let before = self.begins_at.map(|begin| format!("&before={begin}")).unwrap_or_default();
        format!("{page}?until={until}{before}#history")
    }
}

/// Both in one list, the latest first, as each of them is. A note follows the events of its own time.
fn merged(events: Vec<Event>, notes: Vec<Note>) -> Vec<Entry> {
    let mut entries = Vec::with_capacity(events.len() + notes.len());
    let mut notes = notes.into_iter().peekable();
    for event in events {
        while let Some(note) = notes.next_if(|note| note.at >= event.recorded_at) {
            entries.push(Entry::from(note));
        }
        entries.push(Entry::from(event));
    }
    entries.extend(notes.map(Entry::from));
    entries
}

impl From<Event> for Entry {
    fn from(event: Event) -> Self {
        let before = event.before.as_ref();
        let changes =
            before.map(|before| differences(before, &event.subscription)).unwrap_or_default();
        let raw = serde_json::to_value(&event).map(|event| pretty(&event)).unwrap_or_default();
        Self {
            title: title(&event.kind, &changes),
            change: change(&event.kind),
            who: who(&event.cause),
            why: event.ruling.as_ref().map(why),
            when: moment(event.recorded_at),
            event: Some(Recorded { version: event.version, changes, raw }),
        }
    }
}

impl From<Note> for Entry {
    fn from(note: Note) -> Self {
        Self {
            title: "Note:".to_owned(),
            change: Some(note.text),
            who: caller(note.by.as_deref()),
            why: None,
            when: moment(note.at),
            event: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::*;

    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    /// Events with these versions, ten seconds from one to the next, the latest first.
    fn events(versions: std::ops::RangeInclusive<u64>) -> Page<Event> {
        let event = |version: u64| {
            json!({
                "subscriptionId": Uuid::from_u128(7), "version": version, "index": 0,
                "type": "Renewed", "cause": { "by": "reconciliation" },
                "recordedAt": second(10 * i64::try_from(version).expect("small")),
                "subscription": {
                    "id": Uuid::from_u128(7), "offerId": "offer", "planId": "silver",
                    "saasSubscriptionStatus": "Subscribed", "beneficiary": {}, "purchaser": {},
                },
            })
        };
        let events: Vec<Value> = versions.clone().rev().map(event).collect();
        let items = serde_json::from_value(json!(events)).expect("events");
        let next = Some(versions.start() - 1).filter(|version| *version > 0);
        Page { items, next: next.map(|version| version.to_string()) }
    }

    /// Notes of these seconds.
    fn notes(seconds: &[i64]) -> Vec<Note> {
        let note = |at: &i64| Note {
            id: Uuid::from_u128(u128::from(at.unsigned_abs())),
            at: second(*at),
            by: None,
            text: format!("note of {at}"),
        };
        seconds.iter().map(note).collect()
    }

    fn shown(history: &History) -> Vec<String> {
        let text = |entry: &Entry| match &entry.event {
            Some(event) => event.version.to_string(),
            None => entry.change.clone().expect("a text"),
        };
        history.entries.iter().map(text).collect()
    }

    const SECONDS: [i64; 6] = [5, 20, 25, 39, 40, 99];

    #[test]
    fn notes_stand_among_the_events_by_their_time_the_latest_first() {
        let history = History::of(Ok(events(1..=4)), Ok(notes(&SECONDS)), None);
        assert_eq!(
            shown(&history),
            [
                "note of 99",
                "note of 40",
                "4",
                "note of 39",
                "3",
                "note of 25",
                "note of 20",
                "2",
                "1",
                "note of 5"
            ]
        );
    }

    #[test]
    fn each_note_is_on_one_page_of_the_history() {
        let newer = History::of(Ok(events(3..=4)), Ok(notes(&SECONDS)), None);
        assert_eq!(shown(&newer), ["note of 99", "note of 40", "4", "note of 39", "3"]);
        let address = newer.earlier("/console/subscriptions/7", "2");
        let expected = "/console/subscriptions/7?until=2&before=1970-01-01T00:00:30Z#history";
        assert_eq!(address, expected);
        let before = Some(second(30));
        let older = History::of(Ok(events(1..=2)), Ok(notes(&SECONDS)), before);
        assert_eq!(shown(&older), ["note of 25", "note of 20", "2", "1", "note of 5"]);
    }

    #[test]
    fn a_part_that_cannot_be_read_hides_not_the_other_one() {
        let refusal = || Refusal {
            status: http::StatusCode::SERVICE_UNAVAILABLE,
            code: "table".to_owned(),
            detail: "the table can't be reached".to_owned(),
        };
        let history = History::of(Err(refusal()), Ok(notes(&[5])), None);
        assert_eq!((shown(&history), history.no_notes), (vec!["note of 5".to_owned()], None));
        assert_eq!(history.no_events, Some(refusal()));
        let history = History::of(Ok(events(1..=1)), Err(refusal()), None);
        assert_eq!((shown(&history), history.no_events), (vec!["1".to_owned()], None));
        assert_eq!(history.no_notes, Some(refusal()));
    }
}
