//! What many runs reached together.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value, json};

use super::Reached;

/// In how many runs each case occurred, and how often in all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals(BTreeMap<String, Total>);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Total {
    seeds: u64,
    times: u64,
}

impl Totals {
    /// Adds what one run reached.
    pub fn add(&mut self, reached: &Reached) {
        for (case, times) in reached.iter() {
            self.raise(case, Total { seeds: 1, times });
        }
    }

    /// Adds what other runs reached.
    pub fn merge(&mut self, others: &Self) {
        for (case, total) in &others.0 {
            self.raise(case, *total);
        }
    }

    fn raise(&mut self, case: &str, by: Total) {
        if !self.0.contains_key(case) {
            self.0.insert(case.to_owned(), Total::default());
        }
        let total = self.0.get_mut(case).expect("inserted just now");
        total.seeds += by.seeds;
        total.times += by.times;
    }

    /// In how many runs this case occurred.
    pub fn seeds(&self, case: &str) -> u64 {
        self.0.get(case).map_or(0, |total| total.seeds)
    }

    pub(crate) fn to_json(&self) -> Value {
        let cases =
            self.0.iter().map(|(case, total)| (case.clone(), json!([total.seeds, total.times])));
        Value::Object(cases.collect::<Map<_, _>>())
    }

    /// `None`: the value is not what [`Self::to_json`] gives.
    pub(crate) fn from_json(value: &Value) -> Option<Self> {
        let cases = value.as_object()?.iter().map(|(case, total)| {
            let [seeds, times] = &**total.as_array()? else { return None };
            Some((case.clone(), Total { seeds: seeds.as_u64()?, times: times.as_u64()? }))
        });
        cases.collect::<Option<_>>().map(Self)
    }
}

/// A table with a line for each case.
impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<51}{:>12}{:>16}", "reached", "in seeds", "times in all")?;
        for (case, Total { seeds, times }) in &self.0 {
            writeln!(f, "{case:<51}{seeds:>12}{times:>16}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn totals() -> Totals {
        let mut one = Reached::default();
        one.count("fault: lost");
        one.count("fault: lost");
        let mut other = Reached::default();
        other.count("fault: lost");
        let mut totals = Totals::default();
        totals.add(&one);
        totals.add(&other);
        totals
    }

    #[test]
    fn runs_are_counted_beside_occurrences() {
        assert_eq!(totals().0["fault: lost"], Total { seeds: 2, times: 3 });
        let mut twice = totals();
        twice.merge(&totals());
        assert_eq!(twice.0["fault: lost"], Total { seeds: 4, times: 6 });
    }

    #[test]
    fn the_table_has_80_columns() {
        for line in totals().to_string().lines() {
            assert_eq!(line.len(), 79, "{line}");
        }
    }

    #[test]
    fn what_was_saved_is_read_again() {
        assert_eq!(Totals::from_json(&totals().to_json()), Some(totals()));
        assert_eq!(Totals::from_json(&json!({ "fault: lost": [1] })), None);
    }
}
