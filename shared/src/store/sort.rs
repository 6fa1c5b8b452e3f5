//! The orders in which records are listed.

use jiff::Timestamp;
use uuid::Uuid;

use super::StoreError;
use crate::domain::{Record, Status, SubscriptionId};

/// An order of a list. Its keys are stored with each record: a key never changes its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// The record that changed last comes first. A record that changes while the pages are read moves to
    /// the front, and later pages leave it out.
    LastChange,
    /// The subscription whose term ends next comes first. Those without a term and those that have ended
    /// come last, for no renewal is due there.
    TermEnd,
}

impl Sort {
    pub const ALL: [Self; 2] = [Self::LastChange, Self::TermEnd];

    /// As callers name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LastChange => "lastChange",
            Self::TermEnd => "termEnd",
        }
    }

    /// Whether the highest key comes first.
    pub const fn is_descending(self) -> bool {
        matches!(self, Self::LastChange)
    }

    /// Where a record is in this order. Keys are compared as texts, and no two records have the same.
    pub fn key(self, record: &Record) -> String {
        let id = record.id();
        match (self, record.subscription.term.end_date) {
            (Self::LastChange, _) => format!("{}#{id}", sortable(record.updated_at)),
            (Self::TermEnd, Some(end)) if *record.status() != Status::Unsubscribed => {
                format!("{}#{id}", sortable(end))
            }
            // A tilde comes after every digit.
            (Self::TermEnd, Some(end)) => format!("~{}#{id}", sortable(end)),
            (Self::TermEnd, None) => format!("~#{id}"),
        }
    }

    /// Where the page after the record with this key starts.
    pub fn position(self, key: &str) -> String {
        format!("{} {key}", self.name())
    }

    /// Where a list by the last change, the oldest first, begins with the records that changed at this time or
    /// later.
    pub fn position_from(since: Timestamp) -> String {
        let least = SubscriptionId(Uuid::nil());
        Self::LastChange.position(&format!("{}#{least}", sortable(since)))
    }

    /// The record before a position: its key, and its subscription.
    ///
    /// # Errors
    /// [`StoreError::BadPosition`] where the position is none of this order.
    pub fn record_before(self, position: &str) -> Result<(&str, SubscriptionId), StoreError> {
        let read = || {
            let key = position.strip_prefix(self.name())?.strip_prefix(' ')?;
            let (_, id) = key.rsplit_once('#')?;
            Some((key, id.parse().ok()?))
        };
        read().ok_or(StoreError::BadPosition)
    }
}

/// As text of one length, sorted by time.
fn sortable(at: Timestamp) -> String {
    format!("{at:.9}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_sorted_as_texts_to_the_nanosecond() {
        let times =
            ["2026-03-10T12:00:00Z", "2026-03-10T12:00:00.000000001Z", "2026-03-10T12:00:01Z"];
        let texts = times.map(|time| sortable(time.parse().expect("a time")));
        assert_eq!(texts[0], "2026-03-10T12:00:00.000000000Z");
        assert!(texts.is_sorted(), "{texts:?}");
    }

    #[test]
    fn a_position_from_a_time_is_before_what_changed_at_it_and_after_what_changed_before() {
        let position = Sort::position_from("2026-03-10T12:00:00Z".parse().expect("a time"));
        let (before, _) = Sort::LastChange.record_before(&position).expect("as it was made");
        let id = Uuid::from_u128(1);
        assert!(before < &*format!("2026-03-10T12:00:00.000000000Z#{id}"));
        assert!(before > &*format!("2026-03-10T11:59:59.999999999Z#{id}"));
    }

    #[test]
    fn a_position_is_one_of_its_own_order() {
        let key = format!("2026-03-10T12:00:00.000000000Z#{}", Uuid::nil());
        let position = Sort::TermEnd.position(&key);
        let (before, id) = Sort::TermEnd.record_before(&position).expect("as it was made");
        assert_eq!((before, id), (&*key, SubscriptionId(Uuid::nil())));
        for (sort, position) in [
            (Sort::LastChange, &*position),
            (Sort::TermEnd, &key),
            (Sort::TermEnd, "termEnd"),
            (Sort::TermEnd, "termEnd x#y"),
            (Sort::TermEnd, ""),
        ] {
            let read = sort.record_before(position);
            assert!(matches!(read, Err(StoreError::BadPosition)), "{position}: {read:?}");
        }
    }
}
