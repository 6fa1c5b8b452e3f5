//! What requests cost, in DynamoDB's units of capacity.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html>

use crate::items::INDEXES;
use crate::projection::{key_in, projected};
use crate::value::{Item, size};

/// The units that a request used. A refused request counts none.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Units {
    /// One for each 4 KB that a consistent read looks at, and half of it for another read.
    pub read: f64,
    /// One for each KB that is written, twice that in a transaction, and one for each KB of an entry of
    /// an index that is written or removed.
    pub write: f64,
}

impl Units {
    /// Counts a read of so many bytes. Reading nothing costs as much as reading one byte.
    pub(crate) fn read(&mut self, bytes: usize, is_consistent: bool) {
        let whole = blocks(bytes, 4096);
        self.read += if is_consistent { whole } else { whole / 2.0 };
    }

    /// Counts a write that replaces one state of an item by another.
    pub(crate) fn write(
        &mut self,
        before: Option<&Item>,
        after: Option<&Item>,
        in_transaction: bool,
    ) {
        let bytes = before.into_iter().chain(after).map(size).max().unwrap_or_default();
        let whole = blocks(bytes, 1024);
        self.write += if in_transaction { 2.0 * whole } else { whole };
        for index in INDEXES {
            let entry = |item: Option<&Item>| {
                let item = item.filter(|item| {
                    item.contains_key(index.partition) && item.contains_key(index.sort)
                });
                item.map(|item| (key_in(Some(index), item), projected(Some(index), item)))
            };
            self.write += match (entry(before), entry(after)) {
                (Some(before), Some(after)) if before == after => 0.0,
                // An entry with other keys is another one, and the former is removed.
                (Some((old_keys, old)), Some((new_keys, new))) if old_keys != new_keys => {
                    blocks(size(&old), 1024) + blocks(size(&new), 1024)
                }
                (Some((_, old)), Some((_, new))) => blocks(size(&old).max(size(&new)), 1024),
                (Some((_, entry)), None) | (None, Some((_, entry))) => blocks(size(&entry), 1024),
                (None, None) => 0.0,
            };
        }
    }
}

fn blocks(bytes: usize, of: usize) -> f64 {
    f64::from(u32::try_from(bytes.div_ceil(of).max(1)).expect("a request of a few megabytes"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::items::{PARTITION, SORT};
    use crate::value::Value;

    fn item(attributes: &[(&str, &str)]) -> Item {
        let keys = [(PARTITION, "SUB#1"), (SORT, "RECORD")];
        let all = keys.iter().chain(attributes);
        all.map(|(name, value)| ((*name).to_owned(), Value::S((*value).to_owned()))).collect()
    }

    fn written(before: Option<&Item>, after: Option<&Item>, in_transaction: bool) -> f64 {
        let mut units = Units::default();
        units.write(before, after, in_transaction);
        units.write
    }

    #[test]
    fn a_read_costs_a_unit_for_each_4_kb_and_half_of_it_if_it_may_be_late() {
        for (bytes, is_consistent, expected) in
            [(0, true, 1.0), (4096, true, 1.0), (4097, true, 2.0), (4097, false, 1.0)]
        {
            let mut units = Units::default();
            units.read(bytes, is_consistent);
            assert_eq!(units, Units { read: expected, write: 0.0 }, "{bytes} {is_consistent}");
        }
    }

    #[test]
    fn a_write_costs_a_unit_for_each_kb_and_twice_that_in_a_transaction() {
        let (small, large) = (item(&[]), item(&[("body", &"a".repeat(1500))]));
        assert_eq!(written(None, Some(&small), false), 1.0);
        assert_eq!(written(None, Some(&large), false), 2.0);
        assert_eq!(written(None, Some(&large), true), 4.0);
        assert_eq!(written(Some(&large), Some(&small), false), 2.0, "the larger of the two counts");
        assert_eq!(written(Some(&large), None, false), 2.0);
    }

    #[test]
    fn an_index_costs_what_changes_in_it() {
        let due = |at| item(&[("outbox", "DUE#1"), ("due_at", at)]);
        let (plain, soon, late) = (item(&[]), due("1"), due("2"));
        assert_eq!(written(None, Some(&soon), false), 2.0, "an entry is new");
        assert_eq!(written(Some(&soon), Some(&soon), false), 1.0, "nothing changes in it");
        assert_eq!(written(Some(&soon), Some(&late), false), 3.0, "it has another key");
        assert_eq!(written(Some(&soon), Some(&plain), false), 2.0, "it ends");
        let found = |term| item(&[("search", "abc"), ("subscription_id", "1"), ("term", term)]);
        assert_eq!(written(Some(&found("abcd")), Some(&found("abce")), false), 2.0, "it changes");
    }
}
