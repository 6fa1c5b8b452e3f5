//! `@nextLink`, and the request for the next page (F-LST-5, F-GEN-8).
#![no_main]

use fuzz::{Wire, assert_sent_to_the_marketplace_alone, client, run, status};
use http::StatusCode;
use libfuzzer_sys::fuzz_target;
use percent_encoding::percent_decode_str;
use serde_json::json;
use shared::microsoft::fulfillment::{Marketplace, SubscriptionPage};

fuzz_target!(|link: &str| {
    let body = json!({ "subscriptions": [], "@nextLink": link }).to_string();
    let page = SubscriptionPage::parse(body.as_bytes()).expect("a page, with any link");
    let token = match page.next {
        Ok(Some(token)) => token,
        Ok(None) => return assert!(link.trim().is_empty(), "the list went on"),
        // A link that can't be followed is an error, not the end of the list (F-LST-4).
        Err(_) => return assert!(!link.trim().is_empty(), "an empty link ends the list"),
    };
    assert!(!token.is_empty());
    let wire = Wire::answering(status(StatusCode::OK));
    let next = run(client(&wire).list_subscriptions(Some(&token)));
    let sent = wire.sent();
    assert_sent_to_the_marketplace_alone(&sent);
    assert!(next.is_ok_and(|page| page.next.is_ok_and(|next| next.is_none())), "F-LST-6");
    let [request] = &sent[..] else { panic!("{} requests", sent.len()) };
    let query = request.uri().query().expect("a query");
    if token.starts_with("next-link:") {
        // A link without a token: its path below the list, and its query.
        assert!(request.uri().path().starts_with("/api/saas/subscriptions"), "{}", request.uri());
        return;
    }
    assert!(link.contains(&token) || link.contains('%'), "a token that the link doesn't hold");
    let values: Vec<_> =
        query.split('&').filter_map(|pair| pair.strip_prefix("continuationToken=")).collect();
    let [value] = values[..] else { panic!("{query}") };
    // The token is decoded once and encoded once, so Microsoft gets it back unchanged.
    assert_eq!(percent_decode_str(value).decode_utf8().expect("text"), token);
    assert!(value.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~%".contains(&b)), "{value}");
});
