//! Lists over an index whose entries are spread over several partition keys.

use std::cmp::Ordering;

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use futures_util::future::try_join_all;

use super::DynamoDbStore;
use super::error::list_error;
use crate::store::StoreError;
use crate::store::item::{self, Item, text};

/// Entries that one request reads where a filter leaves some of them out.
pub(super) const FILTERED: i32 = 1000;

/// Where an entry is in a list: its sort key in the index, and the table's keys.
pub(super) type Place = (String, String, String);

/// A list over an index.
pub(super) struct Spread {
    pub index: &'static str,
    /// The attribute that is the index's partition key.
    pub partition: &'static str,
    /// The attribute that is the index's sort key. It MUST be unique: DynamoDB returns entries with equal
    /// keys in any order, and this list would leave some out at the end of a page.
    pub sort: &'static str,
    /// Every partition key that entries have.
    pub keys: Vec<String>,
    /// Whether the highest sort key comes first.
    pub is_descending: bool,
    /// The last sort key to list.
    pub up_to: Option<String>,
    /// How many entries a page has at most, of all partition keys together.
    pub limit: u8,
    /// Attributes of the index, and the values that they must have.
    pub filter: Vec<(&'static str, String)>,
}

/// A page of the index.
pub(super) struct Merged {
    /// In order.
    pub items: Vec<Item>,
    /// The place after which the next page starts, if there is one.
    pub next: Option<Place>,
}

/// The first entries under one partition key.
struct Shard {
    entries: Vec<(Place, Item)>,
    /// The last place that was looked at, if there are more.
    end: Option<Place>,
}

impl Spread {
    fn order(&self, one: &Place, other: &Place) -> Ordering {
        if self.is_descending { other.cmp(one) } else { one.cmp(other) }
    }

    /// Where an entry is.
    pub(super) fn place(&self, found: &Item) -> Option<Place> {
        let part = |name| Some(found.get(name)?.as_s().ok()?.clone());
        Some((part(self.sort)?, part(item::PARTITION)?, part(item::SORT)?))
    }

    /// The key after which the entries under a partition key continue. The place need not be one of them.
    fn start(&self, (sort, pk, sk): &Place, key: &str) -> Item {
        [(self.sort, sort), (item::PARTITION, pk), (item::SORT, sk)]
            .map(|(name, value)| (name.to_owned(), text(value)))
            .into_iter()
            .chain([(self.partition.to_owned(), text(key))])
            .collect()
    }

    /// Adds the conditions to a query.
    fn conditions(&self, query: QueryFluentBuilder, key: &str) -> QueryFluentBuilder {
        let mut query = query
            .expression_attribute_names("#key", self.partition)
            .expression_attribute_values(":key", text(key));
        query = match &self.up_to {
            Some(up_to) => query
                .key_condition_expression("#key = :key AND #sort <= :up_to")
                .expression_attribute_names("#sort", self.sort)
                .expression_attribute_values(":up_to", text(up_to)),
            None => query.key_condition_expression("#key = :key"),
        };
        let mut filter = Vec::new();
        for (name, value) in &self.filter {
            filter.push(format!("#{name} = :{name}"));
            query = query
                .expression_attribute_names(format!("#{name}"), *name)
                .expression_attribute_values(format!(":{name}"), text(value));
        }
        if filter.is_empty() {
            query.limit(self.limit.into())
        } else {
            query.limit(FILTERED).filter_expression(filter.join(" AND "))
        }
    }
}

impl DynamoDbStore {
    /// A page of a list, after a place. It may be empty and not the last one.
    pub(super) async fn merged(
        &self,
        list: &Spread,
        after: Option<&Place>,
    ) -> Result<Merged, StoreError> {
        let shards = try_join_all(list.keys.iter().map(|key| self.shard(list, key, after))).await?;
        // A shard with more entries may hold some that come before those of the other shards.
        let ends = shards.iter().filter_map(|shard| shard.end.clone());
        let known = ends.min_by(|one, other| list.order(one, other));
        let mut entries: Vec<_> = shards.into_iter().flat_map(|shard| shard.entries).collect();
        let is_known =
            |place: &Place| known.as_ref().is_none_or(|known| list.order(place, known).is_le());
        entries.retain(|(place, _)| is_known(place));
        entries.sort_unstable_by(|(one, _), (other, _)| list.order(one, other));
        let limit = usize::from(list.limit);
        let is_too_long = entries.len() > limit;
        entries.truncate(limit);
        let last = entries.last().map(|(place, _)| place.clone());
        let next = if is_too_long { last } else { known };
        Ok(Merged { items: entries.into_iter().map(|(_, item)| item).collect(), next })
    }

    async fn shard(
        &self,
        list: &Spread,
        key: &str,
        after: Option<&Place>,
    ) -> Result<Shard, StoreError> {
        let query = self.client.query().table_name(&self.table).index_name(list.index);
        let request = list
            .conditions(query, key)
            .set_scan_index_forward(list.is_descending.then_some(false))
            .set_exclusive_start_key(after.map(|after| list.start(after, key)));
        let next = after.map(|(sort, ..)| sort.as_str());
        let answer = request.send().await.map_err(|error| list_error(error, next))?;
        let entry = |found: Item| Some((list.place(&found)?, found));
        Ok(Shard {
            entries: answer.items.unwrap_or_default().into_iter().filter_map(entry).collect(),
            end: answer.last_evaluated_key.as_ref().and_then(|last| list.place(last)),
        })
    }
}
