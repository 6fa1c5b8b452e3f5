//! The table: DynamoDB in memory, filled with the records of the subscriptions.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Request, Response};
use jiff::Timestamp;
use memory_dynamodb::{Behaviour, DynamoDb, Item, Units, Value};
use serde_json::Value as Json;
use shared::domain::SubscriptionId;

use crate::customers::Customers;
use crate::template::Template;

/// The functions' `TABLE_NAME`.
pub(crate) const TABLE: &str = "subscriptions";

/// What was written and asked since the last time.
#[derive(Clone, Debug, Default)]
pub struct Usage {
    /// How often items were written, by the beginnings of their keys, such as `SUB RECORD`.
    pub written: BTreeMap<String, u64>,
    /// Requests by operation.
    pub requests: BTreeMap<String, u64>,
    pub units: Units,
}

pub struct Table {
    dynamodb: DynamoDb,
    /// The names of the events that were written, by partition key, in their order.
    events: BTreeMap<String, Vec<String>>,
    usage: Usage,
}

impl Default for Table {
    fn default() -> Self {
        let dynamodb = DynamoDb::new(TABLE, Behaviour::default(), 0);
        Self { dynamodb, events: BTreeMap::new(), usage: Usage::default() }
    }
}

impl Table {
    /// Adds the record of each subscription that has one.
    pub fn fill(&mut self, customers: Customers, templates: &[Template]) {
        let records = (0..customers.count).filter_map(|number| {
            let state = customers.before(number)?;
            let template = templates.iter().find(|template| template.state == state);
            Some(
                template
                    .expect("a template for each state")
                    .record(customers.id(number), customers.created(number)),
            )
        });
        self.dynamodb.fill(records);
    }

    /// Answers a request at this time.
    ///
    /// # Panics
    /// At a request that DynamoDB refuses for its form.
    pub fn answer(&mut self, request: &Request<Bytes>, now: Timestamp) -> Response<Bytes> {
        let answer = self.dynamodb.answer(request, now, true);
        assert_eq!(answer.wrong, None, "{:?}", request.body());
        let target = request.headers()["x-amz-target"].to_str().expect("text");
        let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
        *self.usage.requests.entry(operation).or_default() += 1;
        self.usage.units.read += answer.units.read;
        self.usage.units.write += answer.units.write;
        for item in &answer.written {
            self.note(item);
        }
        let mut response = Response::new(answer.body);
        *response.status_mut() = answer.status.try_into().expect("a status");
        response
    }

    fn note(&mut self, item: &Item) {
        let key = |name: &str| item.get(name).and_then(Value::text).unwrap_or_default();
        let (partition, sort) = (key("pk"), key("sk"));
        let begins = |key: &str| key.split('#').next().unwrap_or_default().to_owned();
        let written = format!("{} {}", begins(partition), begins(sort));
        *self.usage.written.entry(written).or_default() += 1;
        if sort.starts_with("EVENT#") {
            let body = item.get("body").and_then(Value::plain).unwrap_or_default();
            let name = body["type"].as_str().unwrap_or("an event without a type").to_owned();
            self.events.entry(partition.to_owned()).or_default().push(name);
        }
    }

    /// What was written and asked since the last time.
    pub fn usage(&mut self) -> Usage {
        std::mem::take(&mut self.usage)
    }

    /// The names of a subscription's events, each as often as it was written.
    pub fn events(&self, id: SubscriptionId) -> &[String] {
        self.events.get(&format!("SUB#{id}")).map_or(&[], Vec::as_slice)
    }

    /// How many subscriptions have events.
    pub fn told(&self) -> usize {
        self.events.len()
    }

    /// The stored item of a subscription's record.
    pub fn record(&self, id: SubscriptionId) -> Option<&Item> {
        self.dynamodb.item(&format!("SUB#{id}"), "RECORD")
    }

    /// The subscription in its record, as the API would write it.
    pub fn subscription(&self, id: SubscriptionId) -> Option<Json> {
        let mut body = self.record(id)?.get("body")?.plain()?;
        Some(body["subscription"].take())
    }
}
