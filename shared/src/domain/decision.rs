//! The outcome of a rule, as data.

use super::event::Event;
use super::record::Record;
use super::ruling::Ruling;
use super::search;

/// What a fact makes of a record.
#[expect(clippy::large_enum_variant, reason = "one is made per request, and used up at once")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The record says so already.
    Unchanged,
    /// The record changes; all of it in one transaction.
    Commit(NextVersion),
    /// The fact is not adopted.
    Stale(Staleness),
}

/// The record's next version, and the events that lead to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextVersion {
    /// Replaces the version before it.
    pub record: Record,
    /// In the order in which they happened.
    pub events: Vec<Event>,
    /// Whether the table doesn't hold the record's [search terms](Record::search_terms) yet.
    pub has_new_search_terms: bool,
}

impl NextVersion {
    /// `record` comes from the version before, with the digest of the search terms that the table holds.
    pub fn of(mut record: Record, events: Vec<Event>) -> Self {
        let digest = search::digest(&record.search_terms());
        let has_new_search_terms = record.search_digest.as_ref() != Some(&digest);
        record.search_digest = Some(digest);
        Self { record, events, has_new_search_terms }
    }
}

/// Why a fact is not adopted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Staleness {
    /// It shows a state that the record left moments ago, or was read before the record changed: a
    /// late read, or a change that was taken back at once. Read again after
    /// [`SETTLING_WINDOW`](super::SETTLING_WINDOW).
    Settling,
    /// Its status can't follow the recorded one (F-LC).
    Impossible,
}

impl Staleness {
    /// In log lines.
    pub fn name(self) -> &'static str {
        match self {
            Self::Settling => "settling",
            Self::Impossible => "impossible",
        }
    }
}

impl Decision {
    /// The same decision, with the ruling that led to it on its events.
    #[must_use]
    pub fn ruled(mut self, ruling: &Ruling) -> Self {
        if let Self::Commit(next) = &mut self {
            for event in &mut next.events {
                event.ruling = Some(ruling.clone());
            }
        }
        self
    }
}
