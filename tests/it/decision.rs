//! Who decides about a change the publisher didn't ask for: rules, the publisher's product, a policy.

use emulator::{Action, Call, FaultKind, Purchase, Times};
use local::Options;
use local::decider::{Decider, Says};
use local::receiver::SenderClock;
use local::schemas::Schemas;
use serde_json::{Value, json};
use shared::domain::{DecidedBy, Event, EventKind, RequestedChange, Ruling, Verdict};
use shared::publisher::cloud_event::CloudEvent;
use uuid::Uuid;

use crate::failing_store::{Failing, Switch};
use crate::scene::Scene;
use crate::webhook_calls::event_of;

pub(crate) const CHANGES: [Action; 2] = [Action::ChangePlan, Action::ChangeQuantity];

/// A scene whose product is asked, with these settings beside.
pub(crate) async fn asking(settings: &[(&str, &str)]) -> (Scene, Decider) {
    let decider = Decider::start(SenderClock::Emulated).await.expect("the product starts");
    let options = asked_by(&decider, settings);
    (Scene::with(options).await, decider)
}

fn asked_by(decider: &Decider, settings: &[(&str, &str)]) -> Options {
    let mut options = Options { variables: decider.settings(), ..Options::default() };
    for (name, value) in settings {
        options = options.with(name, value);
    }
    options
}

pub(crate) async fn last_event(scene: &Scene, id: Uuid) -> Event {
    scene.events(id).await.pop().expect("an event")
}

fn rejection(by: DecidedBy, reason: &str) -> Option<Ruling> {
    Some(Ruling::new(Verdict::Reject, by, reason))
}

#[tokio::test]
async fn what_the_product_accepts_is_made_and_its_event_says_so() {
    let (scene, decider) = asking(&[("CHANGE_POLICY", "reject")]).await;
    decider.says(Says::Accept);
    for action in CHANGES {
        let (id, _) = scene.about_to(&action).await;
        scene.world(|world| world.clear_calls());
        assert_eq!(scene.deliver_statuses().await, [200], "{action:?}");
        assert_eq!(scene.acknowledgements(), [json!({ "status": "Success" })]);
        let event = last_event(&scene, id).await;
        assert_eq!(event.kind.name(), event_of(&action));
        assert_eq!(event.ruling, Some(Ruling::accept(DecidedBy::Product)));
        scene.assert_agrees(id, &format!("{action:?}")).await;
    }
    assert_eq!((decider.questions().len(), decider.complaints()), (2, Vec::new()));
}

#[tokio::test]
async fn t_18_what_the_product_rejects_is_refused_both_ways_and_recorded_with_its_reason() {
    let (scene, decider) = asking(&[]).await;
    decider.says(Says::Reject("not before the audit; ask sales@fabrikam.example".to_owned()));
    for (action, change) in [
        (
            Action::ChangePlan,
            RequestedChange::Plan { from: "basic".to_owned(), to: Some("team".to_owned()) },
        ),
        (Action::ChangeQuantity, RequestedChange::Seats { from: Some(10), to: Some(20) }),
    ] {
        let (id, operation) = scene.about_to(&action).await;
        scene.world(|world| world.clear_calls());
        assert_eq!(scene.deliver_statuses().await, [400], "{action:?}: F-WHA-12");
        assert_eq!(scene.acknowledgements(), [json!({ "status": "Failure" })]);
        assert_eq!(scene.world(|world| world.operation(operation)).status, "Failed");
        let event = last_event(&scene, id).await;
        assert_eq!(event.kind, EventKind::ChangeRejected { change });
        assert_eq!(event.ruling, rejection(DecidedBy::Product, "not before the audit; ask …"));
        assert_eq!(event.before.as_ref(), Some(&event.subscription), "nothing has changed");
        scene.assert_agrees(id, &format!("{action:?}")).await;

        let told = CloudEvent::new(&event, "urn:fabrikam:shop").to_json();
        let told: Value = serde_json::from_str(&told).expect("JSON");
        assert_eq!(Schemas::read().complaints(&told), [""; 0]);
        assert_eq!(told["data"]["decision"]["by"], "product");
        assert_eq!(told["data"]["tracking"]["operationId"], operation.to_string());
    }
}

#[tokio::test]
async fn the_product_is_told_both_values_the_limits_and_the_plans_under_the_operations_id() {
    let (scene, decider) = asking(&[]).await;
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
        let (id, operation) = scene.about_to(&action).await;
        let asked_at = scene.world(|world| world.now());
        assert_eq!(scene.deliver_statuses().await, [200]);
        let (asked_as, question) = decider.questions().pop().expect("it was asked");
        assert_eq!(asked_as, operation.to_string());
        assert_eq!(question["type"], "saas-fulfillment.decision.v1");
        assert_eq!(question["operationId"], operation.to_string());
        assert_eq!(question["action"], action.as_str());
        assert_eq!((&question["change"], &question["limits"]), (&change, &limits));
        assert_eq!(question["subscription"]["id"], id.to_string());
        assert_eq!(question["subscription"]["planId"], "basic", "as recorded");
        let plans = question["plans"].as_array().expect("the offer's plans");
        let plans: Vec<_> = plans.iter().filter_map(|plan| plan["planId"].as_str()).collect();
        assert_eq!(plans, ["basic", "team"]);
        let deadline: jiff::Timestamp =
            question["deadline"].as_str().and_then(|at| at.parse().ok()).expect("a time");
        let left = deadline.duration_since(asked_at);
        assert!(left.is_positive() && left.as_secs() <= 3, "F-WHA-10: {left:?}");
    }
    assert_eq!(decider.complaints(), [""; 0]);
}

#[tokio::test]
async fn t_18_asking_costs_no_round_trip_at_microsoft_but_the_plans_beside_the_operation() {
    let (scene, _decider) = asking(&[]).await;
    scene.about_to(&Action::ChangePlan).await;
    scene.deliver().await;
    scene.about_to(&Action::ChangeQuantity).await;
    scene.world(|world| world.clear_calls());
    scene.deliver().await;
    let made = scene.world(|world| {
        let calls = world.calls().iter().map(|made| made.call);
        calls.filter(|call| *call != Call::Webhook).collect::<Vec<_>>()
    });
    assert_eq!(made.len(), 3, "{made:?}");
    assert!(made[..2].contains(&Call::GetOperation), "{made:?}");
    assert!(made[..2].contains(&Call::ListAvailablePlans), "{made:?}");
    assert_eq!(made[2], Call::UpdateOperation);
}

#[tokio::test]
async fn a_change_of_our_own_and_a_revert_are_nobodys_to_decide() {
    let (scene, decider) = asking(&[]).await;
    decider.says(Says::Reject("no".to_owned()));
    let id = scene.active(Purchase::per_seat("basic", 10)).await;
    assert_eq!(scene.change(id, &json!({ "quantity": 25 })).await.status, 202);
    scene.pass(1);
    assert_eq!(scene.deliver_statuses().await, [200], "F-WHA-15");
    let event = last_event(&scene, id).await;
    assert_eq!(event.ruling, Some(Ruling::accept(DecidedBy::Publisher)));
    assert_eq!(decider.questions().len(), 0);

    scene.world(|world| world.change_plan(id, "team")).expect("a change");
    assert_eq!(scene.deliver_statuses().await, [400]);
    scene.pass(300);
    scene.world(|world| world.revert(id)).expect("a change was refused");
    assert_eq!(scene.deliver_statuses().await, [200], "F-WHA-14");
    assert_eq!(decider.questions().len(), 1, "the change, and not what takes it back");
}

#[tokio::test]
async fn a_rule_that_forbids_is_final_and_one_that_allows_leaves_the_product_its_say() {
    let rules = r#"{"per-seat-1": {"plans": {"basic": {"to": ["team"], "maxSeats": 15}}}}"#;
    let (scene, decider) = asking(&[("CHANGE_RULES", rules), ("CHANGE_POLICY", "reject")]).await;
    let (id, _) = scene.about_to(&Action::ChangeQuantity).await;
    assert_eq!(scene.deliver_statuses().await, [400], "20 seats are too many");
    let event = last_event(&scene, id).await;
    let ruling = event.ruling.expect("a ruling");
    assert_eq!((ruling.by, ruling.verdict), (DecidedBy::Rules, Verdict::Reject));
    assert!(ruling.reason.is_some_and(|reason| reason.contains("15")));
    assert_eq!(decider.questions().len(), 0);

    decider.says(Says::Reject("no".to_owned()));
    let (id, _) = scene.about_to(&Action::ChangePlan).await;
    assert_eq!(scene.deliver_statuses().await, [400]);
    let event = last_event(&scene, id).await;
    assert_eq!(event.ruling, rejection(DecidedBy::Product, "no"));
}

#[tokio::test]
async fn rules_need_nobody_to_be_asked() {
    let rules = r#"{"per-seat-1": {"noDowngrades": ["basic", "team"]}}"#;
    let options = Options::default().with("CHANGE_RULES", rules).with("CHANGE_POLICY", "reject");
    let scene = Scene::with(options).await;
    let id = scene.active(Purchase::per_seat("basic", 10)).await;
    scene.world(|world| world.change_plan(id, "team")).expect("a change");
    assert_eq!(scene.deliver_statuses().await, [200], "an upgrade, whatever the policy");
    let event = last_event(&scene, id).await;
    assert_eq!(event.ruling, Some(Ruling::accept(DecidedBy::Rules)));

    scene.pass(300);
    scene.world(|world| world.change_plan(id, "basic")).expect("a change");
    assert_eq!(scene.deliver_statuses().await, [400], "a downgrade");
    scene.pass(300);
    scene.world(|world| world.change_quantity(id, 20)).expect("a change");
    assert_eq!(scene.deliver_statuses().await, [400], "no rule speaks about it");
    assert_eq!(
        last_event(&scene, id).await.ruling.map(|ruling| ruling.by),
        Some(DecidedBy::Policy)
    );
    assert_eq!(scene.calls(Call::ListAvailablePlans), 0, "nobody needs them");
}

#[tokio::test]
async fn t_19_a_second_delivery_is_answered_as_the_first_was_and_nobody_is_asked_again() {
    let (scene, decider) = asking(&[]).await;
    for (says, status, event) in
        [(Says::Accept, 200, "PlanChanged"), (Says::Reject("no".into()), 400, "ChangeRejected")]
    {
        let (id, operation) = scene.about_to(&Action::ChangePlan).await;
        decider.says(says);
        assert_eq!(scene.deliver_statuses().await, [status]);
        let asked = decider.questions().len();
        // It has changed its mind meanwhile, and isn't asked.
        decider.says(if status == 200 { Says::Reject("no".into()) } else { Says::Accept });
        for _ in 0..2 {
            let again = scene.signed(scene.body_of(operation).to_string()).await;
            assert_eq!(again.status, status, "F-WHD-5");
        }
        assert_eq!(decider.questions().len(), asked);
        assert_eq!(scene.count(id, event).await, 1);
        scene.assert_agrees(id, event).await;
    }
}

#[tokio::test]
async fn whoever_dies_before_the_acknowledgement_asks_again_under_the_same_id() {
    let decider = Decider::start(SenderClock::Emulated).await.expect("the product starts");
    let (switch, options) = Switch::new(asked_by(&decider, &[]));
    let scene = Scene::with(options).await;
    let (id, operation) = scene.about_to(&Action::ChangePlan).await;
    decider.says(Says::Accept);
    // Neither Microsoft nor the table hears of the decision.
    scene.fault(Call::UpdateOperation, FaultKind::DropBefore, Times::Always);
    switch.set(Failing::Commits);
    let first = scene.signed(scene.body_of(operation).to_string()).await;
    assert!(first.status.is_server_error(), "{first:?}");
    scene.world(|world| world.faults_mut().clear());
    switch.set(Failing::No);
    decider.says(Says::Reject("no".to_owned()));
    let second = scene.signed(scene.body_of(operation).to_string()).await;
    assert_eq!(second.status, 400, "what it says now counts");
    let ids: Vec<_> = decider.questions().into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, [operation.to_string(), operation.to_string()]);
    assert_eq!(scene.event_names(id).await, ["Purchased", "Activated", "ChangeRejected"]);
    scene.assert_agrees(id, "rejected").await;
}

#[tokio::test]
async fn a_rejection_that_only_the_answer_brings_is_told_with_its_reason_once_it_was_heard() {
    let (scene, decider) = asking(&[]).await;
    decider.says(Says::Reject("no".to_owned()));
    let (id, _) = scene.about_to(&Action::ChangeQuantity).await;
    scene.fault(
        Call::UpdateOperation,
        FaultKind::Status(500, emulator::ErrorForm::Nested),
        Times::Always,
    );
    assert_eq!(scene.deliver_statuses().await, [400], "the answer rejects as well (F-WHA-12)");
    scene.world(|world| world.faults_mut().clear());
    scene.pass(600);
    scene.stage.reconcile().await.expect("a run");
    let event = last_event(&scene, id).await;
    assert_eq!(event.ruling, rejection(DecidedBy::Product, "no"));
    scene.assert_agrees(id, "rejected").await;
}

#[tokio::test]
async fn a_change_that_microsoft_makes_in_spite_of_a_rejection_is_told_after_it() {
    // F-WHA-12
    let (scene, decider) = asking(&[]).await;
    decider.says(Says::Reject("no".to_owned()));
    scene.world(|world| world.settings_mut().behaviour.failure_is_ignored = true);
    let (id, operation) = scene.about_to(&Action::ChangePlan).await;
    // Not through the queue, whose 4xx would refuse the change.
    let answer = scene.signed(scene.body_of(operation).to_string()).await;
    assert_eq!(answer.status, 400);
    scene.world(|world| world.lose_deliveries());
    scene.pass(600);
    scene.stage.reconcile().await.expect("a run");
    let names = scene.event_names(id).await;
    assert_eq!(names[2..], ["ChangeRejected", "PlanChanged"]);
    assert_eq!(last_event(&scene, id).await.ruling, None, "nobody here decided so");
    scene.assert_agrees(id, "adopted").await;
}
