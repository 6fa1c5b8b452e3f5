//! Queries and scans, page by page.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::json;

use crate::condition::{Condition, Placeholders};
use crate::dynamodb::DynamoDb;
use crate::items::{INDEXES, Index, Key, PARTITION, Position, SORT};
use crate::projection::{key_in, key_names, projected};
use crate::refusal::Refusal;
use crate::request::{Query, Scan};
use crate::value::{Item, Value, size};

impl DynamoDb {
    pub(crate) fn query(
        &mut self,
        query: &Query,
        now: Timestamp,
    ) -> Result<serde_json::Value, Refusal> {
        self.check_table(&query.table_name)?;
        let index = query.index_name.as_deref().map(index).transpose()?;
        let (names, values) =
            (&query.expression_attribute_names, &query.expression_attribute_values);
        let placeholders = Placeholders::new(names, values);
        let keys = placeholders.condition(Some(&query.key_condition_expression))?;
        let filter = placeholders.condition(query.filter_expression.as_deref())?;
        placeholders.all_used()?;
        let (partition, sort) =
            index.map_or((PARTITION, SORT), |index| (index.partition, index.sort));
        let keys = keys.filter(|keys| keys.is_on_keys(partition, sort));
        let Some(keys) = keys else {
            return Refusal::invalid(format!(
                "the key condition {}",
                query.key_condition_expression
            ));
        };
        if filter.as_ref().is_some_and(|filter| filter.is_on(&[partition, sort])) {
            return Refusal::invalid("a filter on a key");
        }
        if index.is_some() && query.consistent_read {
            return Refusal::invalid("a consistent read of an index");
        }
        let start = query.exclusive_start_key.as_ref();
        // A query starts within its own partition and range.
        if start.is_some_and(|start| !keys.holds(Some(start))) {
            return Err(Refusal::BadStartKey);
        }
        let at = self.shows(index, query.consistent_read, now);
        let start = start.map(|start| position(index, start)).transpose()?;
        let is_descending = query.scan_index_forward == Some(false);
        let found: Vec<_> = match index {
            None => {
                let mut shown = self.in_partition(&keys, at);
                self.was_late |= shown != self.in_partition(&keys, now);
                if is_descending {
                    shown.reverse();
                }
                let is_before = |position: &Position| match &start {
                    Some(start) if is_descending => position >= start,
                    Some(start) => position <= start,
                    None => false,
                };
                shown.into_iter().skip_while(|(position, _)| is_before(position)).collect()
            }
            Some(of) => {
                let partition = keys.partition().unwrap_or_default();
                let entries = self.items.in_index(of, partition, at, start, is_descending);
                let found = entries.filter(|(_, item)| keys.holds(Some(item)));
                let found = found.take(query.limit.min(self.draws.behaviour.page_size));
                found.map(|(position, item)| (position, item.clone())).collect()
            }
        };
        let page = self.page(index, found.into_iter(), query.limit, filter.as_ref())?;
        self.units.read(self.looked_at, query.consistent_read);
        Ok(page)
    }

    pub(crate) fn scan(
        &mut self,
        scan: &Scan,
        now: Timestamp,
    ) -> Result<serde_json::Value, Refusal> {
        self.check_table(&scan.table_name)?;
        let index = index(&scan.index_name)?;
        let at = self.shows(Some(index), false, now);
        let mut found = self.whole_index(index, at);
        let start = scan.exclusive_start_key.as_ref();
        let mut start = start.map(|start| position(Some(index), start)).transpose()?;
        // A scan has an order of its own: that of the table's keys.
        for (position, _) in &mut found {
            position.0.clear();
        }
        if let Some(position) = &mut start {
            position.0.clear();
        }
        found.sort_by(|(one, _), (other, _)| one.cmp(other));
        let page = self.page(Some(index), after(found, start.as_ref()), scan.limit, None)?;
        self.units.read(self.looked_at, false);
        Ok(page)
    }

    /// The time whose state a list shows.
    fn shows(&mut self, index: Option<Index>, is_consistent: bool, now: Timestamp) -> Timestamp {
        let behaviour = &self.draws.behaviour;
        let lag = if index.is_some() { behaviour.index_lag } else { behaviour.read_lag };
        if is_consistent { now } else { self.draws.late(now, lag) }
    }

    fn in_partition(&self, keys: &Condition, at: Timestamp) -> Vec<(Position, Arc<Item>)> {
        let Some(partition) = keys.partition() else { return Vec::new() };
        let items = self.items.partition_at(partition, at);
        items
            .filter(|(_, item)| keys.holds(Some(item)))
            .map(|(key, item)| ((String::new(), key.clone()), item.clone()))
            .collect()
    }

    /// The items of an index, in its order. An item without the index's keys is not in it.
    fn whole_index(&self, index: Index, at: Timestamp) -> Vec<(Position, Arc<Item>)> {
        let entry = |(key, item): (&Key, &Arc<Item>)| {
            item.get(index.partition)?;
            let sort = item.get(index.sort)?.text()?;
            Some(((sort.to_owned(), key.clone()), item.clone()))
        };
        let mut entries: Vec<_> = self.items.all_at(at).filter_map(entry).collect();
        entries.sort_by(|(one, _), (other, _)| one.cmp(other));
        entries
    }

    /// The first page of the rest of a list. It ends at the limit or at the page's size, whichever is first,
    /// and then it names its last key, also if nothing follows.
    fn page(
        &mut self,
        index: Option<Index>,
        rest: impl Iterator<Item = (Position, Arc<Item>)>,
        limit: usize,
        filter: Option<&Condition>,
    ) -> Result<serde_json::Value, Refusal> {
        if limit == 0 {
            return Refusal::invalid("a limit of zero");
        }
        let end = limit.min(self.draws.behaviour.page_size);
        let page: Vec<_> = rest.take(end).map(|(_, item)| item).collect();
        let last = page.last().filter(|_| page.len() == end).map(|last| key_in(index, last));
        let scanned = page.len();
        let projected: Vec<_> = page.iter().map(|item| projected(index, item)).collect();
        self.looked_at = projected.iter().map(size).sum();
        // A filter sees what the index holds.
        let is_wanted = |item: &Item| filter.is_none_or(|filter| filter.holds(Some(item)));
        let items: Vec<_> = projected.into_iter().filter(is_wanted).collect();
        let mut answer = json!({ "Count": items.len(), "ScannedCount": scanned, "Items": items });
        if let Some(last) = last {
            answer["LastEvaluatedKey"] = json!(last);
        }
        Ok(answer)
    }
}

/// What comes after a position.
fn after(
    found: Vec<(Position, Arc<Item>)>,
    start: Option<&Position>,
) -> impl Iterator<Item = (Position, Arc<Item>)> {
    let is_before = move |position: &Position| start.is_some_and(|start| position <= start);
    found.into_iter().skip_while(move |(position, _)| is_before(position))
}

fn index(name: &str) -> Result<Index, Refusal> {
    let found = INDEXES.into_iter().find(|index| index.name == name);
    found.ok_or_else(|| Refusal::Invalid(format!("the index {name} does not exist")))
}

/// Reads a start key: all keys of the table and of the index, and nothing else.
fn position(index: Option<Index>, start: &Item) -> Result<Position, Refusal> {
    let names = key_names(index);
    let text = |name: &str| {
        let text = start.get(name).and_then(Value::text).filter(|text| !text.is_empty());
        text.map(str::to_owned).ok_or(Refusal::BadStartKey)
    };
    if start.len() != names.len() {
        return Err(Refusal::BadStartKey);
    }
    let texts: Vec<_> = names.iter().map(|name| text(name)).collect::<Result<_, _>>()?;
    let sort = texts.get(3).cloned().unwrap_or_default();
    Ok((sort, (texts[0].clone(), texts[1].clone())))
}
