//! What a run reached: a case that no run reaches proves nothing.

mod name;
mod totals;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

pub(crate) use name::{call, words};
pub use totals::Totals;

/// How often a run reached each case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reached(BTreeMap<Cow<'static, str>, u64>);

impl Reached {
    /// Counts a case.
    pub(crate) fn count(&mut self, what: impl Into<Cow<'static, str>>) {
        self.add(what, 1);
    }

    pub(crate) fn add(&mut self, what: impl Into<Cow<'static, str>>, times: u64) {
        *self.0.entry(what.into()).or_default() += times;
    }

    /// How often the run reached this case.
    pub fn times(&self, what: &str) -> u64 {
        self.0.get(what).copied().unwrap_or_default()
    }

    /// The reached cases in alphabetical order, each with how often.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0.iter().map(|(what, times)| (&**what, *times))
    }
}

/// A line for each reached case.
impl fmt::Display for Reached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, times) in self.iter() {
            writeln!(f, "{times:>6}  {what}")?;
        }
        Ok(())
    }
}
