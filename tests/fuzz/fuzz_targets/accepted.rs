//! The headers of Microsoft's answer to a change request, and the requests that follow (F-CHP-5,
//! F-GEN-8).
#![no_main]

use fuzz::{Message, RETRY, SUBSCRIPTION, Wire, assert_sent_to_the_marketplace_alone, client, run};
use http::Method;
use libfuzzer_sys::fuzz_target;
use percent_encoding::percent_decode_str;
use shared::domain::SubscriptionId;
use shared::microsoft::fulfillment::Marketplace;

fuzz_target!(|input: &[u8]| {
    let answer = Message::read(input).answer();
    let status = answer.status();
    let wire = Wire::answering(answer.clone());
    let client = client(&wire);
    let id = SubscriptionId(SUBSCRIPTION);
    let changed = [
        run(client.change_plan(id, "gold \"plan\"")),
        run(client.change_quantity(id, u64::MAX)),
        run(client.cancel(id)),
    ];
    let sent = wire.sent();
    assert_sent_to_the_marketplace_alone(&sent);
    for accepted in &changed {
        assert_eq!(accepted.is_ok(), status.is_success());
        if let Ok(Some(operation)) = accepted.as_ref().map(|accepted| &accepted.id) {
            let named = ["operation-location", "operation-id"].iter().any(|name| {
                let value = answer.headers().get(*name).and_then(|value| value.to_str().ok());
                let plain = |text: &str| text.to_ascii_lowercase().replace('-', "");
                let id = plain(operation.as_str());
                value.is_some_and(|value| {
                    let decoded = percent_decode_str(value).decode_utf8_lossy();
                    plain(value).contains(&id) || plain(&decoded).contains(&id)
                })
            });
            assert!(named, "an operation that no header names");
        }
    }
    // F-ERR-2: the client retries only if Microsoft certainly didn't carry out the request.
    let tries = match status.as_u16() {
        401 | 403 => 2,
        429 => RETRY.attempts as usize,
        _ => 1,
    };
    for method in [Method::PATCH, Method::DELETE] {
        let calls = if method == Method::PATCH { 2 } else { 1 };
        let count = sent.iter().filter(|request| request.method() == method).count();
        assert!(count <= calls * tries, "{count} of {method} after {status}");
    }
    assert!(sent.iter().all(|request| [Method::PATCH, Method::DELETE].contains(request.method())));
});
