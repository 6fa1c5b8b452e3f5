//! Every call in both directions, without any token.

use super::faults::Call;
use jiff::Timestamp;
use serde_json::Value;

/// Who calls whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The publisher calls Microsoft.
    ToMicrosoft,
    /// Microsoft calls the publisher.
    ToPublisher,
}

/// One call.
#[derive(Clone, Debug)]
pub struct CallRecord {
    /// Its place in the run, from 1.
    pub number: u64,
    /// When, by the world's clock.
    pub at: Timestamp,
    /// Who called whom.
    pub direction: Direction,
    /// Which call.
    pub call: Call,
    /// The method.
    pub method: String,
    /// Path and query. Entra's calls are without the query, because codes stand there.
    pub path: String,
    /// The answer's status; `None` when there was no answer.
    pub status: Option<u16>,
    /// `x-ms-requestid` of the answer, or of the webhook.
    pub request_id: Option<String>,
    /// `x-ms-correlationid` of the answer, or of the webhook.
    pub correlation_id: Option<String>,
    /// The request's JSON body; never of a call to Entra.
    pub request_body: Option<Value>,
    /// The answer's JSON body; never of a call to Entra.
    pub response_body: Option<Value>,
    /// One line for people.
    pub summary: String,
}

/// The calls of a run, the oldest dropped beyond a limit.
#[derive(Debug, Default)]
pub(crate) struct CallLog {
    calls: Vec<CallRecord>,
    count: u64,
}

impl CallLog {
    pub(crate) fn add(&mut self, mut record: CallRecord, limit: usize) {
        self.count += 1;
        record.number = self.count;
        self.calls.push(record);
        // Dropped in blocks, so that a long run does not move the whole log at every call.
        if self.calls.len() > limit.saturating_mul(2).max(1) {
            let surplus = self.calls.len() - limit;
            self.calls.drain(..surplus);
        }
    }

    pub(crate) fn calls(&self) -> &[CallRecord] {
        &self.calls
    }

    pub(crate) fn clear(&mut self) {
        self.calls.clear();
    }
}
