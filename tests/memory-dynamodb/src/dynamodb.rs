//! The table, and what it answers to each request.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use serde_json::json;

use crate::behaviour::{Behaviour, Draws, Trouble};
use crate::capacity::Units;
use crate::condition::Placeholders;
use crate::items::{Items, Key, PARTITION, SORT, check, key_alone};
use crate::refusal::Refusal;
use crate::request::{
    BatchGetItem, DeleteItem, GetItem, Put, TransactWriteItems, UpdateItem, read,
};
use crate::tokens::Tokens;
use crate::value::{Item, size};

/// The most keys in one BatchGetItem.
const MOST_KEYS: usize = 100;

/// A table and its wire.
pub struct DynamoDb {
    table: String,
    pub(crate) items: Items,
    pub(crate) draws: Draws,
    pub(crate) tokens: Tokens,
    /// Whether the request that is being answered showed an older state of the table.
    pub(crate) was_late: bool,
    /// Bytes that the query or scan which is being answered has looked at.
    pub(crate) looked_at: usize,
    /// What the request that is being answered has used.
    pub(crate) units: Units,
}

/// What DynamoDB answers to a request, and what it did.
pub struct Answer {
    pub status: u16,
    pub body: Bytes,
    /// The items that the request has written; of a `DeleteItem`, the item that was there.
    pub written: Vec<Arc<Item>>,
    /// A read of the table showed an older state, since it did not ask for a consistent one.
    pub is_late: bool,
    /// Bytes of what a query or scan looked at, whatever its filter left out: half a read unit for each
    /// 4 KB of an index.
    pub looked_at: usize,
    /// What the request used.
    pub units: Units,
    /// What went wrong with the request.
    pub trouble: Option<Trouble>,
    /// What is wrong with the request, if a correct client never sends it.
    pub wrong: Option<String>,
}

/// A request that was carried out.
pub(crate) struct Carried {
    pub answer: serde_json::Value,
    pub written: Vec<Arc<Item>>,
}

impl From<serde_json::Value> for Carried {
    fn from(answer: serde_json::Value) -> Self {
        Self { answer, written: Vec::new() }
    }
}

impl DynamoDb {
    /// An empty table with this name.
    pub fn new(table: &str, behaviour: Behaviour, seed: u64) -> Self {
        Self {
            table: table.to_owned(),
            items: Items::default(),
            draws: Draws::new(behaviour, SmallRng::seed_from_u64(seed)),
            tokens: Tokens::default(),
            was_late: false,
            looked_at: 0,
            units: Units::default(),
        }
    }

    pub fn behaviour(&self) -> &Behaviour {
        &self.draws.behaviour
    }

    /// Stores items without a request.
    ///
    /// # Panics
    /// At an item that DynamoDB refuses.
    pub fn fill(&mut self, items: impl IntoIterator<Item = Item>) {
        for item in items {
            let key = check(&item).unwrap_or_else(|refused| panic!("{refused:?}"));
            self.items.set(key, Timestamp::MIN, Some(Arc::new(item)));
        }
    }

    /// An item without a request.
    pub fn item(&self, partition: &str, sort: &str) -> Option<&Item> {
        self.items.get(&(partition.to_owned(), sort.to_owned())).map(|item| &**item)
    }

    /// Answers a request at this time. A calm table refuses nothing for a moment.
    pub fn answer(
        &mut self,
        request: &http::Request<Bytes>,
        now: Timestamp,
        is_calm: bool,
    ) -> Answer {
        self.items.expire(now, self.draws.behaviour.expiry_delay);
        let operation = operation(request);
        let trouble = self.draws.trouble(operation, is_calm);
        let carried = match refused_for(trouble, operation) {
            Some(refused) => Err(refused),
            None => self.carry_out(operation, request.body(), now, trouble),
        };
        let (written, answer) = match carried {
            Ok(carried) if trouble == Some(Trouble::FailsAfter) => {
                (carried.written, Err(Refusal::InternalServerError))
            }
            Ok(carried) => (carried.written, Ok(carried.answer)),
            Err(refused) => (Vec::new(), Err(refused)),
        };
        let (status, body, wrong) = match answer {
            Ok(answer) => (200, answer, None),
            Err(refused) => {
                let (status, body) = (refused.status(), refused.body());
                let wrong = match refused {
                    Refusal::Invalid(what) => Some(format!("{operation}: {what}")),
                    _ => None,
                };
                (status, body, wrong)
            }
        };
        let is_late = std::mem::take(&mut self.was_late);
        let looked_at = std::mem::take(&mut self.looked_at);
        let units = std::mem::take(&mut self.units);
        let body = body.to_string().into();
        Answer { status, body, written, is_late, looked_at, units, trouble, wrong }
    }

    fn carry_out(
        &mut self,
        operation: &str,
        body: &Bytes,
        now: Timestamp,
        trouble: Option<Trouble>,
    ) -> Result<Carried, Refusal> {
        match operation {
            "GetItem" => Ok(self.get_item(&read(body)?, now)?.into()),
            "BatchGetItem" => Ok(self.batch_get_item(read(body)?, now, trouble)?.into()),
            "BatchWriteItem" => self.batch_write_item(read(body)?, now, trouble),
            "Query" => Ok(self.query(&read(body)?, now)?.into()),
            "Scan" => Ok(self.scan(&read(body)?, now)?.into()),
            "PutItem" => {
                let put: Put = read(body)?;
                if !self.check_put(&put)?.1 {
                    return Err(Refusal::ConditionalCheckFailed);
                }
                Ok(Carried { answer: json!({}), written: vec![self.put(put.item, now, false)?] })
            }
            "DeleteItem" => self.delete_item(&read(body)?, now),
            "UpdateItem" => self.update_item(&read(body)?, now),
            "TransactWriteItems" => {
                let request: TransactWriteItems = read(body)?;
                self.transact(&request, body, now, trouble)
            }
            _ => Refusal::invalid("an operation that our store does not need"),
        }
    }

    pub(crate) fn check_table(&self, name: &str) -> Result<(), Refusal> {
        if name == self.table {
            return Ok(());
        }
        Refusal::invalid(format!("the table {name} does not exist"))
    }

    /// An item as a read shows it.
    fn read(&mut self, key: &Key, is_consistent: bool, now: Timestamp) -> Option<Arc<Item>> {
        if is_consistent {
            return self.items.get(key).cloned();
        }
        let at = self.draws.late(now, self.draws.behaviour.read_lag);
        let shown = self.items.get_at(key, at).cloned();
        self.was_late |= shown.as_ref() != self.items.get(key);
        shown
    }

    fn get_item(&mut self, get: &GetItem, now: Timestamp) -> Result<serde_json::Value, Refusal> {
        self.check_table(&get.table_name)?;
        let found = self.read(&key_alone(&get.key)?, get.consistent_read, now);
        self.units.read(found.as_deref().map_or(0, size), get.consistent_read);
        Ok(found.map_or(json!({}), |item| json!({ "Item": *item })))
    }

    fn batch_get_item(
        &mut self,
        request: BatchGetItem,
        now: Timestamp,
        trouble: Option<Trouble>,
    ) -> Result<serde_json::Value, Refusal> {
        let mut tables = request.request_items.into_iter();
        let (Some((table, wanted)), None) = (tables.next(), tables.next()) else {
            return Refusal::invalid("a batch of no table or of several");
        };
        self.check_table(&table)?;
        let mut keys: Vec<Key> = wanted.keys.iter().map(key_alone).collect::<Result<_, _>>()?;
        if keys.is_empty() || keys.len() > MOST_KEYS {
            return Refusal::invalid("a batch of no keys or of more than a hundred");
        }
        keys.sort_unstable();
        let asked = keys.len();
        keys.dedup();
        if keys.len() < asked {
            return Refusal::invalid("a batch with a key twice");
        }
        let (mut found, mut left) = (Vec::new(), Vec::new());
        for key in keys {
            if trouble == Some(Trouble::Unprocessed) && self.draws.rng.random_ratio(7, 8) {
                left.push(json!({ PARTITION: { "S": key.0 }, SORT: { "S": key.1 } }));
                continue;
            }
            let item = self.read(&key, wanted.consistent_read, now);
            self.units.read(item.as_deref().map_or(0, size), wanted.consistent_read);
            found.extend(item.map(|item| json!(*item)));
        }
        let mut answer = json!({ "Responses": { &*table: found }, "UnprocessedKeys": {} });
        if !left.is_empty() {
            // As the request had it.
            let keys = json!({ "Keys": left, "ConsistentRead": wanted.consistent_read });
            answer["UnprocessedKeys"][&table] = keys;
        }
        Ok(answer)
    }

    /// The key of the item, and whether its condition holds.
    pub(crate) fn check_put(&self, put: &Put) -> Result<(Key, bool), Refusal> {
        self.check_table(&put.table_name)?;
        let placeholders =
            Placeholders::new(&put.expression_attribute_names, &put.expression_attribute_values);
        let condition = placeholders.condition(put.condition_expression.as_deref())?;
        placeholders.all_used()?;
        let key = check(&put.item)?;
        let before = self.items.get(&key).map(|item| &**item);
        let holds = condition.is_none_or(|condition| condition.holds(before));
        Ok((key, holds))
    }

    pub(crate) fn put(
        &mut self,
        item: Item,
        now: Timestamp,
        in_transaction: bool,
    ) -> Result<Arc<Item>, Refusal> {
        let item = Arc::new(item);
        self.write(check(&item)?, now, Some(item.clone()), in_transaction);
        Ok(item)
    }

    /// Replaces an item, or removes it.
    pub(crate) fn write(
        &mut self,
        key: Key,
        now: Timestamp,
        item: Option<Arc<Item>>,
        in_transaction: bool,
    ) {
        let before = self.items.get(&key).map(|item| &**item);
        self.units.write(before, item.as_deref(), in_transaction);
        self.items.set(key, now, item);
    }

    fn delete_item(&mut self, delete: &DeleteItem, now: Timestamp) -> Result<Carried, Refusal> {
        self.check_table(&delete.table_name)?;
        let key = key_alone(&delete.key)?;
        let (names, values) =
            (&delete.expression_attribute_names, &delete.expression_attribute_values);
        let placeholders = Placeholders::new(names, values);
        let condition = placeholders.condition(delete.condition_expression.as_deref())?;
        placeholders.all_used()?;
        let before = self.items.get(&key).cloned();
        if condition.is_some_and(|condition| !condition.holds(before.as_deref())) {
            return Err(Refusal::ConditionalCheckFailed);
        }
        self.write(key, now, None, false);
        Ok(Carried { answer: json!({}), written: before.into_iter().collect() })
    }

    /// An update of an absent item makes an item of its keys alone.
    fn update_item(&mut self, update: &UpdateItem, now: Timestamp) -> Result<Carried, Refusal> {
        self.check_table(&update.table_name)?;
        let key = key_alone(&update.key)?;
        let (names, values) =
            (&update.expression_attribute_names, &update.expression_attribute_values);
        let placeholders = Placeholders::new(names, values);
        let changed = placeholders.changed(&update.update_expression)?;
        let condition = placeholders.condition(update.condition_expression.as_deref())?;
        placeholders.all_used()?;
        if changed.iter().any(|(name, _)| matches!(name.as_str(), PARTITION | SORT)) {
            return Refusal::invalid("an update of a key");
        }
        let before = self.items.get(&key).map(|item| &**item);
        if condition.is_some_and(|condition| !condition.holds(before)) {
            return Err(Refusal::ConditionalCheckFailed);
        }
        let mut item = before.unwrap_or(&update.key).clone();
        for (name, value) in changed {
            match value {
                Some(value) => drop(item.insert(name, value)),
                None => drop(item.remove(&name)),
            }
        }
        let item = Arc::new(item);
        self.write(key, now, Some(item.clone()), false);
        Ok(Carried { answer: json!({}), written: vec![item] })
    }
}

/// The operation that a request names, such as `GetItem`.
fn operation(request: &http::Request<Bytes>) -> &str {
    let target = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok());
    target.and_then(|target| target.strip_prefix("DynamoDB_20120810.")).unwrap_or("no operation")
}

/// The refusal of the whole request. A transaction is cancelled for its items instead.
fn refused_for(trouble: Option<Trouble>, operation: &str) -> Option<Refusal> {
    let is_transaction = operation == "TransactWriteItems";
    match trouble? {
        Trouble::FailsBefore => Some(Refusal::InternalServerError),
        Trouble::Throttled if !is_transaction => Some(Refusal::Throttled),
        Trouble::ThroughputExceeded if !is_transaction => Some(Refusal::ThroughputExceeded),
        Trouble::Conflict if !is_transaction => Some(Refusal::TransactionConflict),
        Trouble::Unprocessed
        | Trouble::FailsAfter
        | Trouble::Throttled
        | Trouble::ThroughputExceeded
        | Trouble::Conflict => None,
    }
}
