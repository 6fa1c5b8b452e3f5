//! Search items: by which beginnings of a searched value its subscription is found.
//!
//! A search item belongs to whatever has the value, such as the record, and is written in the same
//! transaction. Its key names the field, so a new value of a field replaces the one before it.

use std::fmt::Write as _;

use ring::digest::{SHA256, digest};

use super::attribute::{Item, text};
use super::index::SUBSCRIPTION;
use super::kind::ItemKind;
use crate::domain::{SearchField, SearchTerm, SubscriptionId};

/// The partition key of the search index; [`SUBSCRIPTION`] is its sort key.
pub(in crate::store) const SEARCH: &str = "search";
/// The searched value, which the search index includes.
pub(in crate::store) const TERM: &str = "term";

/// By so many characters a value can be looked up. A search takes the most that its text has, since
/// fewer values share a longer beginning. A value has an item for each of these that it is long enough
/// for, so another number here makes it more expensive to write.
const LENGTHS: [usize; 3] = [SearchTerm::SHORTEST, 8, 20];

/// What happens to a search item.
#[derive(Debug, PartialEq)]
pub(in crate::store) enum SearchWrite {
    Put(Item),
    /// Removes the item with this key, if there is one.
    Delete(Item),
}

/// The search items of a field whose value is now this one; `None`: it has no value (any more).
pub(in crate::store) fn search_items(
    id: SubscriptionId,
    field: SearchField,
    term: Option<&SearchTerm>,
) -> impl Iterator<Item = SearchWrite> + '_ {
    LENGTHS.into_iter().map(move |length| {
        let mut item = ItemKind::Search.key(id, format!("{}#{length}", field.name()));
        let found = term.and_then(|term| Some((term, beginning(term, length)?)));
        let Some((term, beginning)) = found else { return SearchWrite::Delete(item) };
        item.insert(SEARCH.into(), text(hash(beginning)));
        item.insert(SUBSCRIPTION.into(), text(id.to_string()));
        item.insert(TERM.into(), text(term.as_str()));
        SearchWrite::Put(item)
    })
}

/// Where values are that begin with a text.
pub(in crate::store) struct Lookup {
    /// The partition key of the search index.
    pub key: String,
    /// Whether every value under this key begins with the text.
    pub is_exact: bool,
}

impl Lookup {
    pub(in crate::store) fn of(term: &SearchTerm) -> Self {
        let longest = LENGTHS.into_iter().rev().find_map(|length| beginning(term, length));
        // No term is shorter than the shortest of them.
        let beginning = longest.unwrap_or(term.as_str());
        Self { key: hash(beginning), is_exact: beginning == term.as_str() }
    }
}

/// The first characters of a value; `None` if it has fewer.
fn beginning(term: &SearchTerm, length: usize) -> Option<&str> {
    let term = term.as_str();
    let (last, letter) = term.char_indices().nth(length - 1)?;
    Some(&term[..last + letter.len_utf8()])
}

/// Keys show up in logs of access to the table, so they hold no name and no address in clear. Whoever
/// guesses a value can still check the guess.
fn hash(beginning: &str) -> String {
    const KEPT: usize = 16;
    let digest = digest(&SHA256, beginning.as_bytes());
    digest.as_ref()[..KEPT].iter().fold(String::with_capacity(2 * KEPT), |mut key, byte| {
        // Writing to a text can't fail.
        let _ = write!(key, "{byte:02x}");
        key
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn term(text: &str) -> SearchTerm {
        SearchTerm::of(text).expect("long enough")
    }

    fn id() -> SubscriptionId {
        SubscriptionId(uuid::Uuid::from_u128(1))
    }

    fn put(write: SearchWrite) -> Option<Item> {
        match write {
            SearchWrite::Put(item) => Some(item),
            SearchWrite::Delete(_) => None,
        }
    }

    fn attribute<'a>(item: &'a Item, name: &str) -> &'a str {
        item[name].as_s().expect("a text")
    }

    #[test]
    fn a_value_is_looked_up_by_every_text_that_it_begins_with() {
        let value = "ånn.andersson@contoso.example";
        let items: Vec<_> =
            search_items(id(), SearchField::Name, Some(&term(value))).filter_map(put).collect();
        let keys: BTreeSet<_> = items.iter().map(|item| attribute(item, SEARCH)).collect();
        assert_eq!(keys.len(), 3, "one for each length");
        for length in 3..=value.chars().count() {
            let text: String = value.chars().take(length).collect();
            let lookup = Lookup::of(&term(&text));
            assert!(keys.contains(&*lookup.key), "{text}");
            assert_eq!(lookup.is_exact, [3, 8, 20].contains(&length), "{text}");
        }
        assert!(!keys.contains(&*Lookup::of(&term("anna")).key));
    }

    #[test]
    fn a_field_has_the_same_keys_with_a_long_value_a_short_one_and_none() {
        let keys = |value: Option<&str>| -> Vec<(String, bool)> {
            let term = value.map(term);
            let writes = search_items(id(), SearchField::Company, term.as_ref());
            let key = |write| match write {
                SearchWrite::Put(item) => (attribute(&item, super::super::SORT).to_owned(), true),
                SearchWrite::Delete(key) => {
                    assert_eq!(key.len(), 2);
                    (attribute(&key, super::super::SORT).to_owned(), false)
                }
            };
            writes.map(key).collect()
        };
        let key = |length| format!("SEARCH#company#{length}");
        let with =
            |is_put: [bool; 3]| [3, 8, 20].map(key).into_iter().zip(is_put).collect::<Vec<_>>();
        assert_eq!(keys(Some("contoso")), with([true, false, false]));
        assert_eq!(keys(Some("contoso and partners")), with([true, true, true]));
        assert_eq!(keys(None), with([false, false, false]));
    }

    /// A transaction takes 100 items: the record, the mark and the events, besides these.
    #[test]
    fn the_search_items_of_a_record_leave_room_in_a_transaction() {
        assert!(SearchField::ALL.len() * LENGTHS.len() <= 60);
    }

    #[test]
    fn no_key_holds_a_value_in_clear() {
        let value = term("wilhelmina@private.example");
        let items = search_items(id(), SearchField::Name, Some(&value));
        for item in items.filter_map(put) {
            for key in [super::super::PARTITION, super::super::SORT, SEARCH, SUBSCRIPTION] {
                let key = attribute(&item, key);
                assert!(!key.contains("wil") && !key.contains("private"), "{key}");
            }
        }
    }
}
