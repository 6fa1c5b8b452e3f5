//! The store that ships, over DynamoDB's wire: in a part of the seeds, the functions use it instead
//! of the table in memory.
//!
//! What it has written is copied into the table in memory at the moment of the write, so the same
//! invariants read the same table in every seed.

mod copy;
mod reads;
mod time;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryPartition;
use bytes::Bytes;
use http::{Request, Response};
use jiff::SignedDuration;
use memory_dynamodb::{Answer, Behaviour, DynamoDb, Trouble};
use memory_store::MemoryStore;
use rand::Rng;
use serde_json::{Value, json};
use shared::host::clock::Clock;
use shared::host::deadline::DeadlineTransport;
use shared::host::environment::Environment;
use shared::host::http_client::{SendError, Transport};
use shared::store::DynamoDbStore;

use crate::clock::SimulatedClock;
use crate::fault::Fault;
use crate::invariants;
use crate::io::{Io, TABLE_TIMEOUT};
pub(crate) use reads::CheckedReads;
use time::{SimulatedSleep, SimulatedTime};

/// The functions' `TABLE_NAME`.
const TABLE: &str = "subscriptions";

/// DynamoDB's side of the wire. Each request is an effect.
pub(crate) struct Wire {
    io: Arc<Io>,
    table: MemoryStore,
    dynamodb: Mutex<DynamoDb>,
}

/// A client of an empty DynamoDB, with the settings of the functions that ship. Everything that is
/// written is copied into `table`.
pub(crate) fn client(io: &Arc<Io>, table: &MemoryStore) -> Client {
    let (behaviour, seed) = io.decide(|rng| (Behaviour::draw(rng), rng.random()));
    io.note(|| format!("the table is DynamoDB: {behaviour:?}"));
    io.count("store: DynamoDB");
    // The SDK spreads its retries with it.
    fastrand::seed(seed);
    let dynamodb = Mutex::new(DynamoDb::new(TABLE, behaviour, seed));
    let wire = Wire { io: io.clone(), table: table.clone(), dynamodb };
    let clock = Arc::new(SimulatedClock { io: io.clone(), ahead: SignedDuration::ZERO });
    let transport: Arc<dyn Transport> = Arc::new(DeadlineTransport::new(wire, clock));
    let settings = BTreeMap::from([
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_REGION", "eu-north-1"),
    ]);
    let environment =
        Environment::from_fn(move |name| settings.get(name).map(|value| (*value).to_owned()));
    let config = shared::config::dynamodb(&environment, &transport)
        .expect("the settings are complete")
        .sleep_impl(SimulatedSleep(io.clone()))
        .time_source(SimulatedTime(io.clone()))
        // By default, all clients of a process share one budget of retries.
        .retry_partition(RetryPartition::custom("a run's own").build());
    Client::from_conf(config.build())
}

/// The store that ships.
pub(crate) fn store(client: &Client, clock: Arc<dyn Clock>) -> DynamoDbStore {
    DynamoDbStore::new(client.clone(), TABLE.to_owned(), clock)
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}

#[async_trait]
impl Transport for Wire {
    async fn send(
        &self,
        request: Request<Bytes>,
        timeout: Duration,
    ) -> Result<Response<Bytes>, SendError> {
        let name = || describe(&request);
        self.io.forbid_if_forged(name);
        invariants::check_visit_uses_table(&self.io, name);
        // The SDK's own timeout ends an attempt no later.
        let timeout = timeout.min(TABLE_TIMEOUT);
        match self.io.effect(name, timeout, || self.carry(&request)).await {
            Ok(answer) => Ok(response(answer.status, answer.body)),
            Err(Fault::Refused) => Err(SendError::NotConnected("connection refused".into())),
            Err(Fault::Broken) => Ok(failure(500, "InternalServerError")),
            Err(Fault::Throttled) => Ok(failure(400, "ThrottlingException")),
            Err(Fault::Denied) => Ok(failure(400, "AccessDeniedException")),
            Err(fault) => Err(SendError::NoAnswer(format!("{fault:?}").into())),
        }
    }
}

impl Wire {
    fn carry(&self, request: &Request<Bytes>) -> Answer {
        let (now, is_calm) = (self.io.now(), self.io.is_calm());
        let mut dynamodb = self.dynamodb.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = dynamodb.answer(request, now, is_calm);
        drop(dynamodb);
        if let Some(trouble) = answer.trouble {
            self.io.count(case(trouble));
            self.io.note(|| format!("      DynamoDB: {trouble:?}"));
        }
        if answer.status != 200 {
            self.io.note(|| format!("      {}", String::from_utf8_lossy(&answer.body)));
        }
        // Every read must show what was committed before it. Only the lists of an index may lag.
        if answer.is_late {
            self.io.violate(format!("{} showed an older state", describe(request)));
        }
        if let Some(wrong) = &answer.wrong {
            self.io.violate(format!("DynamoDB does not take this: {wrong}"));
        }
        copy::copy(&self.io, &self.table, operation(request), &answer.written);
        answer
    }
}

fn case(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::Unprocessed => "DynamoDB: keys are left unprocessed",
        Trouble::Throttled => "DynamoDB: throttled",
        Trouble::ThroughputExceeded => "DynamoDB: throughput exceeded",
        Trouble::FailsBefore => "DynamoDB: fails before the effect",
        Trouble::FailsAfter => "DynamoDB: fails after the effect",
        Trouble::Conflict => "DynamoDB: transactions conflict",
    }
}

fn response(status: u16, body: Bytes) -> Response<Bytes> {
    Response::builder().status(status).body(body).expect("a status")
}

fn failure(status: u16, code: &str) -> Response<Bytes> {
    let kind = format!("com.amazonaws.dynamodb.v20120810#{code}");
    response(status, json!({ "__type": kind, "message": "not now" }).to_string().into())
}

/// The operation that a request names, such as `GetItem`.
fn operation(request: &Request<Bytes>) -> &str {
    let target = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok());
    target.and_then(|target| target.rsplit('.').next()).unwrap_or_default()
}

/// The operation and the sort keys that it is about.
fn describe(request: &Request<Bytes>) -> String {
    let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
    let items = match operation(request) {
        "BatchGetItem" => &body["RequestItems"][TABLE]["Keys"],
        "BatchWriteItem" => &body["RequestItems"][TABLE],
        _ => &body["TransactItems"],
    };
    let item = |item: &Value| {
        let places = [&item["Put"]["Item"], &item["PutRequest"]["Item"], item];
        places.into_iter().find_map(|place| place["sk"]["S"].as_str()).map(str::to_owned)
    };
    let keys: Vec<String> = [&body["Key"], &body["Item"]]
        .into_iter()
        .chain(items.as_array().into_iter().flatten())
        .filter_map(item)
        .collect();
    format!("DynamoDB: {} [{}]", operation(request), keys.join(" "))
}
