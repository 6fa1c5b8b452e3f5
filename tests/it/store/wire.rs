//! The shipped store over DynamoDB in memory, which is stricter about requests than the embedded
//! database.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use memory_dynamodb::{Behaviour, DynamoDb};
use shared::host::environment::Environment;
use shared::host::http_client::{SendError, Transport};
use shared::store::DynamoDbStore;

use super::noon;
use super::table::{Stopped, TABLE};

/// A table, and what its requests cost.
pub(super) struct Wire {
    pub(super) table: Mutex<DynamoDb>,
    /// The requests since the last time: their operation, and the bytes that a query looked at.
    asked: Mutex<Vec<(String, usize)>>,
}

impl Wire {
    fn over(table: DynamoDb) -> Arc<Self> {
        Arc::new(Self { table: Mutex::new(table), asked: Mutex::default() })
    }

    pub(super) fn asked(&self) -> Vec<(String, usize)> {
        std::mem::take(&mut *self.asked.lock().expect("no test panicked"))
    }
}

impl std::fmt::Debug for Wire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Wire")
    }
}

#[async_trait]
impl Transport for Wire {
    async fn send(
        &self,
        request: Request<Bytes>,
        _: Duration,
    ) -> Result<Response<Bytes>, SendError> {
        let answer = self.table.lock().expect("no test panicked").answer(&request, noon(), true);
        assert_eq!(answer.wrong, None, "{:?}", request.body());
        let target = request.headers()["x-amz-target"].to_str().expect("text");
        let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
        self.asked.lock().expect("no test panicked").push((operation, answer.looked_at));
        Ok(Response::builder().status(answer.status).body(answer.body)?)
    }
}

/// A store over an empty table.
pub(super) fn store() -> Arc<DynamoDbStore> {
    store_with(Behaviour::default())
}

pub(super) fn store_with(behaviour: Behaviour) -> Arc<DynamoDbStore> {
    store_over(&Wire::over(DynamoDb::new(TABLE, behaviour, 0)))
}

/// A store and the empty table under it.
pub(super) fn store_and_table() -> (Arc<DynamoDbStore>, Arc<Wire>) {
    let wire = Wire::over(DynamoDb::new(TABLE, Behaviour::default(), 0));
    (store_over(&wire), wire)
}

fn store_over(wire: &Arc<Wire>) -> Arc<DynamoDbStore> {
    let environment = Environment::from_fn(|name| match name {
        "TABLE_NAME" => Some(TABLE.to_owned()),
        "AWS_REGION" => Some("us-east-1".to_owned()),
        "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("local".to_owned()),
        _ => None,
    });
    let transport: Arc<dyn Transport> = wire.clone();
    shared::config::table(&environment, &transport, Arc::new(Stopped)).expect("complete settings")
}
