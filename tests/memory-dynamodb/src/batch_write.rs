//! Writes of several items at once, each on its own.

use jiff::Timestamp;
use rand::Rng;
use serde_json::json;

use crate::behaviour::Trouble;
use crate::dynamodb::{Carried, DynamoDb};
use crate::items::{Key, check};
use crate::refusal::Refusal;
use crate::request::BatchWriteItem;

/// The most items in one BatchWriteItem.
const MOST_ITEMS: usize = 25;

impl DynamoDb {
    pub(crate) fn batch_write_item(
        &mut self,
        request: BatchWriteItem,
        now: Timestamp,
        trouble: Option<Trouble>,
    ) -> Result<Carried, Refusal> {
        let mut tables = request.request_items.into_iter();
        let (Some((table, writes)), None) = (tables.next(), tables.next()) else {
            return Refusal::invalid("a batch of no table or of several");
        };
        self.check_table(&table)?;
        if writes.is_empty() || writes.len() > MOST_ITEMS {
            return Refusal::invalid("a batch of no items or of more than twenty-five");
        }
        let items: Vec<_> = writes.into_iter().map(|write| write.put_request.item).collect();
        let mut keys: Vec<Key> = items.iter().map(check).collect::<Result<_, _>>()?;
        keys.sort_unstable();
        keys.dedup();
        if keys.len() < items.len() {
            return Refusal::invalid("a batch with a key twice");
        }
        let (mut written, mut left) = (Vec::new(), Vec::new());
        for item in items {
            if trouble == Some(Trouble::Unprocessed) && self.draws.rng.random_ratio(7, 8) {
                left.push(json!({ "PutRequest": { "Item": item } }));
            } else {
                written.push(self.put(item, now, false)?);
            }
        }
        let mut answer = json!({ "UnprocessedItems": {} });
        if !left.is_empty() {
            answer["UnprocessedItems"][&table] = json!(left);
        }
        Ok(Carried { answer, written })
    }
}
