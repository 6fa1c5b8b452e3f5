//! Everything outside the function: Microsoft and the table.

use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{Request, Response};
use jiff::Timestamp;

use crate::microsoft::Microsoft;
use crate::table::Table;

/// Both sides. Each answers at once, so nothing waits for a lock.
pub struct World {
    microsoft: Mutex<Microsoft>,
    table: Mutex<Table>,
}

impl World {
    pub fn new(microsoft: Microsoft, table: Table) -> Self {
        Self { microsoft: Mutex::new(microsoft), table: Mutex::new(table) }
    }

    pub fn microsoft(&self) -> MutexGuard<'_, Microsoft> {
        self.microsoft.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers a request to DynamoDB, Entra or the marketplace.
    pub fn answer(&self, request: &Request<Bytes>, now: Timestamp) -> Response<Bytes> {
        match request.headers().contains_key("x-amz-target") {
            true => self.table().answer(request, now),
            false => self.microsoft().answer(request),
        }
    }
}
