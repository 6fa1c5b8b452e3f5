//! Rejections during a fault: they are recorded if and only if Microsoft received them (T-18,
//! F-WHA-12).

use std::time::Duration;

use emulator::{Action, Call, ErrorForm, FaultKind, Times};
use local::Options;
use shared::store::OperationOutcome;

use crate::failing_store::{Failing, Switch};
use crate::test_env::TestEnv;
use crate::webhook_calls::event_of;
use crate::webhook_faults::{CHANGES, some_faults};

#[tokio::test]
async fn t_18_a_rejecting_policy_does_not_apply_to_an_unconfirmed_change() {
    let env = TestEnv::with(Options::default().with("CHANGE_POLICY", "reject")).await;
    for action in CHANGES {
        for fault in some_faults() {
            let case = format!("{action:?}: {fault:?}");
            let (id, _) = env.about_to(&action).await;
            env.fault(Call::GetOperation, fault, Times::Always);
            for status in env.deliver_statuses().await {
                assert!((500..600).contains(&status), "{case}: {status}");
            }
            env.world(|world| world.faults_mut().clear());
            // Microsoft accepted the change after ten seconds, and its state counts (F-LC-1).
            assert_eq!(env.redeliver().await, [200], "{case}");
            env.assert_agrees(id, &case).await;
        }
    }
}

#[tokio::test]
async fn t_18_a_change_is_rejected_although_the_first_reads_of_its_operation_fail() {
    // F-ERR-4: within Microsoft's ten seconds, on the clock that both sides share.
    let env = TestEnv::with(Options::default().with("CHANGE_POLICY", "reject")).await;
    let twice = Times::N(2);
    for action in CHANGES {
        for (fault, times) in [
            (FaultKind::RetryAfter(429, "1".into()), Times::Once),
            (FaultKind::RetryAfter(503, "1".into()), Times::Once),
            (FaultKind::Status(500, ErrorForm::Nested), twice),
            (FaultKind::DropBefore, twice),
        ] {
            let case = format!("{action:?}: {fault:?}");
            let (id, operation) = env.about_to(&action).await;
            let begun = env.world(|world| world.now());
            env.fault(Call::GetOperation, fault, times);
            assert_eq!(env.deliver_statuses().await, [400], "{case}");
            let took = env.world(|world| world.now()).duration_since(begun);
            assert!(took.as_secs() < 10, "{case}: {took}");
            assert_eq!(env.world(|world| world.operation(operation)).status, "Failed", "{case}");
            assert_eq!(env.count(id, "ChangeRejected").await, 1, "{case}");
            env.assert_agrees(id, &case).await;
        }
    }
}

#[tokio::test]
async fn t_18_in_an_outage_a_call_is_attempted_once_until_one_succeeds() {
    let env = TestEnv::new().await;
    let (_, operation) = env.about_to(&Action::ChangePlan).await;
    let body = env.body_of(operation).to_string();
    let down = FaultKind::Status(503, ErrorForm::Html);
    env.fault(Call::GetOperation, down, Times::Always);
    let mut attempts = Vec::new();
    for _ in 0..4 {
        let before = env.calls(Call::GetOperation);
        assert_eq!(env.signed(body.clone()).await.status, 503);
        attempts.push(env.calls(Call::GetOperation) - before);
    }
    assert!(attempts[0] > 1, "{attempts:?}");
    assert_eq!(attempts[3], 1, "{attempts:?}");
    env.world(|world| world.faults_mut().clear());
    assert_eq!(env.signed(body.clone()).await.status, 200);
    let (_, operation) = env.about_to(&Action::ChangePlan).await;
    env.fault(Call::GetOperation, FaultKind::Status(503, ErrorForm::Html), Times::N(2));
    let body = env.body_of(operation).to_string();
    assert_eq!(env.signed(body).await.status, 200, "it is over, so a call is attempted again");
}

#[tokio::test]
async fn t_18_a_repeated_call_follows_a_change_that_microsoft_made_in_spite_of_the_rejection() {
    // F-WHA-12: Microsoft ignores the `Failure`, and our 400 gets lost.
    let env = TestEnv::with(Options::default().with("CHANGE_POLICY", "reject")).await;
    env.world(|world| world.settings_mut().behaviour.failure_is_ignored = true);
    for action in CHANGES {
        let (id, operation) = env.about_to(&action).await;
        let body = env.body_of(operation).to_string();
        assert_eq!(env.signed(body.clone()).await.status, 400, "{action:?}");
        env.world(|world| world.lose_deliveries());
        assert_eq!(env.signed(body.clone()).await.status, 400, "{action:?}: within ten seconds");
        env.advance(Duration::from_secs(10));
        assert_eq!(env.world(|world| world.operation(operation)).status, "Succeeded");
        assert_eq!(env.signed(body.clone()).await.status, 200, "{action:?}");
        env.assert_agrees(id, &format!("{action:?}")).await;
        let changed = event_of(&action);
        assert_eq!(env.count(id, "ChangeRejected").await, 1, "{action:?}");
        assert_eq!(env.count(id, changed).await, 1, "{action:?}");
        assert_eq!(env.signed(body).await.status, 200, "{action:?}: once more");
        assert_eq!(env.count(id, changed).await, 1, "{action:?}: once more");
    }
}

#[tokio::test]
async fn t_18_a_rejection_whose_patch_fails_is_recorded_once_microsoft_confirms_it() {
    // F-WHA-12: the PATCH or the 4xx is enough to reject.
    let env = TestEnv::with(Options::default().with("CHANGE_POLICY", "reject")).await;
    for fault in [FaultKind::DropBefore, FaultKind::Status(500, ErrorForm::Nested)] {
        let (id, operation) = env.about_to(&Action::ChangePlan).await;
        env.fault(Call::UpdateOperation, fault, Times::Always);
        assert_eq!(env.deliver_statuses().await, [400]);
        env.world(|world| world.faults_mut().clear());
        assert_eq!(env.world(|world| world.operation(operation)).status, "Failed");
        assert_eq!(env.count(id, "ChangeRejected").await, 0, "not confirmed yet");
        for _ in 0..2 {
            env.pass(120);
            env.system.reconcile().await.expect("a run");
            assert_eq!(env.count(id, "ChangeRejected").await, 1);
        }
        assert_eq!(env.record(id).await.expect("a record").pending_operation, None);
        env.assert_agrees(id, "rejected").await;
    }
}

#[tokio::test]
async fn t_18_a_rejection_whose_patch_goes_unanswered_is_recorded_once() {
    // F-ERR-2, F-OPU-4: the rejection arrived. The retry gets a 409, and the operation has failed.
    let env = TestEnv::with(Options::default().with("CHANGE_POLICY", "reject")).await;
    for action in CHANGES {
        for times in [Times::Once, Times::Always] {
            let (id, operation) = env.about_to(&action).await;
            env.fault(Call::UpdateOperation, FaultKind::LoseAnswer, times);
            let body = env.body_of(operation).to_string();
            assert_eq!(env.deliver_statuses().await, [400], "{action:?}");
            env.world(|world| world.faults_mut().clear());
            assert_eq!(env.world(|world| world.operation(operation)).status, "Failed");
            assert_eq!(env.signed(body).await.status, 400, "{action:?}, again");
            env.pass(120);
            env.system.reconcile().await.expect("a run");
            assert_eq!(env.count(id, "ChangeRejected").await, 1, "{action:?}");
            env.assert_agrees(id, "rejected").await;
        }
    }
}

#[tokio::test]
async fn t_18_a_rejection_that_never_reached_microsoft_is_not_recorded() {
    // F-WHA-10: Microsoft got no answer, so it accepts.
    let env = TestEnv::with(Options::default().with("CHANGE_POLICY", "reject")).await;
    for action in CHANGES {
        let (id, operation) = env.about_to(&action).await;
        env.fault(Call::UpdateOperation, FaultKind::DropBefore, Times::Always);
        let body = env.body_of(operation).to_string();
        assert_eq!(env.signed(body.clone()).await.status, 400, "the answer is lost");
        env.world(|world| world.lose_deliveries());
        let pending = env.record(id).await.expect("a record").pending_operation;
        assert_eq!(pending.expect("a pending operation").id, operation.into());
        env.world(|world| world.faults_mut().clear());
        env.pass(15);
        assert_eq!(env.world(|world| world.operation(operation)).status, "Succeeded");
        assert_eq!(env.signed(body).await.status, 200);
        assert_eq!(env.count(id, "ChangeRejected").await, 0, "{action:?}");
        assert_eq!(env.count(id, event_of(&action)).await, 1, "{action:?}");
        env.assert_agrees(id, "accepted").await;
    }
}

#[tokio::test]
async fn t_18_a_rejection_after_the_ten_seconds_is_a_5xx() {
    // F-WHA-10, F-WHA-13: after ten seconds the change may be in force.
    let mut settings = emulator::Settings::default();
    settings.behaviour.acknowledgement_window = Duration::from_secs(600);
    let options = Options::default().with("CHANGE_POLICY", "reject");
    let env = TestEnv::with(Options { emulator: settings, ..options }).await;
    let (id, operation) = env.about_to(&Action::ChangePlan).await;
    let body = env.body_of(operation).to_string();
    env.fault(Call::UpdateOperation, FaultKind::DropBefore, Times::Always);
    env.pass(10);
    assert!(env.signed(body.clone()).await.status.is_server_error());
    assert_eq!(env.count(id, "ChangeRejected").await, 0);
    // The next delivery repeats the rejection, and this time it arrives.
    env.world(|world| world.faults_mut().clear());
    assert_eq!(env.signed(body).await.status, 400);
    assert_eq!(env.world(|world| world.operation(operation)).status, "Failed");
    assert_eq!(env.count(id, "ChangeRejected").await, 1);
    assert_eq!(env.record(id).await.expect("a record").pending_operation, None);
}

#[tokio::test]
async fn f_whd_5_a_rejection_that_another_delivery_overtook_is_answered_as_the_operation_is_marked()
{
    let (switch, options) = Switch::new(Options::default().with("CHANGE_POLICY", "reject"));
    let env = TestEnv::with(options).await;
    for action in CHANGES {
        for (outcome, answer) in [
            (OperationOutcome::Accepted, 200),
            (OperationOutcome::Followed, 400),
            (OperationOutcome::Rejected, 400),
        ] {
            env.about_to(&action).await;
            switch.set(Failing::MarkedBefore(outcome));
            assert_eq!(env.deliver_statuses().await, [answer], "{action:?}, {outcome:?}");
        }
    }
}
