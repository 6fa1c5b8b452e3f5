//! The invariants: some hold at every commit, some once the storm has passed.

mod answers;
mod calm;
mod claims;
mod commit;
mod endpoints;
mod noted;
mod origin;
mod proof;
mod purchases;
mod visits;

use jiff::civil::Date;

pub(crate) use calm::{Heard, check_calm, check_without_reconciliation};
pub(crate) use commit::check_commit;
pub(crate) use noted::wanted;
pub(crate) use origin::{shown_seats, wanted_by};
pub(crate) use visits::{check_page, check_visit_reaches, check_visit_uses_table, may_see};

/// The error message of an operation that we refused, and of no other.
pub(crate) const REFUSED: &str = "The publisher refused the change.";

/// The start of a day, as a record's term holds it.
pub(crate) fn midnight(date: Option<Date>) -> Option<String> {
    date.map(|date| format!("{date}T00:00:00Z"))
}
