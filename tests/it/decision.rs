//! Changes that the publisher did not request are decided by rules, by its product, or by a policy.

use emulator::{Action, Call, FaultKind, Purchase, Times};
use jiff::{SignedDuration, Timestamp};
use local::Options;
use local::decider::{Decider, Reply};
use local::schemas::Schemas;
use serde_json::{Value, json};
use shared::domain::{DecidedBy, Event, EventKind, RequestedChange, Ruling, Verdict};
use shared::publisher::cloud_event::CloudEvent;
use uuid::Uuid;

use crate::failing_store::{Failing, Switch};
use crate::test_env::TestEnv;
use crate::webhook_calls::event_of;

pub(crate) const CHANGES: [Action; 2] = [Action::ChangePlan, Action::ChangeQuantity];

/// An environment whose product decides about changes, with these settings in addition.
pub(crate) async fn env_with_decider(settings: &[(&str, &str)]) -> (TestEnv, Decider) {
    let decider = Decider::start().await.expect("the product starts");
    let options = options_with(&decider, settings);
    (TestEnv::with(options).await, decider)
}

fn options_with(decider: &Decider, settings: &[(&str, &str)]) -> Options {
    let mut options = Options { variables: decider.settings(), ..Options::default() };
    for (name, value) in settings {
        options = options.with(name, value);
    }
    options
}

pub(crate) async fn last_event(env: &TestEnv, id: Uuid) -> Event {
    env.events(id).await.pop().expect("an event")
}

fn rejection(by: DecidedBy, reason: &str) -> Option<Ruling> {
    Some(Ruling::new(Verdict::Reject, by, reason))
}

#[tokio::test]
async fn a_change_the_product_accepts_takes_effect_and_its_event_says_so() {
    let (env, decider) = env_with_decider(&[("CHANGE_POLICY", "reject")]).await;
    decider.reply_with(Reply::Accept);
    for action in CHANGES {
        let (id, _) = env.about_to(&action).await;
        env.world(|world| world.clear_calls());
        assert_eq!(env.deliver_statuses().await, [200], "{action:?}");
        assert_eq!(env.acknowledgements(), [json!({ "status": "Success" })]);
        let event = last_event(&env, id).await;
        assert_eq!(event.kind.name(), event_of(&action));
        assert_eq!(event.ruling, Some(Ruling::accept(DecidedBy::Product)));
        env.assert_agrees(id, &format!("{action:?}")).await;
    }
    assert_eq!((decider.questions().len(), decider.complaints()), (2, Vec::new()));
}

#[tokio::test]
async fn t_18_a_products_rejection_is_sent_both_ways_and_recorded_with_its_reason() {
    let (env, decider) = env_with_decider(&[]).await;
    decider
        .reply_with(Reply::Reject("not before the audit; ask sales@fabrikam.example".to_owned()));
    for (action, change) in [
        (
            Action::ChangePlan,
            RequestedChange::Plan { from: "basic".to_owned(), to: Some("team".to_owned()) },
        ),
        (Action::ChangeQuantity, RequestedChange::Seats { from: Some(10), to: Some(20) }),
    ] {
        let (id, operation) = env.about_to(&action).await;
        env.world(|world| world.clear_calls());
        assert_eq!(env.deliver_statuses().await, [400], "{action:?}: F-WHA-12");
        assert_eq!(env.acknowledgements(), [json!({ "status": "Failure" })]);
        assert_eq!(env.world(|world| world.operation(operation)).status, "Failed");
        let event = last_event(&env, id).await;
        assert_eq!(event.kind, EventKind::ChangeRejected { change });
        assert_eq!(event.ruling, rejection(DecidedBy::Product, "not before the audit; ask …"));
        assert_eq!(
            event.before.as_ref(),
            Some(&event.subscription),
            "the subscription is unchanged"
        );
        env.assert_agrees(id, &format!("{action:?}")).await;

        let event = CloudEvent::new(&event, "urn:fabrikam:shop").to_json();
        let event: Value = serde_json::from_str(&event).expect("JSON");
        assert_eq!(Schemas::read().complaints(&event), [""; 0]);
        assert_eq!(event["data"]["decision"]["by"], "product");
        assert_eq!(event["data"]["tracking"]["operationId"], operation.to_string());
    }
}

#[tokio::test]
async fn the_question_holds_both_values_the_limits_and_the_plans_under_the_operation_id() {
    let (env, decider) = env_with_decider(&[]).await;
    for (action, change, limits) in [
        (
            Action::ChangePlan,
            json!({ "of": "plan", "from": "basic", "to": "team" }),
            json!({ "planId": "team", "minQuantity": 5, "maxQuantity": 500 }),
        ),
        (
            Action::ChangeQuantity,
            json!({ "of": "seats", "from": 10, "to": 20 }),
            json!({ "planId": "basic", "minQuantity": 1, "maxQuantity": 100 }),
        ),
    ] {
        let (id, operation) = env.about_to(&action).await;
        let asked_after = Timestamp::now();
        assert_eq!(env.deliver_statuses().await, [200]);
        let asked_before = Timestamp::now();
        let (question_id, question) = decider.questions().pop().expect("a question");
        assert_eq!(question_id, operation.to_string());
        assert_eq!(question["type"], "saas-fulfillment.decision.v1");
        assert_eq!(question["operationId"], operation.to_string());
        assert_eq!(question["action"], action.as_str());
        assert_eq!((&question["change"], &question["limits"]), (&change, &limits));
        assert_eq!(question["subscription"]["id"], id.to_string());
        assert_eq!(question["subscription"]["planId"], "basic", "the recorded plan");
        let plans = question["plans"].as_array().expect("the offer's plans");
        let plans: Vec<_> = plans.iter().filter_map(|plan| plan["planId"].as_str()).collect();
        assert_eq!(plans, ["basic", "team"]);
        let deadline: Timestamp =
            question["deadline"].as_str().and_then(|at| at.parse().ok()).expect("a time");
        let longest = SignedDuration::from_secs(3);
        assert!(asked_after < deadline && deadline <= asked_before + longest, "F-WHA-10");
    }
    assert_eq!(decider.complaints(), [""; 0]);
}

#[tokio::test]
async fn t_18_asking_the_product_adds_only_the_plans_fetched_with_the_operation() {
    let (env, _decider) = env_with_decider(&[]).await;
    env.about_to(&Action::ChangePlan).await;
    env.deliver().await;
    env.about_to(&Action::ChangeQuantity).await;
    env.world(|world| world.clear_calls());
    env.deliver().await;
    let made = env.world(|world| {
        let calls = world.calls().iter().map(|made| made.call);
        calls.filter(|call| *call != Call::Webhook).collect::<Vec<_>>()
    });
    assert_eq!(made.len(), 3, "{made:?}");
    assert!(made[..2].contains(&Call::GetOperation), "{made:?}");
    assert!(made[..2].contains(&Call::ListAvailablePlans), "{made:?}");
    assert_eq!(made[2], Call::UpdateOperation);
}

#[tokio::test]
async fn our_own_change_and_a_revert_are_accepted_without_asking_the_product() {
    let (env, decider) = env_with_decider(&[]).await;
    decider.reply_with(Reply::Reject("no".to_owned()));
    let id = env.active(Purchase::per_seat("basic", 10)).await;
    assert_eq!(env.change(id, &json!({ "quantity": 25 })).await.status, 202);
    env.pass(1);
    assert_eq!(env.deliver_statuses().await, [200], "F-WHA-15");
    let event = last_event(&env, id).await;
    assert_eq!(event.ruling, Some(Ruling::accept(DecidedBy::Publisher)));
    assert_eq!(decider.questions().len(), 0);

    env.world(|world| world.change_plan(id, "team")).expect("a change");
    assert_eq!(env.deliver_statuses().await, [400]);
    env.pass(300);
    env.world(|world| world.revert(id)).expect("a change was refused");
    assert_eq!(env.deliver_statuses().await, [200], "F-WHA-14");
    assert_eq!(
        decider.questions().len(),
        1,
        "a question about the change, and none about the revert"
    );
}

#[tokio::test]
async fn a_forbidding_rule_is_final_and_an_allowing_one_still_asks_the_product() {
    let rules = r#"{"per-seat-1": {"plans": {"basic": {"to": ["team"], "maxSeats": 15}}}}"#;
    let (env, decider) =
        env_with_decider(&[("CHANGE_RULES", rules), ("CHANGE_POLICY", "reject")]).await;
    let (id, _) = env.about_to(&Action::ChangeQuantity).await;
    assert_eq!(env.deliver_statuses().await, [400], "20 seats are too many");
    let event = last_event(&env, id).await;
    let ruling = event.ruling.expect("a ruling");
    assert_eq!((ruling.by, ruling.verdict), (DecidedBy::Rules, Verdict::Reject));
    assert!(ruling.reason.is_some_and(|reason| reason.contains("15")));
    assert_eq!(decider.questions().len(), 0);

    decider.reply_with(Reply::Reject("no".to_owned()));
    let (id, _) = env.about_to(&Action::ChangePlan).await;
    assert_eq!(env.deliver_statuses().await, [400]);
    let event = last_event(&env, id).await;
    assert_eq!(event.ruling, rejection(DecidedBy::Product, "no"));
}

#[tokio::test]
async fn rules_decide_without_a_product_to_ask() {
    let rules = r#"{"per-seat-1": {"noDowngrades": ["basic", "team"]}}"#;
    let options = Options::default().with("CHANGE_RULES", rules).with("CHANGE_POLICY", "reject");
    let env = TestEnv::with(options).await;
    let id = env.active(Purchase::per_seat("basic", 10)).await;
    let asked = env.calls(Call::ListAvailablePlans);
    env.world(|world| world.change_plan(id, "team")).expect("a change");
    assert_eq!(env.deliver_statuses().await, [200], "an upgrade, under either policy");
    let event = last_event(&env, id).await;
    assert_eq!(event.ruling, Some(Ruling::accept(DecidedBy::Rules)));

    env.pass(300);
    env.world(|world| world.change_plan(id, "basic")).expect("a change");
    assert_eq!(env.deliver_statuses().await, [400], "a downgrade");
    env.pass(300);
    env.world(|world| world.change_quantity(id, 20)).expect("a change");
    assert_eq!(env.deliver_statuses().await, [400], "no rule covers seats");
    assert_eq!(last_event(&env, id).await.ruling.map(|ruling| ruling.by), Some(DecidedBy::Policy));
    assert_eq!(env.calls(Call::ListAvailablePlans), asked, "no product to send them to");
}

#[tokio::test]
async fn t_19_a_second_delivery_repeats_the_first_answer_without_asking_again() {
    let (env, decider) = env_with_decider(&[]).await;
    for (reply, status, event) in
        [(Reply::Accept, 200, "PlanChanged"), (Reply::Reject("no".into()), 400, "ChangeRejected")]
    {
        let (id, operation) = env.about_to(&Action::ChangePlan).await;
        decider.reply_with(reply);
        assert_eq!(env.deliver_statuses().await, [status]);
        let questions = decider.questions().len();
        // The product would answer differently now, but it is not asked.
        decider.reply_with(if status == 200 { Reply::Reject("no".into()) } else { Reply::Accept });
        for _ in 0..2 {
            let again = env.signed(env.body_of(operation).to_string()).await;
            assert_eq!(again.status, status, "F-WHD-5");
        }
        assert_eq!(decider.questions().len(), questions);
        assert_eq!(env.count(id, event).await, 1);
        env.assert_agrees(id, event).await;
    }
}

#[tokio::test]
async fn a_lost_decision_is_asked_for_again_under_the_same_id() {
    let decider = Decider::start().await.expect("the product starts");
    let (switch, options) = Switch::new(options_with(&decider, &[]));
    let env = TestEnv::with(options).await;
    let (id, operation) = env.about_to(&Action::ChangePlan).await;
    decider.reply_with(Reply::Accept);
    // The decision reaches neither Microsoft nor the table.
    env.fault(Call::UpdateOperation, FaultKind::DropBefore, Times::Always);
    switch.set(Failing::Commits);
    let first = env.signed(env.body_of(operation).to_string()).await;
    assert!(first.status.is_server_error(), "{first:?}");
    env.world(|world| world.faults_mut().clear());
    switch.set(Failing::No);
    decider.reply_with(Reply::Reject("no".to_owned()));
    let second = env.signed(env.body_of(operation).to_string()).await;
    assert_eq!(second.status, 400, "the new decision counts");
    let ids: Vec<_> = decider.questions().into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, [operation.to_string(), operation.to_string()]);
    assert_eq!(env.event_names(id).await, ["Purchased", "Activated", "ChangeRejected"]);
    env.assert_agrees(id, "rejected").await;
}

#[tokio::test]
async fn a_rejection_by_the_400_alone_is_recorded_with_its_reason_once_confirmed() {
    let (env, decider) = env_with_decider(&[]).await;
    decider.reply_with(Reply::Reject("no".to_owned()));
    let (id, _) = env.about_to(&Action::ChangeQuantity).await;
    env.fault(
        Call::UpdateOperation,
        FaultKind::Status(500, emulator::ErrorForm::Nested),
        Times::Always,
    );
    assert_eq!(env.deliver_statuses().await, [400], "the answer rejects the change too (F-WHA-12)");
    env.world(|world| world.faults_mut().clear());
    env.pass(600);
    env.system.reconcile().await.expect("a run");
    let event = last_event(&env, id).await;
    assert_eq!(event.ruling, rejection(DecidedBy::Product, "no"));
    env.assert_agrees(id, "rejected").await;
}

#[tokio::test]
async fn a_change_that_microsoft_makes_despite_a_rejection_is_recorded_after_it() {
    // F-WHA-12
    let (env, decider) = env_with_decider(&[]).await;
    decider.reply_with(Reply::Reject("no".to_owned()));
    env.world(|world| world.settings_mut().behaviour.failure_is_ignored = true);
    let (id, operation) = env.about_to(&Action::ChangePlan).await;
    // The call bypasses the emulator's queue, where a 4xx would refuse the change.
    let answer = env.signed(env.body_of(operation).to_string()).await;
    assert_eq!(answer.status, 400);
    env.world(|world| world.lose_deliveries());
    env.pass(600);
    env.system.reconcile().await.expect("a run");
    let names = env.event_names(id).await;
    assert_eq!(names[2..], ["ChangeRejected", "PlanChanged"]);
    assert_eq!(last_event(&env, id).await.ruling, None, "no decision of ours led to it");
    env.assert_agrees(id, "adopted").await;
}
