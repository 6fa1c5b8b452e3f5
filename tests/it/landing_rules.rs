//! The publisher's say in what a buyer changes on the landing page: `CHANGE_RULES`, `DECISION_URL`
//! and `CHANGE_POLICY` hold there as they do for a change at Microsoft.

use emulator::{Call, ErrorForm, FaultKind, Purchase, Times};
use http::StatusCode;
use local::Options;
use local::decider::{Decider, Reply};
use serde_json::{Value, json};
use shared::domain::{Cause, DecidedBy, Event, Requester, Ruling, Verdict};
use shared::publisher::cloud_event::CloudEvent;

use crate::decision::last_event;
use crate::failing_store::{Failing, Switch};
use crate::landing_manage::{MANAGE, changes, customer, submit};
use crate::test_env::TestEnv;

const TEAM: [(&str, &str); 3] = [("want", "plan"), ("plan", "team"), ("confirmed", "yes")];

fn seats(seats: &str) -> [(&str, &str); 3] {
    [("want", "seats"), ("seats", seats), ("confirmed", "yes")]
}

fn options(settings: &[(&'static str, &str)]) -> Options {
    let with_sign_in = Options::default().with("LANDING_SIGN_IN", "entra");
    settings.iter().fold(with_sign_in, |options, (name, value)| options.with(name, value))
}

async fn env_with(settings: &[(&'static str, &str)]) -> TestEnv {
    TestEnv::with(options(settings)).await
}

async fn env_with_decider(settings: &[(&'static str, &str)]) -> (TestEnv, Decider) {
    let decider = Decider::start().await.expect("the product starts");
    let mut options = options(settings);
    options.variables.extend(decider.settings());
    (TestEnv::with(options).await, decider)
}

/// Who caused the event, as the publisher's product reads it.
fn told(event: &Event) -> Value {
    let event = CloudEvent::new(event, "urn:fabrikam:shop").to_json();
    let event: Value = serde_json::from_str(&event).expect("JSON");
    event["data"]["cause"].clone()
}

#[tokio::test]
async fn a_policy_that_rejects_leaves_the_buyer_the_cancellation_alone() {
    let env = env_with(&[("CHANGE_POLICY", "reject")]).await;
    let (mut browser, id) = customer(&env, Purchase::per_seat("basic", 10)).await;
    let page = browser.get(MANAGE).await;
    assert!(!page.body.contains("name=\"plan\""), "{}", page.body);
    assert!(!page.body.contains("name=\"seats\""), "{}", page.body);
    for form in [TEAM, seats("20")] {
        let refused = submit(&env, &mut browser, &form).await;
        assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.body);
    }
    assert_eq!(changes(&env), 0);
    assert_eq!(env.event_names(id).await, ["Purchased", "Activated"]);
    submit(&env, &mut browser, &[("want", "cancel"), ("confirmed", "yes")]).await;
    assert_eq!(env.calls(Call::DeleteSubscription), 1);
}

#[tokio::test]
async fn the_page_offers_the_plans_and_seats_that_the_rules_allow_and_no_others() {
    let rules = json!({ "per-seat-1": {
        "noDowngrades": ["basic", "team"],
        "plans": { "team": { "minSeats": 8, "maxSeats": 15 } },
    } });
    let env = env_with(&[("CHANGE_POLICY", "reject"), ("CHANGE_RULES", &rules.to_string())]).await;
    let (mut browser, id) = customer(&env, Purchase::per_seat("team", 10)).await;
    let page = browser.get(MANAGE).await;
    assert!(!page.body.contains("value=\"basic\""), "a downgrade: {}", page.body);
    assert!(page.body.contains("min=\"8\" max=\"15\""), "{}", page.body);
    let downgrade = [("want", "plan"), ("plan", "basic"), ("confirmed", "yes")];
    for form in [downgrade, seats("90"), seats("7")] {
        let refused = submit(&env, &mut browser, &form).await;
        assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.body);
    }
    assert_eq!(changes(&env), 0);
    submit(&env, &mut browser, &seats("15")).await;
    assert_eq!(changes(&env), 1);
    env.deliver().await;
    let event = last_event(&env, id).await;
    assert_eq!(event.ruling, Some(Ruling::accept(DecidedBy::Rules)));
    assert_eq!(told(&event)["by"], "buyer");
    env.assert_agrees(id, "a change within the rules").await;
}

#[tokio::test]
async fn no_seats_are_offered_where_the_rules_leave_only_those_in_force() {
    let rules = json!({ "*": { "plans": { "basic": { "minSeats": 10, "maxSeats": 10 } } } });
    let env = env_with(&[("CHANGE_RULES", &rules.to_string())]).await;
    let (mut browser, _) = customer(&env, Purchase::per_seat("basic", 10)).await;
    let page = browser.get(MANAGE).await;
    assert!(!page.body.contains("name=\"seats\""), "{}", page.body);
    assert!(page.body.contains("value=\"team\""), "no rule is about plans: {}", page.body);
}

#[tokio::test]
async fn the_product_is_asked_once_before_microsoft_and_its_yes_is_told_as_the_buyers_change() {
    let (env, decider) = env_with_decider(&[("CHANGE_POLICY", "reject")]).await;
    decider.reply_with(Reply::Accept);
    let (mut browser, id) = customer(&env, Purchase::per_seat("basic", 10)).await;
    let question = submit(&env, &mut browser, &TEAM[..2]).await;
    assert_eq!(question.status, StatusCode::OK);
    assert_eq!(decider.questions().len(), 0, "the buyer has not confirmed yet");
    let done = submit(&env, &mut browser, &TEAM).await;
    assert!(done.body.contains("Change requested"), "{}", done.body);
    let (webhook_id, asked) = decider.questions().pop().expect("a question");
    assert_eq!(asked["change"], json!({ "of": "plan", "from": "basic", "to": "team" }));
    assert_eq!(asked["cause"], json!({ "by": "buyer", "via": "landing" }));
    assert_eq!(asked["operationId"], webhook_id);
    assert_eq!(asked["limits"]["planId"], "team");

    env.pass(1);
    assert_eq!(env.deliver_statuses().await, [200]);
    assert_eq!(decider.questions().len(), 1, "the webhook does not ask again");
    let event = last_event(&env, id).await;
    assert_eq!(event.kind.name(), "PlanChanged");
    assert_eq!(event.ruling, Some(Ruling::accept(DecidedBy::Product)));
    assert_eq!(told(&event)["by"], "buyer");
    assert_eq!(told(&event)["via"], "webhook");
    assert_eq!(decider.complaints(), [""; 0]);
    env.assert_agrees(id, "the product's yes").await;
}

#[tokio::test]
async fn the_products_no_is_told_and_shown_and_microsoft_is_not_asked() {
    let (env, decider) = env_with_decider(&[]).await;
    decider.reply_with(Reply::Reject("12 seats are in use".to_owned()));
    let (mut browser, id) = customer(&env, Purchase::per_seat("basic", 20)).await;
    let refused = submit(&env, &mut browser, &seats("10")).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.body.contains("We can’t make this change"), "{}", refused.body);
    assert_eq!(changes(&env), 0);
    let event = last_event(&env, id).await;
    assert_eq!(event.kind.name(), "ChangeRejected");
    let ruling = Ruling::new(Verdict::Reject, DecidedBy::Product, "12 seats are in use");
    assert_eq!(event.ruling, Some(ruling));
    assert_eq!(told(&event)["by"], "buyer");
    env.assert_agrees(id, "the product's no").await;
}

#[tokio::test]
async fn a_product_that_gives_no_decision_leaves_it_to_the_fallback() {
    let (env, decider) = env_with_decider(&[("DECISION_FALLBACK", "reject")]).await;
    decider.reply_with(Reply::Raw(500, String::new()));
    let (mut browser, id) = customer(&env, Purchase::per_seat("basic", 10)).await;
    let refused = submit(&env, &mut browser, &TEAM).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert_eq!(changes(&env), 0);
    let ruling = last_event(&env, id).await.ruling.expect("a ruling");
    assert_eq!((ruling.by, ruling.verdict), (DecidedBy::Fallback, Verdict::Reject));
}

#[tokio::test]
async fn a_buyers_change_whose_operation_could_not_be_noted_is_still_told_as_the_buyers() {
    // Microsoft's answer never arrives, so that no operation's id is known.
    let (env, decider) = env_with_decider(&[]).await;
    decider.reply_with(Reply::Accept);
    let (mut browser, id) = customer(&env, Purchase::per_seat("basic", 10)).await;
    env.fault(Call::UpdateSubscription, FaultKind::LoseAnswer, Times::Once);
    let unknown = submit(&env, &mut browser, &TEAM).await;
    assert_eq!(unknown.status, StatusCode::GATEWAY_TIMEOUT);
    let record = env.record(id).await.expect("a record");
    let [own] = record.own_requests.as_slice() else { panic!("stored before Microsoft was asked") };
    assert_eq!((own.plan_id.as_deref(), own.operation_id.as_ref()), (Some("team"), None));
    decider.reply_with(Reply::Reject("not again".to_owned()));
    env.pass(1);
    assert_eq!(env.deliver_statuses().await, [200]);
    assert_eq!(decider.questions().len(), 1);
    let event = last_event(&env, id).await;
    assert_eq!(event.kind.name(), "PlanChanged");
    assert_eq!(event.ruling, Some(Ruling::accept(DecidedBy::Product)));
    assert_eq!(told(&event)["by"], "buyer");
    let Cause::Webhook { requester: Some(Requester::Buyer { account }), .. } = event.cause else {
        panic!("the history names the person: {:?}", event.cause)
    };
    assert_eq!(Some(account.tenant_id), event.subscription.beneficiary.tenant_id);
    assert_eq!(account.object_id, event.subscription.beneficiary.object_id);
}

#[tokio::test]
async fn a_request_that_could_not_be_stored_is_not_sent_to_microsoft() {
    let (switch, options) = Switch::new(options(&[]));
    let env = TestEnv::with(options).await;
    let (mut browser, id) = customer(&env, Purchase::per_seat("basic", 10)).await;
    // The visit itself changes nothing, so that the request is the first commit.
    submit(&env, &mut browser, &TEAM[..2]).await;
    switch.set(Failing::Commits);
    let failed = submit(&env, &mut browser, &TEAM).await;
    assert_eq!(failed.status, StatusCode::SERVICE_UNAVAILABLE, "{}", failed.body);
    assert_eq!(changes(&env), 0);
    assert_eq!(env.record(id).await.expect("a record").own_requests, []);
}

#[tokio::test]
async fn a_request_that_microsoft_refused_is_forgotten() {
    let env = env_with(&[]).await;
    let (mut browser, id) = customer(&env, Purchase::per_seat("basic", 10)).await;
    let refusal = FaultKind::Status(400, ErrorForm::Object);
    env.fault(Call::UpdateSubscription, refusal, Times::Once);
    let refused = submit(&env, &mut browser, &TEAM).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert_eq!(env.record(id).await.expect("a record").own_requests, []);
}

#[tokio::test]
async fn a_cancellation_on_the_page_is_told_as_the_buyers_and_the_publishers_as_the_publishers() {
    let env = env_with(&[("CHANGE_POLICY", "reject")]).await;
    let (mut browser, bought) = customer(&env, Purchase::flat_rate("silver")).await;
    submit(&env, &mut browser, &[("want", "cancel"), ("confirmed", "yes")]).await;
    env.deliver().await;
    let event = last_event(&env, bought).await;
    assert_eq!(event.kind.name(), "Unsubscribed");
    assert_eq!(told(&event)["by"], "buyer");

    let (_, id) = customer(&env, Purchase::per_seat("basic", 10)).await;
    assert_eq!(env.change(id, &json!({ "quantity": 90 })).await.status, 202, "no rule applies");
    env.pass(1);
    assert_eq!(env.deliver_statuses().await, [200]);
    let event = last_event(&env, id).await;
    assert_eq!(event.ruling, Some(Ruling::accept(DecidedBy::Publisher)));
    assert_eq!(told(&event)["by"], "publisher");
    env.assert_agrees(id, "the publisher's own change").await;
}

#[tokio::test]
async fn a_buyers_change_is_not_requested_if_the_seats_changed_after_the_decision() {
    let rules = json!({ "per-seat-1": { "plans": { "team": { "maxSeats": 15 } } } });
    let (switch, with_switch) = Switch::new(options(&[("CHANGE_RULES", &rules.to_string())]));
    let env = TestEnv::with(with_switch).await;
    let (mut browser, _) = customer(&env, Purchase::per_seat("basic", 10)).await;
    switch.set(Failing::OvertakenBySeats(90));
    let refused = submit(&env, &mut browser, &TEAM).await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.body);
    assert_eq!(changes(&env), 0);
}
