//! A technical fault is never a 4xx and loses no change (T-18, F-WHA-13).

use emulator::{Action, Call, ErrorForm, FaultKind, Purchase, Times};
use local::Options;
use serde_json::json;

use crate::failing_store::{Failing, Switch};
use crate::test_env::TestEnv;
use crate::webhook_calls::{ACTIONS, event_of};

pub(crate) const CHANGES: [Action; 2] = [Action::ChangePlan, Action::ChangeQuantity];

/// Every fault of a call to Microsoft.
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

/// One fault of each kind, for tests in which the whole list would take too long.
pub(crate) fn some_faults() -> [FaultKind; 6] {
    [
        FaultKind::Status(500, ErrorForm::Nested),
        FaultKind::Status(403, ErrorForm::BareString),
        FaultKind::RetryAfter(429, "3600".into()),
        FaultKind::DropBefore,
        FaultKind::Garbage("[]".into()),
        FaultKind::Garbage("{}".into()),
    ]
}

/// Asserts that the webhook answers 5xx while the fault lasts, and that the next delivery updates
/// the record.
async fn assert_recovers(env: &TestEnv, action: &Action, call: Call, fault: FaultKind) {
    let case = format!("{action:?}, {call:?}: {fault:?}");
    let (id, _) = env.about_to(action).await;
    let before = env.event_names(id).await;
    env.fault(call, fault, Times::Always);
    for status in env.deliver_statuses().await {
        assert!((500..600).contains(&status), "{case}: {status}");
    }
    assert_eq!(env.event_names(id).await, before, "{case}");
    env.world(|world| world.faults_mut().clear());
    assert_eq!(env.redeliver().await, [200], "{case}");
    assert_eq!(env.count(id, event_of(action)).await, 1, "{case}");
    env.assert_agrees(id, &case).await;
}

#[tokio::test]
async fn t_18_a_change_whose_operation_cannot_be_read_is_a_5xx_and_then_recovers() {
    let env = TestEnv::new().await;
    for fault in faults() {
        assert_recovers(&env, &Action::ChangePlan, Call::GetOperation, fault).await;
    }
    for fault in some_faults() {
        assert_recovers(&env, &Action::ChangeQuantity, Call::GetOperation, fault).await;
    }
}

#[tokio::test]
async fn t_18_a_notice_whose_subscription_cannot_be_read_is_a_5xx_and_then_recovers() {
    let env = TestEnv::new().await;
    for fault in faults() {
        assert_recovers(&env, &Action::Suspend, Call::GetSubscription, fault).await;
    }
    for action in [Action::Subscribe, Action::Renew, Action::Unsubscribe] {
        for fault in some_faults() {
            assert_recovers(&env, &action, Call::GetSubscription, fault).await;
        }
    }
}

#[tokio::test]
async fn t_18_a_reinstatement_that_cannot_be_confirmed_is_a_5xx_and_then_recovers() {
    let env = TestEnv::new().await;
    for fault in some_faults() {
        assert_recovers(&env, &Action::Reinstate, Call::GetOperation, fault.clone()).await;
        assert_recovers(&env, &Action::Reinstate, Call::GetSubscription, fault).await;
    }
}

#[tokio::test]
async fn t_18_with_microsoft_down_every_action_is_a_5xx_and_then_recovers() {
    let env = TestEnv::new().await;
    for action in ACTIONS {
        for fault in [FaultKind::DropBefore, FaultKind::Status(503, ErrorForm::Html)] {
            // Entra's keys stay cached here. T-16 covers missing keys.
            assert_recovers(&env, &action, Call::Any, fault).await;
        }
    }
}

#[tokio::test]
async fn t_18_without_an_access_token_every_action_is_a_5xx_and_then_recovers() {
    let refused = FaultKind::Status(401, ErrorForm::Object);
    for fault in [refused, FaultKind::Status(500, ErrorForm::Html), FaultKind::Garbage("{}".into())]
    {
        let env = TestEnv::new().await;
        for action in ACTIONS {
            let (id, _) = env.about_to(&action).await;
            // The cached token expires.
            env.pass(2 * 3600);
            env.fault(Call::Token, fault.clone(), Times::Always);
            for status in env.deliver_statuses().await {
                assert!((500..600).contains(&status), "{action:?}, {fault:?}: {status}");
            }
            env.world(|world| world.faults_mut().clear());
            assert_eq!(env.redeliver().await, [200], "{action:?}, {fault:?}");
            assert_eq!(env.count(id, event_of(&action)).await, 1, "{action:?}, {fault:?}");
            env.assert_agrees(id, &format!("{action:?}")).await;
        }
    }
}

#[tokio::test]
async fn t_18_a_fault_that_ends_by_the_second_attempt_goes_unnoticed() {
    let env = TestEnv::new().await;
    // Fetch the keys first.
    env.signed("{}").await;
    for action in ACTIONS {
        for fault in [
            FaultKind::DropBefore,
            FaultKind::LoseAnswer,
            FaultKind::Status(500, ErrorForm::Nested),
            FaultKind::Status(401, ErrorForm::Empty),
        ] {
            let (id, _) = env.about_to(&action).await;
            env.fault(Call::Any, fault.clone(), Times::Once);
            assert_eq!(env.deliver_statuses().await, [200], "{action:?}, {fault:?}");
            env.world(|world| world.faults_mut().clear());
            assert_eq!(env.count(id, event_of(&action)).await, 1, "{action:?}, {fault:?}");
        }
    }
}

#[tokio::test]
async fn t_18_a_table_that_fails_is_a_5xx_for_every_action_and_then_recovers() {
    for policy in ["accept", "reject"] {
        let (switch, options) = Switch::new(Options::default().with("CHANGE_POLICY", policy));
        let env = TestEnv::with(options).await;
        for action in ACTIONS {
            for failing in
                [Failing::Reads, Failing::Commits, Failing::AnswersToCommits, Failing::Conflicts]
            {
                let case = format!("{action:?}, {failing:?}, {policy}");
                let (id, operation) = env.about_to(&action).await;
                switch.set(failing);
                for status in env.deliver_statuses().await {
                    assert!((500..600).contains(&status), "{case}: {status}");
                }
                switch.set(Failing::No);
                let again = env.redeliver().await;
                let refused = env.world(|world| world.operation(operation)).status == "Failed";
                // The first delivery rejected the change but could not record it. The second one
                // does.
                assert_eq!(again, [if refused { 400 } else { 200 }], "{case}");
                for (event, expected) in
                    [(event_of(&action), !refused), ("ChangeRejected", refused)]
                {
                    let times = env.count(id, event).await;
                    assert_eq!(times, usize::from(expected), "{case}: {event}");
                }
                env.assert_agrees(id, &case).await;
            }
        }
    }
}

#[tokio::test]
async fn t_18_an_unreachable_table_is_a_5xx_for_every_action() {
    let mut env = TestEnv::new().await;
    // The reinstatement comes first, because its preparation makes deliveries.
    let prepared = [&ACTIONS[5..6], &ACTIONS[..5], &ACTIONS[6..]].concat();
    for action in &prepared {
        env.about_to(action).await;
    }
    env.system.stop_database();
    let statuses = env.deliver_statuses().await;
    assert_eq!(statuses.len(), ACTIONS.len());
    for status in statuses {
        assert!((500..600).contains(&status), "{status}");
    }
}

#[tokio::test]
async fn t_18_after_a_failed_acknowledgement_the_next_delivery_fixes_the_record() {
    let env = TestEnv::new().await;
    for action in [Action::ChangePlan, Action::ChangeQuantity, Action::Reinstate] {
        for fault in some_faults() {
            let case = format!("{action:?}: {fault:?}");
            let (id, _) = env.about_to(&action).await;
            env.fault(Call::UpdateOperation, fault, Times::Always);
            for status in env.deliver_statuses().await {
                // A 200 is right if the acknowledgement arrived, or if the reinstatement needs
                // none.
                assert!(status == 200 || (500..600).contains(&status), "{case}: {status}");
            }
            env.world(|world| world.faults_mut().clear());
            env.deliver_all().await;
            env.pass(60);
            assert_eq!(env.count(id, event_of(&action)).await, 1, "{case}");
            env.assert_agrees(id, &case).await;
        }
    }
}

#[tokio::test]
async fn t_18_an_acknowledgement_whose_answer_is_lost_still_counts() {
    // F-ERR-2, F-OPU-4: the retry gets a 409, and the operation shows the outcome.
    let env = TestEnv::new().await;
    for (action, times) in CHANGES.into_iter().zip([Times::Once, Times::Always]) {
        let (id, _) = env.about_to(&action).await;
        env.fault(Call::UpdateOperation, FaultKind::LoseAnswer, times);
        assert_eq!(env.deliver_statuses().await, [200], "{action:?}");
        env.world(|world| world.faults_mut().clear());
        assert_eq!(env.count(id, event_of(&action)).await, 1, "{action:?}");
        env.assert_agrees(id, &format!("{action:?}")).await;
    }
}

#[tokio::test]
async fn t_18_a_lost_answer_and_a_late_read_together_lose_no_change() {
    let env = TestEnv::new().await;
    let (id, _) = env.about_to(&Action::ChangePlan).await;
    // Let the reads of purchase and activation settle.
    env.world(|world| world.lose_deliveries());
    env.pass(600);
    env.world(|world| world.change_quantity(id, 20)).expect("a change");
    env.system.reconcile().await.expect("a run");
    env.world(|world| {
        world.settings_mut().behaviour.stale_reads = Some(std::time::Duration::from_secs(5));
    });
    env.fault(Call::UpdateOperation, FaultKind::LoseAnswer, Times::Once);
    env.deliver_statuses().await;
    env.deliver_all().await;
    assert_eq!(env.count(id, "QuantityChanged").await, 1);
    env.assert_agrees(id, "without a reconciliation").await;
}

#[tokio::test]
async fn t_18_the_reconciliation_applies_an_action_whose_deliveries_all_failed() {
    let env = TestEnv::new().await;
    // The deployment's first start. What is bought later is no customer from before.
    env.system.reconcile().await.expect("a run");
    for action in ACTIONS {
        let (id, _) = env.about_to(&action).await;
        env.fault(Call::Any, FaultKind::Status(500, ErrorForm::Empty), Times::Always);
        for status in env.deliver_statuses().await {
            assert!((500..600).contains(&status), "{action:?}: {status}");
        }
        env.world(|world| world.faults_mut().clear());
        env.pass(600);
        // Microsoft gives up.
        env.world(|world| world.lose_deliveries());
        env.system.reconcile().await.expect("a run");
        env.pass(600);
        env.system.reconcile().await.expect("a run");
        assert_eq!(env.count(id, event_of(&action)).await, 1, "{action:?}");
        env.assert_agrees(id, &format!("{action:?}")).await;
    }
}

/// Asserts that the webhook answers 5xx while this call hangs. Takes real time: up to the shipped
/// limits.
async fn assert_times_out(call: Call) {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::per_seat("basic", 10)).await;
    env.world(|world| world.change_quantity(id, 20)).expect("a change");
    env.fault(call, FaultKind::Hang, Times::Always);
    // Microsoft waits ten seconds.
    env.world(|world| {
        world.settings_mut().behaviour.webhook_timeout = std::time::Duration::from_secs(10);
    });
    let status = env.deliver_statuses().await[0];
    assert!((500..600).contains(&status), "{call:?}: {status}");
    env.world(|world| world.faults_mut().clear());
    assert_eq!(env.redeliver().await, [200], "{call:?}");
    assert_eq!(env.count(id, "QuantityChanged").await, 1, "{call:?}");
}

#[tokio::test]
async fn t_18_a_peer_that_never_answers_times_out_within_the_ten_seconds() {
    tokio::join!(
        assert_times_out(Call::Keys),
        assert_times_out(Call::Token),
        assert_times_out(Call::GetOperation),
        assert_times_out(Call::UpdateOperation)
    );
}

#[tokio::test]
async fn a_5xx_answer_reveals_nothing_about_the_fault() {
    let env = TestEnv::new().await;
    let (_, operation) = env.about_to(&Action::ChangePlan).await;
    let personal = FaultKind::Garbage(json!({ "message": "adele@contoso.example" }).to_string());
    env.fault(Call::GetOperation, personal, Times::Always);
    let answer = env.signed(env.body_of(operation).to_string()).await;
    assert!(answer.status.is_server_error());
    assert!(!answer.body.contains("contoso") && !answer.body.contains("peration"), "{answer:?}");
}
