//! Which records are listed.

use crate::domain::{Record, SearchTerm, Status};

use super::Sort;

/// The most records on a page.
pub const LARGEST_PAGE: u8 = 100;

/// A list of records.
#[derive(Clone, Debug)]
pub struct ListQuery {
    pub by: ListBy,
    pub filter: Filter,
    /// How many records a page has at most: from 1 to [`LARGEST_PAGE`].
    pub limit: u8,
}

/// What a list begins with, and how it goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListBy {
    /// Every record, without an order.
    All,
    /// Every record, in this order.
    Sort(Sort),
    /// Every record, the one whose last change is the longest ago first.
    Oldest,
    /// The records with a [search term](Record::search_terms) that begins with this text, in the order of
    /// their ids.
    Search(SearchTerm),
}

impl ListQuery {
    pub fn by(by: ListBy) -> Self {
        Self { by, filter: Filter::default(), limit: LARGEST_PAGE }
    }

    #[must_use]
    pub fn only(self, filter: Filter) -> Self {
        Self { filter, ..self }
    }
}

/// Lists every record, without an order.
impl Default for ListQuery {
    fn default() -> Self {
        Self::by(ListBy::All)
    }
}

/// Which of the records are left in a list.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub status: Option<Status>,
    pub offer_id: Option<String>,
    /// Only test purchases, or none of them (F-OBJ-12).
    pub is_test: Option<bool>,
    /// Only those that no person has claimed, or none of them.
    pub is_unclaimed: Option<bool>,
}

impl Filter {
    pub fn is_met_by(&self, record: &Record) -> bool {
        self.status.as_ref().is_none_or(|status| record.status() == status)
            && self.offer_id.as_ref().is_none_or(|offer| *offer == record.subscription.offer_id)
            && self.is_test.is_none_or(|is_test| is_test == record.subscription.is_test)
            && self.is_unclaimed.is_none_or(|unclaimed| unclaimed == record.is_unclaimed())
    }
}

/// A part of a longer list.
#[derive(Clone, Debug)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Where the next page starts; `None` on the last one.
    pub next: Option<String>,
}
