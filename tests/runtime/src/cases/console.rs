//! The staff console.

use emulator::{Call, Purchase};

use crate::{Answer, HostedCase, Live};

super::cases! {
    "home" => home,
    "sign-in" => sign_in,
    "signed-in" => signed_in,
    "needs-you" => needs_you,
    "subscription" => subscription,
    "change-seats" => change_seats,
    "unknown-page" => unknown_page,
}

fn is_page(answer: &Answer) {
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("referrer-policy"), "no-referrer");
}

async fn home(case: &mut HostedCase) {
    let answer = case.send(Live::default()).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/console"));
}

/// Without a session, the person goes to the publisher's directory.
async fn sign_in(case: &mut HostedCase) {
    let answer = case.attempt(Live::default()).await.expect("an answer");
    assert_eq!(answer.status, 303, "{}", answer.body);
    let entra = answer.header("location");
    assert!(entra.contains("/oauth2/v2.0/authorize?") && !entra.contains("/common/"), "{entra}");
    let kept = answer.header("set-cookie");
    assert!(kept.starts_with("__Host-console=") && kept.contains("; Secure"), "{kept}");
    assert_eq!(case.calls().len(), 0, "no one has signed in yet");
}

/// F-ROLE-2: a role opens a session, and a person without one is refused.
async fn signed_in(case: &mut HostedCase) {
    let live = case.back_from_entra("vera@fabrikam.example").await;
    let answer = case.attempt(live).await.expect("an answer");
    assert_eq!((answer.status, answer.header("location")), (303, "/console"), "{}", answer.body);
    let live = case.back_from_entra("nils@fabrikam.example").await;
    let answer = case.attempt(live).await.expect("an answer");
    assert_eq!(answer.status, 403, "{}", answer.body);
    assert_eq!(answer.headers.get("set-cookie"), None);
}

async fn needs_you(case: &mut HostedCase) {
    let live = case.signed_in("vera@fabrikam.example").await;
    let answer = case.attempt(live).await.expect("an answer");
    is_page(&answer);
}

async fn subscription(case: &mut HostedCase) {
    let id = case.active(Purchase::per_seat("team", 12)).await;
    let live = case.signed_in("vera@fabrikam.example").await;
    let answer = case.attempt(Live { subscription: Some(id), ..live }).await.expect("an answer");
    is_page(&answer);
    assert!(answer.body.contains(&id.to_string()), "{}", answer.body);
}

/// A viewer changes nothing, also with a form of the right session.
async fn change_seats(case: &mut HostedCase) {
    let id = case.active(Purchase::per_seat("team", 12)).await;
    let live = case.signed_in("vera@fabrikam.example").await;
    let answer = case.attempt(Live { subscription: Some(id), ..live }).await.expect("an answer");
    assert_eq!(answer.status, 403, "{}", answer.body);
    assert_eq!(case.count(Call::UpdateSubscription), 0);
}

async fn unknown_page(case: &mut HostedCase) {
    let answer = case.send(Live::default()).await;
    assert_eq!(answer.status, 404);
    assert!(answer.body.contains("no_route"), "{}", answer.body);
}
