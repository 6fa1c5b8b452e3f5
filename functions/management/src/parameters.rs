//! The parameters in a request's query.

use std::collections::BTreeMap;

use shared::host::http::{Problem, Request, query_parameters};

use crate::error_code::malformed;

/// The longest status, offer id or text to search for, in characters. Microsoft's words have 50 at the
/// most, and the table rejects a key of 2 KB.
pub(crate) const LONGEST_WORD: usize = 100;

/// A parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Query {
    Status,
    Offer,
    /// Only test purchases, or none.
    Test,
    /// Only those that no person has claimed, or none.
    Unclaimed,
    /// Only with deliveries of this state.
    Delivery,
    /// The beginning of what is searched for.
    Search,
    Sort,
    /// The most records on a page.
    Limit,
    /// The cursor of the previous page.
    Next,
    /// The version of the last event that the caller has.
    After,
    /// Of deliveries.
    State,
}

impl Query {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Offer => "offer",
            Self::Test => "test",
            Self::Unclaimed => "unclaimed",
            Self::Delivery => "delivery",
            Self::Search => "search",
            Self::Sort => "sort",
            Self::Limit => "limit",
            Self::Next => "next",
            Self::After => "after",
            Self::State => "state",
        }
    }
}

/// The parameters that a request gives, each of which its call has.
pub(crate) struct Parameters {
    known: &'static [Query],
    given: BTreeMap<&'static str, String>,
}

impl Parameters {
    /// Reads the parameters of a call that has these. No answer repeats what the caller wrote.
    pub(crate) fn read(request: &Request, known: &'static [Query]) -> Result<Self, Problem> {
        let mut given = BTreeMap::new();
        for (name, value) in query_parameters(request) {
            let Some(query) = known.iter().find(|query| name == query.name()) else {
                return Err(unknown(known));
            };
            if given.insert(query.name(), value.trim().to_owned()).is_some() {
                return Err(malformed(&format!("`{}` is given twice", query.name())));
            }
        }
        Ok(Self { known, given })
    }

    /// The value, without blanks around it.
    pub(crate) fn given(&self, query: Query) -> Option<&str> {
        debug_assert!(self.known.contains(&query), "the table names every parameter that is read");
        self.given.get(query.name()).map(String::as_str)
    }

    /// The value, unless it is empty.
    pub(crate) fn filled(&self, query: Query) -> Option<&str> {
        self.given(query).filter(|value| !value.is_empty())
    }

    /// The value, if it is not too long.
    pub(crate) fn word(&self, query: Query) -> Result<Option<&str>, Problem> {
        match self.given(query) {
            Some(word) if word.chars().count() > LONGEST_WORD => {
                Err(malformed(&format!("`{}` is too long", query.name())))
            }
            word => Ok(word),
        }
    }
}

fn unknown(known: &[Query]) -> Problem {
    let names: Vec<_> = known.iter().map(|query| format!("`{}`", query.name())).collect();
    if names.is_empty() {
        return malformed("this call has no parameters");
    }
    malformed(&format!("the parameters of this call are {}", names.join(", ")))
}
