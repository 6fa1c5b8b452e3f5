//! The embedded database's stream, handed over as Lambda does.

use std::sync::{Mutex, PoisonError};

use delivery::{Delivery, Records};
use dynoxide::actions::describe_stream::DescribeStreamRequest;
use dynoxide::actions::get_records::GetRecordsRequest;
use dynoxide::actions::get_shard_iterator::GetShardIteratorRequest;
use dynoxide::actions::list_streams::ListStreamsRequest;
use serde_json::json;

use crate::stage::StageError;

/// Records per invocation, as the template has them.
const BATCH: usize = 10;

/// A reader of a table's stream.
pub struct Stream {
    database: dynoxide::Database,
    /// Where it goes on.
    next: Mutex<String>,
}

fn failed(error: impl std::fmt::Display) -> StageError {
    StageError(format!("the table's stream: {error}"))
}

impl Stream {
    /// Reads what is recorded from now on.
    pub fn of(database: &dynoxide::Database, table: &str) -> Result<Self, StageError> {
        let request =
            ListStreamsRequest { table_name: Some(table.to_owned()), ..Default::default() };
        let streams = database.list_streams(request).map_err(failed)?.streams;
        let arn = streams.into_iter().next().ok_or_else(|| failed("there is none"))?.stream_arn;
        let request = DescribeStreamRequest { stream_arn: arn.clone(), ..Default::default() };
        let described = database.describe_stream(request).map_err(failed)?.stream_description;
        let shard = described.shards.into_iter().next().ok_or_else(|| failed("it has no shard"))?;
        let request = GetShardIteratorRequest {
            stream_arn: arn,
            shard_id: shard.shard_id,
            shard_iterator_type: "LATEST".to_owned(),
            sequence_number: None,
        };
        let iterator = database.get_shard_iterator(request).map_err(failed)?.shard_iterator;
        let next = iterator.ok_or_else(|| failed("it can't be read"))?;
        Ok(Self { database: database.clone(), next: Mutex::new(next) })
    }

    /// Hands over what was recorded since the last time, a batch at a time. What fails is left to the
    /// sweep.
    pub async fn drive(&self, delivery: &Delivery) -> Result<(), StageError> {
        loop {
            let Some(records) = self.read()? else { return Ok(()) };
            let failures = delivery.stream(&records).await;
            if !failures.batch_item_failures.is_empty() {
                tracing::error!(
                    failed = failures.batch_item_failures.len(),
                    "records of the stream are left to the sweep"
                );
            }
        }
    }

    /// The next batch; `None` where nothing is left.
    fn read(&self) -> Result<Option<Records>, StageError> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let request = GetRecordsRequest { shard_iterator: next.clone(), limit: Some(BATCH) };
        let answer = self.database.get_records(request).map_err(failed)?;
        if answer.records.is_empty() {
            return Ok(None);
        }
        if let Some(following) = answer.next_shard_iterator {
            *next = following;
        }
        Ok(Records::read(json!({ "Records": answer.records })))
    }
}
