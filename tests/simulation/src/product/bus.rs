//! The publisher's bus in EventBridge, as `PutEvents` answers.
//!
//! <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html>

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use serde_json::{Value, json};

use super::inbox::Inbox;
use crate::aws;

/// The value of `DELIVERY_EVENT_BUS`.
pub(crate) const NAME: &str = "arn:aws:events:eu-north-1:111122223333:event-bus/marketplace";

/// The most entries in one request.
const MOST_ENTRIES: usize = 10;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum BusHealth {
    #[default]
    Healthy,
    /// It answers 200, and says that the entry failed.
    FailsEntries,
    /// It refuses the request because there are too many.
    Throttles,
    /// It answers with 500.
    Broken,
}

impl BusHealth {
    pub(crate) const ALL: [Self; 4] =
        [Self::Healthy, Self::FailsEntries, Self::Throttles, Self::Broken];
}

#[derive(Default)]
pub(crate) struct Bus {
    pub(crate) health: BusHealth,
    pub(crate) inbox: Inbox,
    /// The entries that it accepted. It gives each an id of its own.
    accepted: u32,
}

impl Bus {
    /// Answers a request, and says how. `Err`: the request should never have been sent.
    pub(crate) fn call(
        &mut self,
        request: &Request<Bytes>,
    ) -> Result<(Response<Bytes>, &'static str), String> {
        if aws::operation(request)? != "AWSEvents.PutEvents" {
            return Err("the bus received another call than PutEvents".to_owned());
        }
        match self.health {
            BusHealth::Healthy | BusHealth::FailsEntries => self.put(request.body()),
            BusHealth::Throttles => Ok((aws::throttled(), "the bus: throttled")),
            BusHealth::Broken => {
                let answer = aws::refused(StatusCode::INTERNAL_SERVER_ERROR, "InternalException");
                Ok((answer, "the bus: broken"))
            }
        }
    }

    fn put(&mut self, body: &[u8]) -> Result<(Response<Bytes>, &'static str), String> {
        let body: Value = serde_json::from_slice(body)
            .map_err(|error| format!("the bus received a body that isn't JSON: {error}"))?;
        let entries = body["Entries"].as_array().filter(|all| all.len() <= MOST_ENTRIES);
        let entries = entries.ok_or("the bus received no list of entries")?;
        let results = entries.iter().map(|entry| self.put_entry(entry));
        let results = results.collect::<Result<Vec<_>, _>>()?;
        let failed = results.iter().filter(|result| result["EventId"].is_null()).count();
        let body = json!({ "FailedEntryCount": failed, "Entries": results });
        let case =
            if failed > 0 { "the bus: 200 with a failed entry" } else { "the bus: accepted" };
        Ok((aws::answer(StatusCode::OK, &body), case))
    }

    /// The result of one entry: its id, or why it failed.
    fn put_entry(&mut self, entry: &Value) -> Result<Value, String> {
        let detail = entry["Detail"].as_str().unwrap_or_default();
        let event: Value = serde_json::from_str(detail)
            .map_err(|error| format!("the bus received an event that isn't JSON: {error}"))?;
        let addressed = entry["EventBusName"] == NAME
            && entry["Source"] == "saas-fulfillment"
            && entry["DetailType"] == event["type"];
        if !addressed {
            return Err(format!("no rule matches the bus's entry {entry}"));
        }
        if self.health == BusHealth::FailsEntries || self.inbox.fails(&event) {
            return Ok(json!({ "ErrorCode": "InternalFailure", "ErrorMessage": "Try again." }));
        }
        self.inbox.receive(&event).map_err(|what| format!("the bus: {what}"))?;
        self.accepted += 1;
        Ok(json!({ "EventId": format!("{:08x}-0000-0000-0000-000000000000", self.accepted) }))
    }
}
