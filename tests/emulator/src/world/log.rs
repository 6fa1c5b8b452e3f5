//! The log of calls in both directions. It never holds a token.

use super::call::Call;
use jiff::Timestamp;
use serde_json::Value;

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
    /// Counts the calls of a run, from 1.
    pub number: u64,
    /// When, by the world's clock.
    pub at: Timestamp,
    pub direction: Direction,
    pub call: Call,
    pub method: String,
    /// Path and query. Calls to Entra are without the query, because it may hold a code.
    pub path: String,
    /// The answer's status; `None` without an answer.
    pub status: Option<u16>,
    /// `x-ms-requestid` of the answer, or of the webhook.
    pub request_id: Option<String>,
    /// `x-ms-correlationid` of the answer, or of the webhook.
    pub correlation_id: Option<String>,
    /// The request's JSON body; `None` for a call to Entra.
    pub request_body: Option<Value>,
    /// The answer's JSON body; `None` for a call to Entra.
    pub response_body: Option<Value>,
    /// One line for people.
    pub summary: String,
}

/// The newest calls of a run.
#[derive(Debug, Default)]
pub(super) struct CallLog {
    calls: Vec<CallRecord>,
    count: u64,
}

impl CallLog {
    pub(super) fn add(&mut self, mut record: CallRecord, limit: usize) {
        self.count += 1;
        record.number = self.count;
        self.calls.push(record);
        // Drops the oldest calls in blocks, so that a long run does not move the log at every call.
        if self.calls.len() > limit.saturating_mul(2).max(1) {
            let surplus = self.calls.len() - limit;
            self.calls.drain(..surplus);
        }
    }

    pub(super) fn calls(&self) -> &[CallRecord] {
        &self.calls
    }

    pub(super) fn clear(&mut self) {
        self.calls.clear();
    }
}
