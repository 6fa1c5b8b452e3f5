//! Transactions: all of their items are written, or none.

use std::collections::BTreeSet;

use bytes::Bytes;
use jiff::Timestamp;
use rand::Rng;
use serde_json::json;

use crate::behaviour::Trouble;
use crate::dynamodb::{Carried, DynamoDb};
use crate::items::{Key, key_alone};
use crate::refusal::Refusal;
use crate::request::{Delete, TransactItem, TransactWriteItems};

/// DynamoDB's limit of actions in a transaction.
const MOST_ACTIONS: usize = 100;

impl DynamoDb {
    pub(crate) fn transact(
        &mut self,
        request: &TransactWriteItems,
        body: &Bytes,
        now: Timestamp,
        trouble: Option<Trouble>,
    ) -> Result<Carried, Refusal> {
        let token = request.client_request_token.as_deref();
        if let Some(token) = token
            && self.tokens.is_repeated(token, body, now)?
        {
            return Ok(Carried { answer: json!({}), written: Vec::new() });
        }
        if request.transact_items.is_empty() || request.transact_items.len() > MOST_ACTIONS {
            return Refusal::invalid("a transaction of no items or of more than a hundred");
        }
        let mut keys = BTreeSet::new();
        let mut reasons = Vec::new();
        for action in &request.transact_items {
            let (key, holds) = match action {
                TransactItem::Put(put) => self.check_put(put)?,
                TransactItem::Delete(delete) => (self.check_delete(delete)?, true),
            };
            if !keys.insert(key) {
                return Refusal::invalid("a transaction with two actions on one item");
            }
            reasons.push(if holds { "None" } else { "ConditionalCheckFailed" });
        }
        if let Some(refused) = refused_for(trouble) {
            let one = self.draws.rng.random_range(0..reasons.len());
            reasons[one] = refused;
        }
        if reasons.iter().any(|reason| *reason != "None") {
            return Err(Refusal::TransactionCanceled(reasons));
        }
        let mut written = Vec::new();
        for action in &request.transact_items {
            match action {
                TransactItem::Put(put) => written.push(self.put(put.item.clone(), now, true)?),
                TransactItem::Delete(delete) => {
                    let key = self.check_delete(delete)?;
                    self.write(key, now, None, true);
                }
            }
        }
        if let Some(token) = token {
            self.tokens.remember(token, body, now);
        }
        Ok(Carried { answer: json!({}), written })
    }

    fn check_delete(&self, delete: &Delete) -> Result<Key, Refusal> {
        self.check_table(&delete.table_name)?;
        key_alone(&delete.key)
    }
}

/// Why a trouble cancels a transaction.
fn refused_for(trouble: Option<Trouble>) -> Option<&'static str> {
    match trouble? {
        Trouble::Throttled => Some("ThrottlingError"),
        Trouble::ThroughputExceeded => Some("ProvisionedThroughputExceeded"),
        Trouble::Conflict => Some("TransactionConflict"),
        Trouble::Unprocessed | Trouble::FailsBefore | Trouble::FailsAfter => None,
    }
}
