//! A technical fault is never a 4xx, and never the end of a change (T-18, F-WHA-13).

use emulator::{Action, Call, ErrorForm, FaultKind, Purchase, Times};
use local::Options;
use serde_json::json;

use crate::failing_store::{Failing, Switch};
use crate::scene::Scene;
use crate::webhook_calls::{ACTIONS, event_of};

const CHANGES: [Action; 2] = [Action::ChangePlan, Action::ChangeQuantity];

/// What can go wrong with a question to Microsoft.
fn faults() -> Vec<FaultKind> {
    let mut faults: Vec<_> =
        ErrorForm::ALL.into_iter().map(|form| FaultKind::Status(500, form)).collect();
    faults.extend([
        FaultKind::Status(503, ErrorForm::Html),
        FaultKind::Status(429, ErrorForm::Object),
        FaultKind::Status(403, ErrorForm::BareString),
        FaultKind::Status(401, ErrorForm::Empty),
        FaultKind::Status(302, ErrorForm::Html),
        FaultKind::RetryAfter(429, "3600".into()),
        FaultKind::RetryAfter(503, "soon".into()),
        FaultKind::DropBefore,
        FaultKind::LoseAnswer,
    ]);
    let garbage = ["", "<html>busy</html>", "null", "[]", "{}", "\"ok\"", "{\"id\":", "7"];
    faults.extend(garbage.map(|body| FaultKind::Garbage(body.to_owned())));
    faults
}

/// One of each kind, where the whole list would only take time.
fn some_faults() -> [FaultKind; 6] {
    [
        FaultKind::Status(500, ErrorForm::Nested),
        FaultKind::Status(403, ErrorForm::BareString),
        FaultKind::RetryAfter(429, "3600".into()),
        FaultKind::DropBefore,
        FaultKind::Garbage("[]".into()),
        FaultKind::Garbage("{}".into()),
    ]
}

/// The call fails while the fault lasts, for a 5xx; the next delivery brings the record up to date.
async fn survives(scene: &Scene, action: &Action, call: Call, fault: FaultKind) {
    let case = format!("{action:?}, {call:?}: {fault:?}");
    let (id, _) = scene.about_to(action).await;
    let before = scene.event_names(id).await;
    scene.fault(call, fault, Times::Always);
    for status in scene.deliver_statuses().await {
        assert!((500..600).contains(&status), "{case}: {status}");
    }
    assert_eq!(scene.event_names(id).await, before, "{case}");
    scene.world(|world| world.faults_mut().clear());
    assert_eq!(scene.redeliver().await, [200], "{case}");
    assert_eq!(scene.count(id, event_of(action)).await, 1, "{case}");
    scene.assert_agrees(id, &case).await;
}

#[tokio::test]
async fn t_18_a_change_whose_operation_cant_be_read_is_a_5xx_and_is_made_up_for() {
    let scene = Scene::new().await;
    for fault in faults() {
        survives(&scene, &Action::ChangePlan, Call::GetOperation, fault).await;
    }
    for fault in some_faults() {
        survives(&scene, &Action::ChangeQuantity, Call::GetOperation, fault).await;
    }
}

#[tokio::test]
async fn t_18_a_notice_whose_subscription_cant_be_read_is_a_5xx_and_is_made_up_for() {
    let scene = Scene::new().await;
    for fault in faults() {
        survives(&scene, &Action::Suspend, Call::GetSubscription, fault).await;
    }
    for action in [Action::Subscribe, Action::Renew, Action::Unsubscribe] {
        for fault in some_faults() {
            survives(&scene, &action, Call::GetSubscription, fault).await;
        }
    }
}

#[tokio::test]
async fn t_18_a_reinstatement_that_cant_be_confirmed_is_a_5xx_and_is_made_up_for() {
    let scene = Scene::new().await;
    for fault in some_faults() {
        survives(&scene, &Action::Reinstate, Call::GetOperation, fault.clone()).await;
        survives(&scene, &Action::Reinstate, Call::GetSubscription, fault).await;
    }
}

#[tokio::test]
async fn t_18_with_microsoft_down_altogether_every_action_is_a_5xx_and_is_made_up_for() {
    let scene = Scene::new().await;
    for action in ACTIONS {
        for fault in [FaultKind::DropBefore, FaultKind::Status(503, ErrorForm::Html)] {
            // The keys of Microsoft's token are held a day; that they are missing is T-16's.
            survives(&scene, &action, Call::Any, fault).await;
        }
    }
}

#[tokio::test]
async fn t_18_without_an_access_token_every_action_is_a_5xx_and_is_made_up_for() {
    let refused = FaultKind::Status(401, ErrorForm::Object);
    for fault in [refused, FaultKind::Status(500, ErrorForm::Html), FaultKind::Garbage("{}".into())]
    {
        let scene = Scene::new().await;
        for action in ACTIONS {
            let (id, _) = scene.about_to(&action).await;
            // The token held so far expires.
            scene.pass(2 * 3600);
            scene.fault(Call::Token, fault.clone(), Times::Always);
            for status in scene.deliver_statuses().await {
                assert!((500..600).contains(&status), "{action:?}, {fault:?}: {status}");
            }
            scene.world(|world| world.faults_mut().clear());
            assert_eq!(scene.redeliver().await, [200], "{action:?}, {fault:?}");
            assert_eq!(scene.count(id, event_of(&action)).await, 1, "{action:?}, {fault:?}");
            scene.assert_agrees(id, &format!("{action:?}")).await;
        }
    }
}

#[tokio::test]
async fn t_18_a_fault_that_is_over_at_the_second_try_goes_unnoticed() {
    let scene = Scene::new().await;
    // The keys are there.
    scene.signed("{}").await;
    for action in ACTIONS {
        for fault in [
            FaultKind::DropBefore,
            FaultKind::LoseAnswer,
            FaultKind::Status(500, ErrorForm::Nested),
            FaultKind::Status(401, ErrorForm::Empty),
        ] {
            let (id, _) = scene.about_to(&action).await;
            scene.fault(Call::Any, fault.clone(), Times::Once);
            assert_eq!(scene.deliver_statuses().await, [200], "{action:?}, {fault:?}");
            scene.world(|world| world.faults_mut().clear());
            assert_eq!(scene.count(id, event_of(&action)).await, 1, "{action:?}, {fault:?}");
        }
    }
}

#[tokio::test]
async fn t_18_a_table_that_fails_is_a_5xx_for_every_action_and_is_made_up_for() {
    for policy in ["accept", "reject"] {
        let (switch, options) = Switch::new(Options::default().with("CHANGE_POLICY", policy));
        let scene = Scene::with(options).await;
        for action in ACTIONS {
            for failing in
                [Failing::Reads, Failing::Commits, Failing::AnswersToCommits, Failing::Conflicts]
            {
                let case = format!("{action:?}, {failing:?}, {policy}");
                let (id, operation) = scene.about_to(&action).await;
                switch.set(failing);
                for status in scene.deliver_statuses().await {
                    assert!((500..600).contains(&status), "{case}: {status}");
                }
                switch.set(Failing::No);
                let again = scene.redeliver().await;
                let refused = scene.world(|world| world.operation(operation)).status == "Failed";
                // A rejection stands as the first delivery made it, who could not record it.
                assert_eq!(again, [if refused { 400 } else { 200 }], "{case}");
                for (event, expected) in
                    [(event_of(&action), !refused), ("ChangeRejected", refused)]
                {
                    let times = scene.count(id, event).await;
                    assert_eq!(times, usize::from(expected), "{case}: {event}");
                }
                scene.assert_agrees(id, &case).await;
            }
        }
    }
}

#[tokio::test]
async fn t_18_a_table_that_is_gone_is_a_5xx_for_every_action() {
    let mut scene = Scene::new().await;
    // The reinstatement first: what leads up to it is delivered.
    let prepared = [&ACTIONS[5..6], &ACTIONS[..5], &ACTIONS[6..]].concat();
    for action in &prepared {
        scene.about_to(action).await;
    }
    scene.stage.stop_database();
    let statuses = scene.deliver_statuses().await;
    assert_eq!(statuses.len(), ACTIONS.len());
    for status in statuses {
        assert!((500..600).contains(&status), "{status}");
    }
}

#[tokio::test]
async fn t_18_a_policy_of_rejecting_is_not_applied_to_what_could_not_be_looked_at() {
    let scene = Scene::with(Options::default().with("CHANGE_POLICY", "reject")).await;
    for action in CHANGES {
        for fault in some_faults() {
            let case = format!("{action:?}: {fault:?}");
            let (id, _) = scene.about_to(&action).await;
            scene.fault(Call::GetOperation, fault, Times::Always);
            for status in scene.deliver_statuses().await {
                assert!((500..600).contains(&status), "{case}: {status}");
            }
            scene.world(|world| world.faults_mut().clear());
            // The ten seconds are over: Microsoft accepted by itself, and Microsoft is right (F-LC-1).
            assert_eq!(scene.redeliver().await, [200], "{case}");
            scene.assert_agrees(id, &case).await;
        }
    }
}

#[tokio::test]
async fn t_18_an_acknowledgement_that_fails_leads_to_the_right_record_by_the_next_delivery() {
    let scene = Scene::new().await;
    for action in [Action::ChangePlan, Action::ChangeQuantity, Action::Reinstate] {
        for fault in some_faults() {
            let case = format!("{action:?}: {fault:?}");
            let (id, _) = scene.about_to(&action).await;
            scene.fault(Call::UpdateOperation, fault, Times::Always);
            for status in scene.deliver_statuses().await {
                // It may have arrived, and the operation says so; or the reinstatement needs none.
                assert!(status == 200 || (500..600).contains(&status), "{case}: {status}");
            }
            scene.world(|world| world.faults_mut().clear());
            scene.deliver_all().await;
            scene.pass(60);
            assert_eq!(scene.count(id, event_of(&action)).await, 1, "{case}");
            scene.assert_agrees(id, &case).await;
        }
    }
}

#[tokio::test]
async fn t_18_an_acknowledgement_whose_answer_is_lost_is_found_to_have_arrived() {
    // F-ERR-2, F-OPU-4: sent again it meets a 409, and the operation tells.
    let scene = Scene::new().await;
    for (action, times) in CHANGES.into_iter().zip([Times::Once, Times::Always]) {
        let (id, _) = scene.about_to(&action).await;
        scene.fault(Call::UpdateOperation, FaultKind::LoseAnswer, times);
        assert_eq!(scene.deliver_statuses().await, [200], "{action:?}");
        scene.world(|world| world.faults_mut().clear());
        assert_eq!(scene.count(id, event_of(&action)).await, 1, "{action:?}");
        scene.assert_agrees(id, &format!("{action:?}")).await;
    }
}

#[tokio::test]
async fn t_18_a_lost_answer_and_a_late_read_together_lose_no_change() {
    let scene = Scene::new().await;
    let (id, _) = scene.about_to(&Action::ChangePlan).await;
    // Beyond the purchase and the activation, which are a moment old.
    scene.world(|world| world.lose_deliveries());
    scene.pass(600);
    scene.world(|world| world.change_quantity(id, 20)).expect("a change");
    scene.stage.reconcile().await.expect("a run");
    scene.world(|world| {
        world.settings_mut().behaviour.stale_reads = Some(std::time::Duration::from_secs(5));
    });
    scene.fault(Call::UpdateOperation, FaultKind::LoseAnswer, Times::Once);
    scene.deliver_statuses().await;
    scene.deliver_all().await;
    assert_eq!(scene.count(id, "QuantityChanged").await, 1);
    scene.assert_agrees(id, "without a reconciliation").await;
}

#[tokio::test]
async fn t_18_a_rejection_whose_patch_fails_is_made_by_the_answer_alone_and_told_once_it_was_heard()
{
    // F-WHA-12: either of the two refuses.
    let scene = Scene::with(Options::default().with("CHANGE_POLICY", "reject")).await;
    for fault in [FaultKind::DropBefore, FaultKind::Status(500, ErrorForm::Nested)] {
        let (id, operation) = scene.about_to(&Action::ChangePlan).await;
        scene.fault(Call::UpdateOperation, fault, Times::Always);
        assert_eq!(scene.deliver_statuses().await, [400]);
        scene.world(|world| world.faults_mut().clear());
        assert_eq!(scene.world(|world| world.operation(operation)).status, "Failed");
        assert_eq!(scene.count(id, "ChangeRejected").await, 0, "nobody knows yet");
        for _ in 0..2 {
            scene.pass(120);
            scene.stage.reconcile().await.expect("a run");
            assert_eq!(scene.count(id, "ChangeRejected").await, 1);
        }
        assert_eq!(scene.record(id).await.expect("a record").pending_operation, None);
        scene.assert_agrees(id, "rejected").await;
    }
}

#[tokio::test]
async fn t_18_a_rejection_whose_acknowledgement_goes_unanswered_is_told_and_answered_as_one() {
    // F-ERR-2, F-OPU-4: Microsoft has it; sent again it meets a 409, and the operation has failed.
    let scene = Scene::with(Options::default().with("CHANGE_POLICY", "reject")).await;
    for action in CHANGES {
        for times in [Times::Once, Times::Always] {
            let (id, operation) = scene.about_to(&action).await;
            scene.fault(Call::UpdateOperation, FaultKind::LoseAnswer, times);
            let body = scene.body_of(operation).to_string();
            assert_eq!(scene.deliver_statuses().await, [400], "{action:?}");
            scene.world(|world| world.faults_mut().clear());
            assert_eq!(scene.world(|world| world.operation(operation)).status, "Failed");
            assert_eq!(scene.signed(body).await.status, 400, "{action:?}, again");
            scene.pass(120);
            scene.stage.reconcile().await.expect("a run");
            assert_eq!(scene.count(id, "ChangeRejected").await, 1, "{action:?}");
            scene.assert_agrees(id, "rejected").await;
        }
    }
}

#[tokio::test]
async fn t_18_a_rejection_that_nobody_heard_is_never_told() {
    // F-WHA-10: Microsoft, which heard nothing, accepts.
    let scene = Scene::with(Options::default().with("CHANGE_POLICY", "reject")).await;
    for action in CHANGES {
        let (id, operation) = scene.about_to(&action).await;
        scene.fault(Call::UpdateOperation, FaultKind::DropBefore, Times::Always);
        let body = scene.body_of(operation).to_string();
        assert_eq!(scene.signed(body.clone()).await.status, 400, "on its way, and lost there");
        scene.world(|world| world.lose_deliveries());
        let pending = scene.record(id).await.expect("a record").pending_operation;
        assert_eq!(pending.expect("a wait").id.0, operation);
        scene.world(|world| world.faults_mut().clear());
        scene.pass(15);
        assert_eq!(scene.world(|world| world.operation(operation)).status, "Succeeded");
        assert_eq!(scene.signed(body).await.status, 200);
        assert_eq!(scene.count(id, "ChangeRejected").await, 0, "{action:?}");
        assert_eq!(scene.count(id, event_of(&action)).await, 1, "{action:?}");
        scene.assert_agrees(id, "accepted").await;
    }
}

#[tokio::test]
async fn t_18_a_rejection_that_comes_too_late_for_the_ten_seconds_is_a_5xx() {
    // F-WHA-10, F-WHA-13: the change may be in force by then.
    let mut settings = emulator::Settings::default();
    settings.behaviour.acknowledgement_window = std::time::Duration::from_secs(600);
    let options = Options::default().with("CHANGE_POLICY", "reject");
    let scene = Scene::with(Options { emulator: settings, ..options }).await;
    let (id, operation) = scene.about_to(&Action::ChangePlan).await;
    let body = scene.body_of(operation).to_string();
    scene.fault(Call::UpdateOperation, FaultKind::DropBefore, Times::Always);
    scene.pass(10);
    assert!(scene.signed(body.clone()).await.status.is_server_error());
    assert_eq!(scene.count(id, "ChangeRejected").await, 0);
    // Asked again, the answer is the same, and this time it is heard.
    scene.world(|world| world.faults_mut().clear());
    assert_eq!(scene.signed(body).await.status, 400);
    assert_eq!(scene.world(|world| world.operation(operation)).status, "Failed");
    assert_eq!(scene.count(id, "ChangeRejected").await, 1);
    assert_eq!(scene.record(id).await.expect("a record").pending_operation, None);
}

#[tokio::test]
async fn t_18_what_no_delivery_brings_the_reconciliation_does() {
    let scene = Scene::new().await;
    for action in ACTIONS {
        let (id, _) = scene.about_to(&action).await;
        scene.fault(Call::Any, FaultKind::Status(500, ErrorForm::Empty), Times::Always);
        for status in scene.deliver_statuses().await {
            assert!((500..600).contains(&status), "{action:?}: {status}");
        }
        scene.world(|world| world.faults_mut().clear());
        scene.pass(600);
        // Microsoft gives up.
        scene.world(|world| world.lose_deliveries());
        scene.stage.reconcile().await.expect("a run");
        scene.pass(600);
        scene.stage.reconcile().await.expect("a run");
        assert_eq!(scene.count(id, event_of(&action)).await, 1, "{action:?}");
        scene.assert_agrees(id, &format!("{action:?}")).await;
    }
}

/// Every call takes as long as the shipped limits allow. Real time passes: these are few.
async fn hangs(call: Call) {
    let scene = Scene::new().await;
    let id = scene.active(Purchase::per_seat("basic", 10)).await;
    scene.world(|world| world.change_quantity(id, 20)).expect("a change");
    scene.fault(call, FaultKind::Hang, Times::Always);
    // Microsoft itself waits no longer than its ten seconds.
    scene.world(|world| {
        world.settings_mut().behaviour.webhook_timeout = std::time::Duration::from_secs(10);
    });
    let status = scene.deliver_statuses().await[0];
    assert!((500..600).contains(&status), "{call:?}: {status}");
    scene.world(|world| world.faults_mut().clear());
    assert_eq!(scene.redeliver().await, [200], "{call:?}");
    assert_eq!(scene.count(id, "QuantityChanged").await, 1, "{call:?}");
}

#[tokio::test]
async fn t_18_a_peer_that_never_answers_is_given_up_inside_the_ten_seconds() {
    tokio::join!(
        hangs(Call::Keys),
        hangs(Call::Token),
        hangs(Call::GetOperation),
        hangs(Call::UpdateOperation)
    );
}

#[tokio::test]
async fn a_faults_answer_tells_the_caller_nothing_about_it() {
    let scene = Scene::new().await;
    let (_, operation) = scene.about_to(&Action::ChangePlan).await;
    let told = FaultKind::Garbage(json!({ "message": "adele@contoso.example" }).to_string());
    scene.fault(Call::GetOperation, told, Times::Always);
    let answer = scene.signed(scene.body_of(operation).to_string()).await;
    assert!(answer.status.is_server_error());
    assert!(!answer.body.contains("contoso") && !answer.body.contains("peration"), "{answer:?}");
}
