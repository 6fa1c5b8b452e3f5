//! The answer of Resolve, and of Get if Resolve names only the purchase (F-RES-5, F-RES-6).
#![no_main]

use fuzz::{
    MARKETPLACE, Message, RETRY, SUBSCRIPTION, Wire, assert_sent_to_the_marketplace_alone, client,
    parts, run,
};
use libfuzzer_sys::fuzz_target;
use shared::domain::SubscriptionId;
use shared::lenient::{Lenient, value};
use shared::microsoft::fulfillment::{Marketplace, PurchaseToken};
use uuid::Uuid;

fuzz_target!(|input: &[u8]| {
    let [resolved, got] = parts(input).map(|part| Message::read(part).answer());
    let (body, succeeded) = (resolved.body().clone(), resolved.status().is_success());
    let answers = move |request: &http::Request<_>| {
        let is_resolve = request.uri().path().ends_with("/resolve");
        if is_resolve { resolved.clone() } else { got.clone() }
    };
    let wire = Wire::new(Box::new(answers));
    let client = client(&wire);
    let token = PurchaseToken::new("the+purchase/token=").expect("a token");
    let answer = run(client.resolve(&token));
    let sent = wire.sent();
    assert_sent_to_the_marketplace_alone(&sent);
    for request in &sent {
        // F-RES-11: the token is sent in its header and nowhere else.
        let is_resolve = request.uri().path().ends_with("/resolve");
        let header = request.headers().get("x-ms-marketplace-token");
        assert_eq!(header.is_some_and(|value| value == token.expose()), is_resolve);
        assert!(!request.uri().to_string().contains("purchase"));
        assert!(request.body().is_empty());
    }
    assert!(sent.len() <= 2 * 2 * RETRY.attempts as usize);
    if let Ok(observed) = &answer {
        assert!(succeeded);
        // A number out of range in a member that the code doesn't read must not fail the rest.
        let Some(value) = value(&body) else { return };
        assert!(value.is_object());
        // The outer id has precedence over the inner one.
        let id = Uuid::read(&value["id"]).or_else(|| Uuid::read(&value["subscription"]["id"]));
        assert_eq!(observed.id().map(|id| id.0), id);
        assert!(observed.status().is_some() || id.is_none());
    }
    // An answer in today's form can be read, even if it has unknown members (F-GEN-10).
    let value = value(&body).unwrap_or_default();
    let has_status = String::read(&value["subscription"]["saasSubscriptionStatus"]).is_some();
    if value.is_object() && Uuid::read(&value["id"]).is_some() && has_status {
        let each_once = value.to_string();
        wire.reset(Box::new(move |_| http::Response::new(each_once.clone().into())));
        let answer = run(client.resolve(&token));
        assert!(answer.is_ok(), "{answer:?}");
        assert_eq!(wire.sent().len(), 1);
    }
    let unmarked = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&body);
    let body_begins_an_object = unmarked.trim_ascii_start().starts_with(b"{");
    // The same text as the answer of Get.
    let answer = http::Response::new(body);
    wire.reset(Box::new(move |_| answer.clone()));
    let id = SubscriptionId(SUBSCRIPTION);
    if let Ok(observed) = run(client.get_subscription(id)) {
        assert!(body_begins_an_object);
        assert_eq!(observed.id(), Some(id));
        assert!(observed.status().is_some());
    }
    let [request] = &wire.sent()[..] else { panic!("one request") };
    assert!(
        request
            .uri()
            .to_string()
            .starts_with(&format!("{MARKETPLACE}/saas/subscriptions/{SUBSCRIPTION}?"))
    );
});
