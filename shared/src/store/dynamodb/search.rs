//! The search by the beginning of a name, an address or an id, in DynamoDB.

use std::collections::HashSet;

use aws_sdk_dynamodb::types::{Delete, TransactWriteItem};

use super::error::{list_error, unbuilt};
use super::spread::FILTERED;
use super::{DynamoDbStore, put_action};
use crate::domain::{NextVersion, SearchField, SearchTerm, SubscriptionId};
use crate::store::item::search::{Lookup, SEARCH, SearchWrite, TERM, search_items};
use crate::store::item::{self, Item, index, text};
use crate::store::{ItemKind, Page, StoreError};

/// Where a page ended. The subscription's entries may go on behind it.
struct Position {
    id: SubscriptionId,
    /// The end of the sort key of the last entry that was looked at.
    entry: String,
    /// Whether the subscription was listed already.
    is_listed: bool,
}

impl Position {
    fn after(entry: &Item, listed: impl Fn(SubscriptionId) -> bool) -> Option<Self> {
        let id = item::subscription(entry)?;
        let sort = entry.get(item::SORT)?.as_s().ok()?.strip_prefix(ItemKind::Search.sort())?;
        Some(Self { id, entry: sort.to_owned(), is_listed: listed(id) })
    }

    fn read(position: &str) -> Option<Self> {
        let (listed, rest) = position.strip_prefix("search ")?.split_once(' ')?;
        let (id, entry) = rest.split_once(' ')?;
        let is_listed = match listed {
            "listed" => true,
            "open" => false,
            _ => return None,
        };
        Some(Self { id: id.parse().ok()?, entry: entry.to_owned(), is_listed })
    }

    fn write(&self) -> String {
        let listed = if self.is_listed { "listed" } else { "open" };
        format!("search {listed} {} {}", self.id, self.entry)
    }

    /// The key of the index after which the next page starts.
    fn start(&self, key: &str) -> Item {
        let mut start = ItemKind::Search.key(self.id, &self.entry);
        start.insert(SEARCH.to_owned(), text(key));
        start.insert(index::SUBSCRIPTION.to_owned(), text(self.id.to_string()));
        start
    }
}

impl DynamoDbStore {
    /// What a version with new search terms writes besides its record. Every field without a value loses
    /// its items, since the record doesn't hold which of them the version before had.
    pub(super) fn search_actions(
        &self,
        next: &NextVersion,
    ) -> Result<Vec<TransactWriteItem>, StoreError> {
        let (record, mut actions) = (&next.record, Vec::new());
        if !next.has_new_search_terms {
            return Ok(actions);
        }
        let terms = record.search_terms();
        for &field in SearchField::OF_RECORD {
            let writes = search_items(record.id(), field, terms.get(&field));
            actions.extend(self.field_actions(writes, record.is_first_version())?);
        }
        Ok(actions)
    }

    /// The writes of one field's items. What is there for the first time has nothing to delete.
    pub(super) fn field_actions(
        &self,
        writes: impl Iterator<Item = SearchWrite>,
        is_first: bool,
    ) -> Result<Vec<TransactWriteItem>, StoreError> {
        let action = |write| match write {
            SearchWrite::Put(item) => {
                let put = self.put_in_transaction(item).build().map_err(unbuilt);
                Some(put.map(put_action))
            }
            SearchWrite::Delete(_) if is_first => None,
            SearchWrite::Delete(key) => {
                let delete = Delete::builder().table_name(&self.table).set_key(Some(key));
                let delete = delete.build().map_err(unbuilt);
                Some(delete.map(|delete| TransactWriteItem::builder().delete(delete).build()))
            }
        };
        writes.filter_map(action).collect()
    }

    /// A page may be empty and not the last one.
    pub(super) async fn list_found(
        &self,
        term: &SearchTerm,
        limit: u8,
        next: Option<&str>,
    ) -> Result<Page<SubscriptionId>, StoreError> {
        let bad = || StoreError::BadPosition;
        let from = next.map(|next| Position::read(next).ok_or_else(bad)).transpose()?;
        let lookup = Lookup::of(term);
        let request = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("by-search")
            .key_condition_expression("#key = :key")
            .filter_expression("begins_with(#term, :text)")
            .expression_attribute_names("#key", SEARCH)
            .expression_attribute_names("#term", TERM)
            .expression_attribute_values(":key", text(&lookup.key))
            .expression_attribute_values(":text", text(term.as_str()))
            .limit(if lookup.is_exact { i32::from(limit) } else { FILTERED })
            .set_exclusive_start_key(from.as_ref().map(|from| from.start(&lookup.key)));
        let answer = request.send().await.map_err(|error| list_error(error, next))?;
        let entries = answer.items.unwrap_or_default();
        // A subscription has an entry for each of its values that begins with the text.
        let before = from.filter(|from| from.is_listed).map(|from| from.id);
        let mut listed: HashSet<SubscriptionId> = before.into_iter().collect();
        let (mut found, mut seen) = (Vec::new(), 0);
        for entry in &entries {
            let id = item::subscription(entry).ok_or_else(bad)?;
            if found.len() == usize::from(limit) && !listed.contains(&id) {
                break;
            }
            if listed.insert(id) {
                found.push(id);
            }
            seen += 1;
        }
        let is_cut = seen < entries.len();
        let last = if is_cut { entries[..seen].last() } else { answer.last_evaluated_key.as_ref() };
        let next = last.and_then(|last| Position::after(last, |id| listed.contains(&id)));
        Ok(Page { items: found, next: next.as_ref().map(Position::write) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_read_as_it_was_written() {
        let id = SubscriptionId(uuid::Uuid::from_u128(7));
        for is_listed in [true, false] {
            let position = Position { id, entry: "contact-email#8".to_owned(), is_listed }.write();
            let read = Position::read(&position).expect("as it was written");
            assert_eq!((read.id, &*read.entry, read.is_listed), (id, "contact-email#8", is_listed));
        }
        for position in
            ["", "search", "search listed", "lastChange x", "search so 1 2", "search open x y"]
        {
            assert!(Position::read(position).is_none(), "{position}");
        }
    }
}
