//! The events that one receiver has received.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use uuid::Uuid;

struct ReceivedEvent {
    id: String,
    sequence: String,
    body: String,
    after: Value,
}

/// Ignores repeated ids, as every receiver must.
#[derive(Default)]
pub(crate) struct Inbox {
    received: BTreeMap<Uuid, Vec<ReceivedEvent>>,
    /// A type of event that the receiver can't use, so that it fails each of them.
    pub(crate) refuses: Option<String>,
}

impl Inbox {
    /// Whether the receiver fails this event. The events behind it wait.
    pub(super) fn fails(&self, event: &Value) -> bool {
        self.refuses.as_deref().is_some_and(|refused| event["type"] == refused)
    }

    /// Receives an event. `Err`: it came after a later one, or differs from its first copy in more than the
    /// publisher's own reference and metadata. After an erasure, a copy has lost its people.
    pub(super) fn receive(&mut self, event: &Value) -> Result<(), String> {
        let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
        let subscription =
            text("subject").parse().map_err(|_| "an event has no subscription".to_owned())?;
        let received = self.received.entry(subscription).or_default();
        let (id, sequence) = (text("id"), text("sequence"));
        let body = without_annotations(event);
        if let Some(first) = received.iter().find(|event| event.id == id) {
            let is_copy = first.body == body || without_people(&first.body) == body;
            return if is_copy { Ok(()) } else { Err(format!("two copies of {id} differ")) };
        }
        if let Some(last) = received.last()
            && last.sequence >= sequence
        {
            return Err(format!("{id} arrived after {}", last.id));
        }
        let after = event["data"]["after"].clone();
        received.push(ReceivedEvent { id, sequence, body, after });
        Ok(())
    }

    /// The ids of a subscription's events, in the order in which they first arrived.
    pub(crate) fn received(&self, subscription: Uuid) -> Vec<&str> {
        let events = self.received.get(&subscription).into_iter().flatten();
        events.map(|event| event.id.as_str()).collect()
    }

    /// The subscription's state after the last event.
    pub(crate) fn last_state(&self, subscription: Uuid) -> Option<&Value> {
        Some(&self.received.get(&subscription)?.last()?.after)
    }

    pub(super) fn forget(&mut self, subscription: Uuid) {
        self.received.remove(&subscription);
    }
}

/// As an erasure leaves an event.
fn without_people(body: &str) -> String {
    let mut event: Value = serde_json::from_str(body).unwrap_or_default();
    let Some(data) = event["data"].as_object_mut() else { return event.to_string() };
    data.remove("signUp");
    for name in ["before", "after"] {
        if let Some(subscription) = data.get_mut(name).and_then(Value::as_object_mut) {
            subscription.remove("name");
            subscription.insert("beneficiary".to_owned(), json!({}));
            subscription.insert("purchaser".to_owned(), json!({}));
        }
    }
    if let Some(decision) = data.get_mut("decision").and_then(Value::as_object_mut) {
        decision.remove("reason");
    }
    event.to_string()
}

fn without_annotations(event: &Value) -> String {
    let mut event = event.clone();
    if let Some(data) = event["data"].as_object_mut() {
        for name in ["reference", "metadata"] {
            data.remove(name);
        }
    }
    event.to_string()
}
