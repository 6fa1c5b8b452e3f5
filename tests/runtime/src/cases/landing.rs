//! The landing page.

use emulator::{Call, Purchase};
use std::time::Duration;

use crate::{Answer, HostedCase, Live};

super::cases! {
    "new-purchase" => new_purchase,
    "new-purchase-function-url" => new_purchase,
    "bare-plus" => new_purchase,
    "double-encoded-plus" => double_encoded_plus,
    "expired-token" => expired_token,
    "no-token" => no_token,
    "script" => script,
    "sign-in" => sign_in,
    "confirm" => confirm,
    "confirm-function-url" => confirm,
}

fn is_page(answer: &Answer) {
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    // F-RES-11: the browser sends the token in the address to no other site.
    assert_eq!(answer.header("referrer-policy"), "no-referrer");
    assert_eq!(answer.header("cache-control"), "no-store");
}

/// F-LP-5: the page shows the purchase, and activates nothing before the buyer confirms. It decodes
/// the token once (F-RES-2) and restores a `+` that was decoded to a space (F-RES-3).
async fn new_purchase(case: &mut HostedCase) {
    let id = case.bought(Purchase::per_seat("team", 12));
    let token = case.token(id);
    let answer = case.send(Live::buyer(token)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    is_page(&answer);
    for shown in ["Contoso production", "per-seat-1", "Team", "12", "method=\"post\""] {
        assert!(answer.body.contains(shown), "{shown} is not on the page: {}", answer.body);
    }
    assert_eq!(case.count(Call::Resolve), 1);
    assert_eq!(case.count(Call::Activate), 0);
    assert_eq!(case.status(id).await, "PendingFulfillmentStart");

    case.world(|world| world.rename(id, "Contoso staging")).expect("a name");
    let token = case.token(id);
    let answer = case.send(Live::buyer(token)).await;
    assert!(answer.body.contains("Contoso staging"), "{}", answer.body);
    let name = case.record(id).await.and_then(|record| record.subscription.name);
    assert_eq!(name.as_deref(), Some("Contoso staging"));
}

/// F-RES-2: decoded once, this text is not the token. The page doesn't guess.
async fn double_encoded_plus(case: &mut HostedCase) {
    let id = case.bought(Purchase::flat_rate("silver"));
    let token = case.token(id);
    let answer = case.send(Live::buyer(token)).await;
    shows_how_to_start_again(&answer);
    assert_eq!(case.record(id).await, None);
}

/// F-RES-4: the token has expired after 25 hours.
async fn expired_token(case: &mut HostedCase) {
    let id = case.bought(Purchase::flat_rate("silver"));
    let token = case.token(id);
    case.world(|world| world.advance(Duration::from_secs(25 * 60 * 60)));
    let answer = case.send(Live::buyer(token)).await;
    shows_how_to_start_again(&answer);
    assert_eq!(case.record(id).await, None);
}

/// F-RES-9.
fn shows_how_to_start_again(answer: &Answer) {
    assert_eq!(answer.status, 400, "{}", answer.body);
    is_page(answer);
    for place in ["Azure portal", "Microsoft 365", "Configure account", "Manage account"] {
        assert!(answer.body.contains(place), "{place} is not on the page: {}", answer.body);
    }
}

/// F-LP-4.
async fn no_token(case: &mut HostedCase) {
    let answer = case.send(Live::default()).await;
    assert_eq!(answer.status, 200);
    is_page(&answer);
    assert_eq!(case.calls().len(), 0, "there is no token to resolve");
}

/// A request for another version of the script gets the current one, which must not be cached.
async fn script(case: &mut HostedCase) {
    let answer = case.send(Live::default()).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "text/javascript; charset=utf-8");
    assert_eq!(answer.header("cache-control"), "no-cache");
    assert!(answer.body.contains("\"use strict\""), "{}", answer.body);
    assert_eq!(case.calls().len(), 0);
}

/// F-LP-5, F-LP-6: the buyer signs in before Microsoft is asked about the token. The browser keeps
/// it in an encrypted cookie meanwhile. The answer is random, so the hosts' answers differ.
async fn sign_in(case: &mut HostedCase) {
    let id = case.bought(Purchase::flat_rate("silver"));
    let token = case.token(id);
    let answer = case.attempt(Live::buyer(token.clone())).await.expect("the function answers");
    assert_eq!(answer.status, 303, "{}", answer.body);
    let entra = answer.header("location");
    assert!(entra.contains("/common/oauth2/v2.0/authorize?"), "{entra}");
    assert!(!entra.contains(&token), "{entra}");
    let kept = answer.header("set-cookie");
    assert!(kept.starts_with("__Host-landing=") && kept.contains("; Secure"), "{kept}");
    assert_eq!(answer.header("strict-transport-security"), "max-age=31536000");
    assert_eq!(case.calls().len(), 0, "no one has signed in yet");
}

/// F-LP-5, F-ACT-3: the buyer confirms, the function activates, and the page shows the new status.
async fn confirm(case: &mut HostedCase) {
    let id = case.landed(Purchase::flat_rate("silver")).await;
    let token = case.token(id);
    let answer = case.send(Live::buyer(token)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    is_page(&answer);
    assert_eq!(case.count(Call::Activate), 1);
    assert_eq!(case.world(|world| world.subscription(id).status), "Subscribed");
    assert_eq!(case.status(id).await, "Subscribed");
    assert_eq!(case.events(id).await, ["Purchased", "Activated"]);
}
