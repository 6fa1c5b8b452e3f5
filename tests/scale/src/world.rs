//! Everything outside the function: Microsoft and the table.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{Request, Response};
use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use crate::microsoft::Microsoft;
use crate::table::Table;

/// The names of the events that the product was told, by subscription.
pub type Told = BTreeMap<Uuid, Vec<String>>;

/// The host of the publisher's product.
pub(crate) const PRODUCT: &str = "product.example";

/// All sides. Each answers at once, so nothing waits for a lock.
pub struct World {
    microsoft: Mutex<Microsoft>,
    table: Mutex<Table>,
    product: Mutex<Told>,
}

impl World {
    pub fn new(microsoft: Microsoft, table: Table) -> Self {
        Self {
            microsoft: Mutex::new(microsoft),
            table: Mutex::new(table),
            product: Mutex::default(),
        }
    }

    pub fn microsoft(&self) -> MutexGuard<'_, Microsoft> {
        self.microsoft.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn product(&self) -> MutexGuard<'_, Told> {
        self.product.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers a request to DynamoDB, the product, Entra or the marketplace.
    pub fn answer(&self, request: &Request<Bytes>, now: Timestamp) -> Response<Bytes> {
        if request.headers().contains_key("x-amz-target") {
            self.table().answer(request, now)
        } else if request.uri().host() == Some(PRODUCT) {
            self.tell(request.body());
            Response::default()
        } else {
            self.microsoft().answer(request)
        }
    }

    /// The product is told an event.
    fn tell(&self, body: &Bytes) {
        let event: Value = serde_json::from_slice(body).unwrap_or_default();
        let id = event["data"]["subscriptionId"].as_str().and_then(|id| id.parse().ok());
        let name = event["type"].as_str().and_then(|name| name.rsplit('.').nth(1));
        let name = name.unwrap_or("an event without a type");
        // Such as `Purchased`, for `….purchased.v1`.
        let (first, rest) = name.split_at(1);
        let name = format!("{}{rest}", first.to_uppercase());
        self.product().entry(id.unwrap_or_default()).or_default().push(name);
    }
}
