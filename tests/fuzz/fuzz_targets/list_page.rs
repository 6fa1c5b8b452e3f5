//! A page of List Subscriptions (F-LST).
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use shared::lenient::{Lenient, is_blank, value};
use shared::microsoft::fulfillment::SubscriptionPage;
use uuid::Uuid;

fuzz_target!(|body: &[u8]| {
    let page = SubscriptionPage::parse(body);
    if is_blank(body) {
        let page = page.expect("F-LST-6: an empty body is an empty list");
        assert!(page.subscriptions.is_empty() && page.next == Ok(None));
        return;
    }
    // A number out of range in a member that the code doesn't read must not fail the rest.
    let Some(value) = value(body) else { return };
    if let Some(page) = page {
        assert!(value.is_object(), "a page that isn't an object");
        // Only a missing or empty link ends the list (F-LST-4).
        let is_last = match &value["@nextLink"] {
            Value::Null => true,
            link => link.as_str().is_some_and(|link| link.trim().is_empty()),
        };
        assert_eq!(page.next == Ok(None), is_last);
        let none = Vec::new();
        let entries = value["subscriptions"].as_array().unwrap_or(&none);
        let readable: Vec<_> = entries.iter().filter(|entry| entry.is_object()).collect();
        assert_eq!(page.unreadable, entries.len() - readable.len());
        assert_eq!(page.subscriptions.len(), readable.len());
        for (read, sent) in page.subscriptions.iter().zip(readable) {
            assert_eq!(read.id().map(|id| id.0), sent.get("id").and_then(Uuid::read));
            let sent = |name: &str| sent.get(name).and_then(String::read);
            let status = sent("saasSubscriptionStatus").or_else(|| sent("status"));
            let read = read.status().map(|status| status.as_str().to_ascii_lowercase());
            assert_eq!(read, status.map(|status| status.to_ascii_lowercase()));
        }
    }
    // Every object is a page if its list is an array or missing (F-GEN-10, F-LST-6).
    let has_list = matches!(value.get("subscriptions"), None | Some(Value::Null | Value::Array(_)));
    if value.is_object() && has_list {
        assert!(SubscriptionPage::parse(value.to_string().as_bytes()).is_some());
    }
});
