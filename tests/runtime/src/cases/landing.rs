//! The landing page.

use emulator::{Call, Purchase};
use std::time::Duration;

use crate::{Answer, Live, Play};

super::cases! {
    "new-purchase" => new_purchase,
    "new-purchase-function-url" => new_purchase,
    "bare-plus" => new_purchase,
    "double-encoded-plus" => double_encoded_plus,
    "expired-token" => expired_token,
    "no-token" => no_token,
    "script" => script,
    "confirm" => confirm,
    "confirm-function-url" => confirm,
}

fn is_page(answer: &Answer) {
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    // F-RES-11: the token in the address goes nowhere else.
    assert_eq!(answer.header("referrer-policy"), "no-referrer");
    assert_eq!(answer.header("cache-control"), "no-store");
}

/// F-LP-5: what was bought is shown, and nothing is activated before the buyer confirms. The token
/// is decoded once (F-RES-2), and a `+` that a decoder took for a blank is one again (F-RES-3).
async fn new_purchase(play: &mut Play) {
    let id = play.bought(Purchase::per_seat("team", 12));
    let token = play.token(id);
    let answer = play.send(Live::buyer(token)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    is_page(&answer);
    for shown in ["Contoso production", "per-seat-1", "team", "12", "method=\"post\""] {
        assert!(answer.body.contains(shown), "{shown} is not on the page: {}", answer.body);
    }
    assert_eq!(play.count(Call::Resolve), 1);
    assert_eq!(play.count(Call::Activate), 0);
    assert_eq!(play.status(id).await, "PendingFulfillmentStart");
}

/// F-RES-2: decoding once leaves another text than the token, and nothing is guessed.
async fn double_encoded_plus(play: &mut Play) {
    let id = play.bought(Purchase::flat_rate("silver"));
    let token = play.token(id);
    let answer = play.send(Live::buyer(token)).await;
    is_told_where_to_begin_anew(&answer);
    assert_eq!(play.record(id).await, None);
}

/// F-RES-4: a day and an hour later.
async fn expired_token(play: &mut Play) {
    let id = play.bought(Purchase::flat_rate("silver"));
    let token = play.token(id);
    play.world(|world| world.advance(Duration::from_secs(25 * 60 * 60)));
    let answer = play.send(Live::buyer(token)).await;
    is_told_where_to_begin_anew(&answer);
    assert_eq!(play.record(id).await, None);
}

/// F-RES-9.
fn is_told_where_to_begin_anew(answer: &Answer) {
    assert_eq!(answer.status, 400, "{}", answer.body);
    is_page(answer);
    for told in ["Azure portal", "Microsoft 365", "Configure account", "Manage account"] {
        assert!(answer.body.contains(told), "{told} is not on the page: {}", answer.body);
    }
}

/// F-LP-4.
async fn no_token(play: &mut Play) {
    let answer = play.send(Live::default()).await;
    assert_eq!(answer.status, 200);
    is_page(&answer);
    assert_eq!(play.calls().len(), 0, "there is nothing to resolve");
}

/// The script of another version than the one there is: answered, and not kept.
async fn script(play: &mut Play) {
    let answer = play.send(Live::default()).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "text/javascript; charset=utf-8");
    assert_eq!(answer.header("cache-control"), "no-cache");
    assert!(answer.body.contains("\"use strict\""), "{}", answer.body);
    assert_eq!(play.calls().len(), 0);
}

/// F-LP-5, F-ACT-3: the buyer confirms, Microsoft is told, and the page shows what is now.
async fn confirm(play: &mut Play) {
    let id = play.landed(Purchase::flat_rate("silver")).await;
    let token = play.token(id);
    let answer = play.send(Live::buyer(token)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    is_page(&answer);
    assert_eq!(play.count(Call::Activate), 1);
    assert_eq!(play.world(|world| world.subscription(id).status), "Subscribed");
    assert_eq!(play.status(id).await, "Subscribed");
    assert_eq!(play.events(id).await, ["Purchased", "Activated"]);
}
