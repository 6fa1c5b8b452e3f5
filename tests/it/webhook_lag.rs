//! Genuine calls that are ahead of Microsoft's own reads (F-OPG-5, F-GET-4): T-17 to T-20.

use std::time::Duration;

use emulator::{Action, Call, ErrorForm, FaultKind, Purchase, Times};
use local::Options;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::test_env::TestEnv;
use crate::webhook_calls::{ACTIONS, event_of};
use crate::webhook_faults::CHANGES;

/// Within one call, the webhook reads again for three seconds and more.
const A_MOMENT: Duration = Duration::from_secs(2);

/// Longer than a call of the webhook takes.
const LONG: Duration = Duration::from_secs(30);

const DAY: u64 = 24 * 60 * 60;

/// A call of this action is due, and Microsoft's reads lag from now on.
async fn about_to(env: &TestEnv, action: &Action, lag: Duration) -> (Uuid, Uuid) {
    env.world(|world| world.settings_mut().behaviour.stale_reads = None);
    let (id, operation) = match action {
        Action::Renew | Action::Suspend | Action::Unsubscribe => {
            let id = env.active(Purchase::per_seat("basic", 10)).await;
            // The first term is over. So are suspensions of former cases.
            env.pass(32 * DAY);
            env.world(|world| world.lose_deliveries());
            let operation = env.world(|world| match action {
                Action::Renew => world.renew(id),
                Action::Suspend => world.suspend(id),
                _ => world.unsubscribe(id),
            });
            (id, operation.expect("the state permits it"))
        }
        _ => env.about_to(action).await,
    };
    env.world(|world| world.settings_mut().behaviour.stale_reads = Some(lag));
    (id, operation)
}

#[tokio::test]
async fn t_18_a_change_is_rejected_although_its_operation_is_not_found_at_first() {
    // F-OPG-3: with 404 or with 400.
    let env = TestEnv::with(Options::default().with("CHANGE_POLICY", "reject")).await;
    for not_found_is_400 in [false, true] {
        env.world(|world| {
            world.settings_mut().behaviour.operation_delay = A_MOMENT;
            world.settings_mut().behaviour.not_found_is_400 = not_found_is_400;
        });
        for action in CHANGES {
            let case = format!("{action:?}, {not_found_is_400}");
            let (id, operation) = env.about_to(&action).await;
            let begun = env.world(|world| world.now());
            assert_eq!(env.deliver_statuses().await, [400], "{case}");
            let took = env.world(|world| world.now()).duration_since(begun);
            assert!(took.as_secs() < 10, "{case}: {took}");
            assert_eq!(env.world(|world| world.operation(operation)).status, "Failed", "{case}");
            assert_eq!(env.count(id, "ChangeRejected").await, 1, "{case}");
        }
    }
}

#[tokio::test]
async fn t_18_a_young_change_whose_operation_stays_unknown_is_a_5xx_and_then_recovers() {
    for status in [404, 400] {
        let env = TestEnv::new().await;
        for action in CHANGES {
            let case = format!("{action:?}, {status}");
            let (id, _) = env.about_to(&action).await;
            env.world(|world| world.clear_calls());
            let unknown = FaultKind::Status(status, ErrorForm::Object);
            env.fault(Call::GetOperation, unknown, Times::Always);
            for answer in env.deliver_statuses().await {
                assert!((500..600).contains(&answer), "{case}: {answer}");
            }
            assert_eq!(env.acknowledgements(), [] as [Value; 0], "{case}");
            assert_eq!(env.count(id, event_of(&action)).await, 0, "{case}");
            env.world(|world| world.faults_mut().clear());
            assert_eq!(env.redeliver().await, [200], "{case}");
            assert_eq!(env.count(id, event_of(&action)).await, 1, "{case}");
            env.assert_agrees(id, &case).await;
        }
    }
}

#[tokio::test]
async fn t_20_an_unknown_operation_is_a_5xx_for_fifteen_minutes_and_then_a_200() {
    let env = TestEnv::new().await;
    for action in ACTIONS {
        let (id, operation) = about_to(&env, &action, LONG).await;
        env.fault(Call::GetOperation, FaultKind::Status(404, ErrorForm::Object), Times::Always);
        let mut body = env.body_of(operation);
        let call = async |body: &Value| env.signed(body.to_string()).await.status.as_u16();
        let before = env.event_names(id).await;
        assert!(call(&body).await >= 500, "{action:?}");
        // The read stays late, and the call names a time that is long past, or none.
        let past = env.world(|world| world.now()) - jiff::SignedDuration::from_mins(15);
        for time_stamp in [json!(past), Value::Null] {
            body["timeStamp"] = time_stamp.clone();
            env.world(|world| world.settings_mut().behaviour.stale_reads = Some(LONG * 60));
            assert_eq!(call(&body).await, 200, "{action:?}, {time_stamp}");
        }
        assert_eq!(env.event_names(id).await, before, "{action:?}");
        env.world(|world| {
            world.faults_mut().clear();
            world.lose_deliveries();
        });
    }
}

#[tokio::test]
async fn t_17_a_notice_whose_read_lags_by_a_moment_takes_effect_at_once() {
    for keeps_changes_only in [false, true] {
        let env = TestEnv::new().await;
        env.world(|world| world.settings_mut().behaviour.keeps_changes_only = keeps_changes_only);
        for action in NOTICES {
            let case = format!("{action:?}, {keeps_changes_only}");
            let (id, _) = about_to(&env, &action, A_MOMENT).await;
            assert_eq!(env.deliver_statuses().await, [200], "{case}");
            assert_eq!(env.count(id, event_of(&action)).await, 1, "{case}");
            env.assert_agrees(id, &case).await;
        }
    }
}

/// `Subscribe` first shows as a 404: the purchase is too young to be read.
const NOTICES: [Action; 4] =
    [Action::Subscribe, Action::Renew, Action::Suspend, Action::Unsubscribe];

#[tokio::test]
async fn t_17_a_notice_ahead_of_microsofts_copy_is_a_5xx_until_the_copy_catches_up() {
    for keeps_changes_only in [false, true] {
        let env = TestEnv::new().await;
        env.world(|world| world.settings_mut().behaviour.keeps_changes_only = keeps_changes_only);
        for action in NOTICES {
            let case = format!("{action:?}, {keeps_changes_only}");
            let (id, _) = about_to(&env, &action, LONG).await;
            for answer in env.deliver_statuses().await {
                assert!((500..600).contains(&answer), "{case}: {answer}");
            }
            assert_eq!(env.redeliver().await, [200], "{case}");
            assert_eq!(env.count(id, event_of(&action)).await, 1, "{case}");
            env.assert_agrees(id, &case).await;
        }
    }
}

#[tokio::test]
async fn t_19_a_change_that_settled_late_is_not_followed_by_a_late_read() {
    // Microsoft reached us ten minutes after the request, and accepted the change on its own.
    let env = TestEnv::new().await;
    for action in CHANGES {
        let (id, operation) = env.about_to(&action).await;
        let body = env.body_of(operation).to_string();
        env.pass(600);
        env.fault(Call::GetOperation, FaultKind::Status(403, ErrorForm::Empty), Times::Always);
        assert!(env.deliver_statuses().await[0] >= 500, "{action:?}");
        env.world(|world| world.faults_mut().clear());
        env.pass(12);
        assert_eq!(env.world(|world| world.operation(operation)).status, "Succeeded");
        env.world(|world| world.settings_mut().behaviour.stale_reads = Some(LONG));
        assert!(env.signed(body).await.status.is_server_error(), "{action:?}");
        assert_eq!(env.count(id, event_of(&action)).await, 0, "{action:?}");
        env.world(|world| world.settings_mut().behaviour.stale_reads = None);
        assert_eq!(env.redeliver().await, [200], "{action:?}");
        assert_eq!(env.count(id, event_of(&action)).await, 1, "{action:?}");
        env.assert_agrees(id, &format!("{action:?}")).await;
    }
}

#[tokio::test]
async fn t_19_a_notice_that_was_requested_long_ago_and_settled_just_now_is_not_lost() {
    let env = TestEnv::new().await;
    for action in [Action::Renew, Action::Suspend, Action::Unsubscribe] {
        let (id, operation) = about_to(&env, &action, LONG).await;
        let mut body = env.body_of(operation);
        let asked = env.world(|world| world.now()) - jiff::SignedDuration::from_hours(2);
        body["timeStamp"] = json!(asked);
        env.fault(Call::GetOperation, FaultKind::Garbage(body.to_string()), Times::Always);
        assert!(env.signed(body.to_string()).await.status.is_server_error(), "{action:?}");
        env.pass(60);
        assert_eq!(env.signed(body.to_string()).await.status, 200, "{action:?}");
        assert_eq!(env.count(id, event_of(&action)).await, 1, "{action:?}");
        env.world(|world| {
            world.faults_mut().clear();
            world.lose_deliveries();
        });
    }
}

#[tokio::test]
async fn t_19_an_outdated_notice_is_answered_200_once_the_reads_have_settled() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::flat_rate("silver")).await;
    let suspension = env.world(|world| world.suspend(id)).expect("a suspension");
    assert_eq!(env.deliver_statuses().await, [200]);
    env.pass(600);
    env.world(|world| world.reinstate(id)).expect("a reinstatement");
    assert_eq!(env.deliver_statuses().await, [200]);
    env.pass(600);
    let before = env.event_names(id).await;
    let body = env.body_of(suspension).to_string();
    assert!(env.signed(body.clone()).await.status.is_server_error(), "it might be a late read");
    env.pass(60);
    assert_eq!(env.signed(body.clone()).await.status, 200);
    assert_eq!(env.signed(body).await.status, 200);
    assert_eq!(env.event_names(id).await, before);
}
