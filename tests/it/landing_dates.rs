//! The dates, the changes under way and the next steps on the landing page.

use std::time::Duration;

use emulator::{Call, FaultKind, Purchase, Times};
use local::Options;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::landing_manage::{MANAGE, customer, submit};
use crate::sign_in::env_with_sign_in;
use crate::test_env::TestEnv;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Every label of a date, in English.
const LABELS: [&str; 8] = [
    "Free trial until",
    "Billing starts on",
    "Renews on",
    "Ends on",
    "Current term until",
    "Suspended since",
    "Ended on",
    "Cancelled on",
];

/// Asserts that a page has these dates and no others.
#[track_caller]
fn assert_dates(page: &str, expected: &[(&str, &str)]) {
    for (label, date) in expected {
        let date = date.replace(' ', "\u{a0}");
        let row = format!("<dt>{label}</dt><dd>{date}</dd>");
        assert!(page.contains(&row), "{row} in {page}");
    }
    let others = LABELS.iter().filter(|label| !expected.iter().any(|(known, _)| known == *label));
    for other in others {
        assert!(!page.contains(&format!("<dt>{other}</dt>")), "{other} in {page}");
    }
    assert!(!page.contains("alid until"), "{page}");
}

/// Microsoft's answer to Resolve, with these members.
fn resolves_to(env: &TestEnv, changes: &Value) -> String {
    let id = env.purchase(Purchase::flat_rate("silver"));
    let mut subscription = json!({
        "id": id, "offerId": "flat-rate-1", "planId": "silver", "saasSubscriptionStatus": "Subscribed",
        "term": { "termUnit": "P1M", "startDate": "2026-03-04T00:00:00Z", "endDate": "2026-04-03T00:00:00Z" },
        "beneficiary": { "emailId": "adele@contoso.example" },
    });
    for (name, value) in changes.as_object().expect("an object") {
        subscription[name] = value.clone();
    }
    let resolved = json!({ "id": id, "subscription": subscription });
    env.fault(Call::Resolve, FaultKind::Garbage(resolved.to_string()), Times::Always);
    env.world(|world| world.landing_link(id))
}

#[tokio::test]
async fn a_term_renews_on_the_day_after_its_last_and_ends_on_its_last() {
    // F-OBJ-6, F-OBJ-9. The emulator's first day is 4 March 2026.
    let env = TestEnv::new().await;
    let id = env.active(Purchase::flat_rate("silver")).await;
    assert_dates(&env.visit(id).await.body, &[("Renews on", "4 April 2026")]);
    env.advance(30 * DAY);
    assert_dates(&env.visit(id).await.body, &[("Renews on", "4 April 2026")]);
    env.world(|world| world.toggle_auto_renew(id)).expect("a switch");
    assert_dates(&env.visit(id).await.body, &[("Ends on", "3 April 2026")]);
    env.advance(DAY);
    assert_dates(&env.visit(id).await.body, &[]);
}

#[tokio::test]
async fn a_free_trial_has_its_last_day_and_the_first_paid_one() {
    let env = TestEnv::new().await;
    let id = env.purchase(Purchase::per_seat("basic", 5).free_trial());
    let pending = env.visit(id).await.body;
    assert_dates(&pending, &[]);
    assert!(pending.contains("<dt>Trial</dt><dd>Free</dd>"), "{pending}");
    let active = env.confirm(id).await.body;
    let trial = ("Free trial until", "3 April 2026");
    assert_dates(&active, &[trial, ("Billing starts on", "4 April 2026")]);
    assert!(!active.contains("<dt>Trial</dt>"), "{active}");
    env.world(|world| world.toggle_auto_renew(id)).expect("a switch");
    assert_dates(&env.visit(id).await.body, &[trial, ("Ends on", "3 April 2026")]);
    env.world(|world| world.unsubscribe(id)).expect("an end");
    assert_dates(&env.visit(id).await.body, &[("Ended on", "4 March 2026")]);
}

#[tokio::test]
async fn what_microsoft_does_not_say_has_no_date() {
    for (changes, expected) in [
        (json!({ "autoRenew": true }), &[("Renews on", "4 April 2026")][..]),
        // F-OBJ-9: absent isn't true.
        (json!({}), &[("Current term until", "3 April 2026")]),
        (json!({ "isFreeTrial": true }), &[("Free trial until", "3 April 2026")]),
        (json!({ "autoRenew": true, "term": { "termUnit": "P1M" } }), &[]),
        (json!({ "autoRenew": false, "term": {} }), &[]),
        (json!({ "saasSubscriptionStatus": "PendingFulfillmentStart" }), &[]),
        // It may have been so for long.
        (json!({ "saasSubscriptionStatus": "Suspended" }), &[]),
        (json!({ "saasSubscriptionStatus": "Unsubscribed" }), &[]),
        (json!({ "saasSubscriptionStatus": "NotStarted" }), &[]),
    ] {
        let env = TestEnv::new().await;
        let link = resolves_to(&env, &changes);
        let first = env.send(env.http.get(&link)).await.body;
        assert_dates(&first, expected);
        env.advance(DAY);
        assert_dates(&env.send(env.http.get(&link)).await.body, expected);
    }
}

#[tokio::test]
async fn a_suspension_and_an_end_are_dated_by_when_they_happened() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::flat_rate("silver")).await;
    env.advance(DAY);
    env.world(|world| world.suspend(id)).expect("a suspension");
    env.deliver().await;
    env.advance(3 * DAY);
    assert_dates(&env.visit(id).await.body, &[("Suspended since", "5 March 2026")]);
    env.world(|world| world.unsubscribe(id)).expect("an end");
    env.deliver().await;
    env.advance(3 * DAY);
    assert_dates(&env.visit(id).await.body, &[("Ended on", "8 March 2026")]);
    let link = env.world(|world| world.landing_link(id));
    for (language, row) in [
        ("sv", "<dt>Avslutades den</dt><dd>8\u{a0}mars\u{a0}2026</dd>"),
        ("de", "<dt>Beendet am</dt><dd>8.\u{a0}März\u{a0}2026</dd>"),
    ] {
        let page = env.send(env.http.get(&link).header("accept-language", language)).await.body;
        assert!(page.contains(row), "{page}");
    }
}

#[tokio::test]
async fn a_requested_change_is_shown_until_it_is_in_force() {
    let env = env_with_sign_in().await;
    let (mut browser, id) = customer(&env, Purchase::per_seat("basic", 10)).await;
    for (form, says, in_force) in [
        ([("want", "plan"), ("plan", "team")], "Change to Team requested", "<dd>Team</dd>"),
        ([("want", "seats"), ("seats", "30")], "Change to 30 seats requested", "<dd>30</dd>"),
    ] {
        let form = [form[0], form[1], ("confirmed", "yes")];
        let done = submit(&env, &mut browser, &form).await;
        assert!(done.body.contains("Change requested"), "{}", done.body);
        let page = browser.page().await.body;
        assert!(page.contains(says) && page.contains("data-waiting=\"requested\""), "{page}");
        assert!(!page.contains(in_force), "F-CHP-7: {page}");
        let manage = browser.get(MANAGE).await.body;
        assert!(manage.contains(says) && manage.contains("data-waiting=\"requested\""), "{manage}");
        assert!(!manage.contains("name=\"want\""), "one change at a time: {manage}");
        env.deliver().await;
        let page = browser.page().await.body;
        assert!(page.contains(in_force) && !page.contains("requested"), "{page}");
    }
    submit(&env, &mut browser, &[("want", "cancel"), ("confirmed", "yes")]).await;
    assert!(browser.page().await.body.contains("Cancellation requested"));
    env.deliver().await;
    assert!(!browser.page().await.body.contains("requested"));
    assert_eq!(env.record(id).await.expect("a record").status().as_str(), "Unsubscribed");
}

#[tokio::test]
async fn a_request_without_an_answer_is_in_doubt_for_a_quarter_of_an_hour() {
    let env = env_with_sign_in().await;
    let (mut browser, _) = customer(&env, Purchase::per_seat("basic", 10)).await;
    // Neither received nor answered.
    env.fault(Call::UpdateSubscription, FaultKind::DropBefore, Times::Once);
    submit(&env, &mut browser, &[("want", "seats"), ("seats", "1"), ("confirmed", "yes")]).await;
    let page = browser.page().await.body;
    assert!(page.contains("Change to 1 seat requested"), "{page}");
    assert!(page.contains("whether Microsoft has received it"), "{page}");
    env.advance(Duration::from_secs(15 * 60));
    assert!(!browser.page().await.body.contains("requested"));
}

#[tokio::test]
async fn the_next_steps_follow_who_activates_and_say_how_far_they_are() {
    let delayed = |activation: &str| {
        let mut options = Options::default().with("ACTIVATION", activation);
        options.emulator.behaviour.activation_delay = Duration::from_secs(60);
        TestEnv::with(options)
    };
    let prepare = "We prepare your account.";
    let env = delayed("on-confirm").await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    let pending = env.visit(id).await.body;
    for step in
        ["What happens next", "You check the details", "Microsoft activates", "billing begins"]
    {
        assert!(pending.contains(step), "{step} in {pending}");
    }
    assert!(!pending.contains(prepare) && !pending.contains("<li aria-current"), "{pending}");
    let activating = env.confirm(id).await.body;
    assert!(activating.contains("Your subscription is being activated"), "{activating}");
    let current =
        "<li aria-current=\"step\"><span class=\"unseen\">In progress:</span> Microsoft activates";
    assert!(activating.contains(current), "{activating}");
    assert_eq!(activating.matches("Done:").count(), 1, "{activating}");

    let env = delayed("by-publisher").await;
    let id = env.purchase(Purchase::per_seat("basic", 5).free_trial());
    let pending = env.visit(id).await.body;
    assert!(pending.contains(prepare) && pending.contains("after the free trial"), "{pending}");
    let preparing = env.confirm(id).await.body;
    let current = "<span class=\"unseen\">In progress:</span> We prepare your account.";
    assert!(preparing.contains(current), "{preparing}");
    env.activate(id).await;
    let activating = env.visit(id).await.body;
    assert!(activating.contains("Your subscription is being activated"), "{activating}");
    assert_eq!(activating.matches("Done:").count(), 2, "{activating}");
    assert!(activating.contains("Your account is ready."), "{activating}");
    let unknown = env.get(&format!("/landing?token={}", Uuid::nil())).await.body;
    assert!(!unknown.contains("What happens next"), "{unknown}");
}
