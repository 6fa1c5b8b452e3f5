//! The invariants: some hold at every commit, some once the storm has passed.

mod calm;
mod commit;
mod origin;
mod proof;

use jiff::civil::Date;

pub(crate) use calm::{Heard, check_calm, check_without_reconciliation};
pub(crate) use commit::check_commit;

/// The start of a day, as a record's term holds it.
pub(crate) fn midnight(date: Option<Date>) -> Option<String> {
    date.map(|date| format!("{date}T00:00:00Z"))
}
