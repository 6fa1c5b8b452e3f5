//! Whole Lambda events at the webhook and the landing page: every event is answered, and no event
//! that anyone can send makes the webhook reject a change (F-WHA-13).
#![no_main]

use std::sync::{Arc, OnceLock};

use fuzz::{Wire, dependencies, key, landing_page, run, status};
use http::StatusCode;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use shared::host::lambda::{self, Access};
use webhook::Webhook;

fn webhook() -> &'static (Arc<Wire>, Webhook) {
    static WEBHOOK: OnceLock<(Arc<Wire>, Webhook)> = OnceLock::new();
    WEBHOOK.get_or_init(|| {
        let wire = Wire::answering(status(StatusCode::SERVICE_UNAVAILABLE));
        let (environment, dependencies) = dependencies(&wire, |_| None);
        let webhook = Webhook::new(&environment, &dependencies).expect("complete settings");
        (wire, webhook)
    })
}

fuzz_target!(init: key(), |event: &str| {
    let (wire, webhook) = webhook();
    wire.reset(Box::new(|_| status(StatusCode::SERVICE_UNAVAILABLE)));
    let answer = run(lambda::answer(webhook, Access::Public, event));
    let is_post = serde_json::from_str::<Value>(event).ok().is_none_or(|event| {
        event["requestContext"]["http"]["method"].as_str().is_none_or(|method| method == "POST")
    });
    match answer.status_code {
        // There is no genuine token in here.
        401 | 500..=599 => {}
        status @ (404 | 405) => {
            assert!(!is_post, "a call that Microsoft may have sent is answered with {status}");
        }
        status => panic!("the webhook answered {status}"),
    }
    assert!(serde_json::to_string(&answer).is_ok());

    let page = landing_page::page();
    page.wire.reset(Box::new(|_| status(StatusCode::SERVICE_UNAVAILABLE)));
    let answer = run(lambda::answer(&page.landing, Access::Public, event));
    assert!((200..=599).contains(&answer.status_code), "{}", answer.status_code);
    assert!(serde_json::to_string(&answer).is_ok());
});
