//! An operation, and the list of outstanding operations (F-OP, F-OPL-2).
#![no_main]

use bytes::Bytes;
use fuzz::{
    Message, OPERATION, SUBSCRIPTION, Wire, assert_sent_to_the_marketplace_alone, client, run,
};
use http::Response;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use shared::domain::{OperationId, SubscriptionId};
use shared::lenient::{Lenient, is_blank, value};
use shared::microsoft::fulfillment::Marketplace;
use uuid::Uuid;

fuzz_target!(|input: &[u8]| {
    let answer = Message::read(input).answer();
    let (body, succeeded) = (answer.body().clone(), answer.status().is_success());
    let wire = Wire::answering(answer);
    let client = client(&wire);
    let (subscription, operation) = (SubscriptionId(SUBSCRIPTION), OperationId::from(OPERATION));
    let listed = run(client.list_operations(subscription));
    let found = run(client.get_operation(subscription, &operation));
    assert_sent_to_the_marketplace_alone(&wire.sent());
    let value = value(&body).unwrap_or_default();
    if let Ok(found) = found {
        assert!(succeeded && value.is_object());
        // The operation has the requested id and subscription, and names an action (F-WHS-2).
        assert!(OperationId::read(&value["id"]).is_none_or(|id| id == operation));
        assert_eq!(found.id, Some(operation));
        assert!(Uuid::read(&value["subscriptionId"]).is_none_or(|id| id == SUBSCRIPTION));
        assert!(found.action.is_some());
    }
    let none = Vec::new();
    let entries = match &value {
        Value::Array(entries) => entries,
        value => value["operations"].as_array().unwrap_or(&none),
    };
    if let Ok(listed) = listed {
        assert!(succeeded);
        assert!(is_blank(&body) || value.is_object() || value.is_array());
        // An entry that is no operation costs no other.
        let sent: Vec<_> = entries.iter().filter(|entry| entry.is_object()).collect();
        assert_eq!(listed.len(), sent.len());
        for (read, sent) in listed.iter().zip(sent) {
            assert_eq!(read.id, sent.get("id").and_then(OperationId::read));
            assert_eq!(read.quantity, sent.get("quantity").and_then(u64::read));
        }
    }
    // Every list of objects can be read, even if their members are unknown (F-GEN-10).
    let is_list = match &value {
        Value::Object(object) => {
            matches!(object.get("operations"), None | Some(Value::Null | Value::Array(_)))
        }
        value => value.is_array(),
    };
    if is_list && entries.iter().all(Value::is_object) {
        let each_once = Bytes::from(value.to_string());
        wire.reset(Box::new(move |_| Response::new(each_once.clone())));
        let listed = run(client.list_operations(subscription));
        assert_eq!(listed.expect("a list").len(), entries.len());
    }
});
