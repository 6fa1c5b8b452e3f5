//! The embedded database's stream, in the batches in which Lambda delivers it.

use std::sync::{Mutex, PoisonError};

use delivery::{Delivery, Records};
use dynoxide::actions::describe_stream::DescribeStreamRequest;
use dynoxide::actions::get_records::GetRecordsRequest;
use dynoxide::actions::get_shard_iterator::GetShardIteratorRequest;
use dynoxide::actions::list_streams::ListStreamsRequest;
use serde_json::json;

use crate::error::{LocalError, Source};

/// Records per invocation, as in the template.
const BATCH: usize = 10;

/// A reader of a table's stream.
pub(crate) struct Stream {
    database: dynoxide::Database,
    /// The shard iterator of the next read.
    next: Mutex<String>,
}

fn failed(error: impl Into<Source>) -> LocalError {
    LocalError::Stream(error.into())
}

impl Stream {
    /// Reads the records that are written from now on.
    pub(crate) fn of(database: &dynoxide::Database, table: &str) -> Result<Self, LocalError> {
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
        let next = iterator.ok_or_else(|| failed("its shard has no iterator"))?;
        Ok(Self { database: database.clone(), next: Mutex::new(next) })
    }

    /// Passes all new records to the delivery. It leaves failed ones to the sweep.
    pub(crate) async fn drain(&self, delivery: &Delivery) -> Result<(), LocalError> {
        while let Some(records) = self.read()? {
            let failed = delivery.stream(&records).await.batch_item_failures.len();
            if failed > 0 {
                tracing::error!(failed, "could not deliver records of the stream; the sweep will");
            }
        }
        Ok(())
    }

    /// The next batch, or `None` at the end.
    fn read(&self) -> Result<Option<Records>, LocalError> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let request = GetRecordsRequest { shard_iterator: next.clone(), limit: Some(BATCH) };
        let answer = self.database.get_records(request).map_err(failed)?;
        if answer.records.is_empty() {
            return Ok(None);
        }
        if let Some(following) = answer.next_shard_iterator {
            *next = following;
        }
        // As the template's filter: events that wait for delivery, except for those of an import.
        let mut records = json!(answer.records);
        if let Some(records) = records.as_array_mut() {
            records.retain(|record| {
                let image = &record["dynamodb"]["NewImage"];
                !image["outbox"].is_null() && image["body"]["M"]["type"]["S"] != "Imported"
            });
        }
        Ok(Records::read(json!({ "Records": records })))
    }
}
