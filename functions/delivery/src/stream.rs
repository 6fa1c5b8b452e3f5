//! The records of the table's stream, and the answer that names the failed ones.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html>

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::domain::SubscriptionId;

/// The keys of the events in one invocation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Records(Vec<Recorded>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Recorded {
    subscription: SubscriptionId,
    version: u64,
    sequence_number: String,
}

/// The records that Lambda is to send again. It resumes the stream at the first of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failures {
    pub batch_item_failures: Vec<Failed>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failed {
    /// Its sequence number.
    pub item_identifier: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    event_name: String,
    dynamodb: Change,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Change {
    keys: Keys,
    sequence_number: String,
}

#[derive(Deserialize)]
struct Keys {
    pk: Text,
    sk: Text,
}

#[derive(Deserialize)]
struct Text {
    #[serde(rename = "S")]
    text: String,
}

impl Raw {
    /// `Some` for a new event. Other records of the stream need no delivery.
    fn recorded(self) -> Option<Recorded> {
        let Keys { pk, sk } = self.dynamodb.keys;
        let subscription = pk.text.strip_prefix("SUB#")?.parse().ok()?;
        let version = sk.text.strip_prefix("EVENT#")?.split_once('#')?.0.parse().ok()?;
        (self.event_name == "INSERT").then_some(Recorded {
            subscription,
            version,
            sequence_number: self.dynamodb.sequence_number,
        })
    }
}

impl Records {
    /// Reads an invocation's payload; `None` if it does not come from the stream.
    pub fn read(mut payload: Value) -> Option<Self> {
        let Some(Value::Array(records)) = payload.get_mut("Records").map(Value::take) else {
            return None;
        };
        let raw = records.into_iter().filter_map(|one| serde_json::from_value::<Raw>(one).ok());
        Some(Self(raw.filter_map(Raw::recorded).collect()))
    }

    /// The subscriptions, with the versions of their events.
    pub(crate) fn subscriptions(
        &self,
    ) -> impl Iterator<Item = (SubscriptionId, BTreeSet<u64>)> + use<> {
        let mut found = BTreeMap::<_, BTreeSet<u64>>::new();
        for record in &self.0 {
            found.entry(record.subscription).or_default().insert(record.version);
        }
        found.into_iter()
    }

    /// The records of the subscriptions that failed, in the stream's order.
    pub(crate) fn failures(&self, failed: &BTreeSet<SubscriptionId>) -> Failures {
        let of_failed = self.0.iter().filter(|record| failed.contains(&record.subscription));
        Failures {
            batch_item_failures: of_failed
                .map(|record| Failed { item_identifier: record.sequence_number.clone() })
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    fn record(name: &str, id: u128, sort: &str, number: &str) -> Value {
        let id = Uuid::from_u128(id);
        json!({
            "eventID": "1", "eventName": name, "eventSource": "aws:dynamodb",
            "dynamodb": {
                "Keys": { "pk": { "S": format!("SUB#{id}") }, "sk": { "S": sort } },
                "SequenceNumber": number, "StreamViewType": "NEW_IMAGE",
            },
        })
    }

    #[test]
    fn only_inserted_events_are_read() {
        let records = Records::read(json!({ "Records": [
            record("INSERT", 1, "EVENT#00000000000000000007#000", "11"),
            record("INSERT", 1, "EVENT#00000000000000000007#001", "12"),
            record("INSERT", 2, "EVENT#00000000000000000001#000", "13"),
            record("INSERT", 1, "EVENT#00000000000000000008#000", "14"),
            record("MODIFY", 3, "EVENT#00000000000000000001#000", "15"),
            record("REMOVE", 3, "EVENT#00000000000000000001#000", "16"),
            record("INSERT", 3, "RECORD", "17"),
            record("INSERT", 3, "EVENT#x#000", "18"),
            json!({ "eventName": "INSERT" }),
        ]}));
        let records = records.expect("records");
        let id = |id| SubscriptionId(Uuid::from_u128(id));
        let found: Vec<_> = records.subscriptions().collect();
        assert_eq!(found, [(id(1), BTreeSet::from([7, 8])), (id(2), BTreeSet::from([1]))]);
        let failures = records.failures(&BTreeSet::from([id(1)]));
        let answer = serde_json::to_value(failures).expect("an answer is JSON");
        let failed = |number| json!({ "itemIdentifier": number });
        assert_eq!(
            answer,
            json!({ "batchItemFailures": [failed("11"), failed("12"), failed("14")] })
        );
        let none = serde_json::to_value(records.failures(&BTreeSet::new()));
        assert_eq!(none.expect("an answer is JSON"), json!({ "batchItemFailures": [] }));
    }

    #[test]
    fn a_payload_without_records_is_not_a_stream_payload() {
        assert_eq!(Records::read(json!({ "detail-type": "Scheduled Event" })), None);
        assert_eq!(Records::read(json!({})), None);
        assert_eq!(Records::read(json!({ "Records": [] })), Some(Records::default()));
    }
}
