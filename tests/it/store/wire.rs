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

struct Wire(Mutex<DynamoDb>);

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
        let answer = self.0.lock().expect("no test panicked").answer(&request, noon(), true);
        assert_eq!(answer.wrong, None, "{:?}", request.body());
        Ok(Response::builder().status(answer.status).body(answer.body)?)
    }
}

/// A store over an empty table.
pub(super) fn store() -> Arc<DynamoDbStore> {
    store_with(Behaviour::default())
}

pub(super) fn store_with(behaviour: Behaviour) -> Arc<DynamoDbStore> {
    let wire = Wire(Mutex::new(DynamoDb::new(TABLE, behaviour, 0)));
    let environment = Environment::from_fn(|name| match name {
        "TABLE_NAME" => Some(TABLE.to_owned()),
        "AWS_REGION" => Some("us-east-1".to_owned()),
        "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("local".to_owned()),
        _ => None,
    });
    let transport: Arc<dyn Transport> = Arc::new(wire);
    shared::config::table(&environment, &transport, Arc::new(Stopped)).expect("complete settings")
}
