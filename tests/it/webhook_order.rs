//! Repeated, late, concurrent and reordered webhook calls (F-WHD-5): T-19.

use std::time::Duration;

use emulator::{Action, Purchase, WebhookForm};
use local::Options;
use serde_json::{Value, json};

use crate::test_env::TestEnv;
use crate::webhook_calls::{ACTIONS, event_of};

fn reject() -> Options {
    Options::default().with("CHANGE_POLICY", "reject")
}

#[tokio::test]
async fn t_19_an_immediate_second_delivery_changes_nothing() {
    let env = TestEnv::new().await;
    for action in ACTIONS {
        let (id, _) = env.about_to(&action).await;
        env.world(|world| world.duplicate_next_delivery());
        assert_eq!(env.deliver_statuses().await, [200, 200], "{action:?}");
        assert_eq!(env.count(id, event_of(&action)).await, 1, "{action:?}");
        env.assert_agrees(id, &format!("{action:?}")).await;
    }
}

#[tokio::test]
async fn t_19_a_second_delivery_hours_later_gets_the_first_answer_and_changes_nothing() {
    for (policy, change) in [("accept", 200), ("reject", 400)] {
        let env = TestEnv::with(Options::default().with("CHANGE_POLICY", policy)).await;
        for action in ACTIONS {
            let (id, operation) = env.about_to(&action).await;
            let expected = match action {
                Action::ChangePlan | Action::ChangeQuantity => change,
                _ => 200,
            };
            assert_eq!(env.deliver_statuses().await, [expected], "{action:?}, {policy}");
            let before = env.events(id).await;
            env.world(|world| world.clear_calls());
            for _ in 0..2 {
                env.pass(4 * 3600);
                let answer = env.signed(env.body_of(operation).to_string()).await;
                assert_eq!(answer.status, expected, "{action:?}, {policy}");
            }
            assert_eq!(env.acknowledgements(), [] as [Value; 0], "{action:?}, {policy}");
            assert_eq!(env.events(id).await, before, "{action:?}, {policy}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t_19_concurrent_deliveries_lead_to_one_event() {
    let env = TestEnv::new().await;
    for action in ACTIONS {
        let (id, operation) = env.about_to(&action).await;
        let body = env.body_of(operation).to_string();
        let call = || env.signed(body.clone());
        let (a, b, c, d) = tokio::join!(call(), call(), call(), call());
        for answer in [a, b, c, d] {
            // A delivery that loses every race gets a 5xx, so Microsoft repeats it.
            assert!(answer.status == 200 || answer.status.is_server_error(), "{action:?}");
        }
        assert_eq!(env.signed(body.clone()).await.status, 200, "{action:?}");
        assert_eq!(env.count(id, event_of(&action)).await, 1, "{action:?}");
        env.assert_agrees(id, &format!("{action:?}")).await;
        env.world(|world| world.lose_deliveries());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t_19_a_change_rejected_by_concurrent_deliveries_stays_rejected() {
    let env = TestEnv::with(reject()).await;
    for action in [Action::ChangePlan, Action::ChangeQuantity] {
        let (id, operation) = env.about_to(&action).await;
        let body = env.body_of(operation).to_string();
        let call = || env.signed(body.clone());
        let (a, b, c) = tokio::join!(call(), call(), call());
        let statuses = [a, b, c].map(|answer| answer.status.as_u16());
        assert!(statuses.contains(&400), "{statuses:?}");
        assert_eq!(env.world(|world| world.operation(operation)).status, "Failed");
        assert_eq!(env.count(id, event_of(&action)).await, 0);
        assert_eq!(env.count(id, "ChangeRejected").await, 1);
        env.assert_agrees(id, &format!("{action:?}")).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t_19_concurrent_operations_are_all_recorded() {
    let env = TestEnv::new().await;
    for _ in 0..5 {
        let id = env.active(Purchase::per_seat("basic", 10)).await;
        env.pass(600);
        let operations = env.world(|world| {
            [
                world.change_quantity(id, 20).expect("a change"),
                world.renew(id).expect("a renewal"),
                world.queue_notice(id, Action::Subscribe).expect("a notice"),
            ]
        });
        let bodies = operations.map(|operation| env.body_of(operation).to_string());
        let [change, renewal, notice] = bodies;
        tokio::join!(env.signed(change), env.signed(renewal), env.signed(notice));
        env.deliver_all().await;
        for event in ["QuantityChanged", "Renewed"] {
            assert_eq!(env.count(id, event).await, 1, "{event}");
        }
        env.assert_agrees(id, "all at once").await;
    }
}

#[tokio::test]
async fn t_19_an_operation_is_identified_by_its_id_and_its_action() {
    // F-WHD-5: a notice with the id of a change must not count as the change.
    for (policy, expected) in [("accept", 200), ("reject", 400)] {
        let env = TestEnv::with(Options::default().with("CHANGE_POLICY", policy)).await;
        for word in ["Renew", "Subscribe", "Suspend", "Unsubscribe", "Reinstate"] {
            let (id, operation) = env.about_to(&Action::ChangePlan).await;
            let mut notice = env.body_of(operation);
            notice["action"] = json!(word);
            assert_eq!(env.signed(notice.to_string()).await.status, 200, "{word}");
            env.world(|world| world.clear_calls());
            assert_eq!(env.deliver_statuses().await, [expected], "{word}, {policy}");
            assert_eq!(env.acknowledgements().len(), 1, "{word}, {policy}");
            env.assert_agrees(id, word).await;
        }
    }
}

#[tokio::test]
async fn t_19_a_late_suspend_does_not_suspend_a_reinstated_subscription() {
    // The suspension's call arrives after the reinstatement's, by a moment or by minutes.
    for between in [0, 30, 600] {
        let env = TestEnv::new().await;
        let id = env.active(Purchase::flat_rate("silver")).await;
        let suspension = env.world(|world| world.suspend(id)).expect("a suspension");
        env.world(|world| world.hold(suspension));
        env.pass(between);
        env.world(|world| world.reinstate(id)).expect("a reinstatement");
        assert_eq!(env.deliver_statuses().await, [200], "{between} s");
        env.pass(between);
        env.world(|world| world.release(suspension));
        env.deliver_all().await;
        let record = env.record(id).await.expect("a record");
        assert_eq!(record.status().as_str(), "Subscribed", "{between} s");
        assert_eq!(env.count(id, "Suspended").await, env.count(id, "Reinstated").await);
        env.assert_agrees(id, &format!("{between} s")).await;
    }
}

#[tokio::test]
async fn t_19_a_repeated_suspend_does_not_suspend_a_reinstated_subscription() {
    for between in [0, 30, 600] {
        let env = TestEnv::new().await;
        let id = env.active(Purchase::flat_rate("silver")).await;
        let suspension = env.world(|world| world.suspend(id)).expect("a suspension");
        assert_eq!(env.deliver_statuses().await, [200]);
        env.pass(between);
        env.world(|world| world.reinstate(id)).expect("a reinstatement");
        assert_eq!(env.deliver_statuses().await, [200], "{between} s");
        env.pass(between);
        env.signed(env.body_of(suspension).to_string()).await;
        assert_eq!(env.count(id, "Suspended").await, 1, "{between} s");
        env.assert_agrees(id, &format!("{between} s")).await;
    }
}

#[tokio::test]
async fn t_19_deliveries_in_reverse_order_end_in_the_final_state() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::per_seat("basic", 10)).await;
    env.pass(600);
    env.world(|world| {
        world.renew(id).expect("a renewal");
        world.suspend(id).expect("a suspension");
        world.unsubscribe(id).expect("an end");
        world.reverse_pending();
    });
    env.deliver_all().await;
    let names = env.event_names(id).await;
    assert_eq!(names.last(), Some(&"Unsubscribed"), "{names:?}");
    assert_eq!(env.count(id, "Unsubscribed").await, 1, "{names:?}");
    env.assert_agrees(id, "backwards").await;
}

#[tokio::test]
async fn t_19_no_late_delivery_revives_an_ended_subscription() {
    // F-LC-8.
    let env = TestEnv::new().await;
    for action in ACTIONS {
        let (id, operation) = env.about_to(&action).await;
        let body = env.body_of(operation);
        env.world(|world| {
            world.lose_deliveries();
            if world.subscription(id).status != "Unsubscribed" {
                world.unsubscribe(id).expect("an end");
            }
        });
        env.deliver_all().await;
        env.pass(120);
        let answer = env.signed(body.to_string()).await;
        assert_eq!(answer.status, 200, "{action:?}");
        let names = env.event_names(id).await;
        if action != Action::Unsubscribe {
            assert_eq!(names.last(), Some(&"Unsubscribed"), "{action:?}: {names:?}");
        }
        let record = env.record(id).await.expect("a record");
        assert_eq!(record.status().as_str(), "Unsubscribed", "{action:?}");
    }
}

#[tokio::test]
async fn a_late_read_right_after_a_change_does_not_undo_it() {
    for form in [WebhookForm::Full, WebhookForm::Sparse, WebhookForm::VeryOld] {
        let env = TestEnv::new().await;
        let id = env.active(Purchase::per_seat("basic", 10)).await;
        env.pass(600);
        env.world(|world| world.change_plan(id, "team")).expect("a change");
        assert_eq!(env.deliver_statuses().await, [200]);
        env.world(|world| {
            world.settings_mut().behaviour.stale_reads = Some(Duration::from_secs(5));
            world.settings_mut().behaviour.webhook_form = form;
            world.queue_notice(id, Action::Renew).expect("a notice");
        });
        env.pass(1);
        env.deliver_statuses().await;
        let plan = async || env.record(id).await.expect("a record").subscription.plan_id;
        assert_eq!(plan().await, "team", "{form:?}");
        env.system.reconcile().await.expect("a run");
        assert_eq!(plan().await, "team", "{form:?}: a late list does not undo it either");
        env.deliver_all().await;
        assert_eq!(env.count(id, "PlanChanged").await, 1, "{form:?}");
        env.assert_agrees(id, &format!("{form:?}")).await;
    }
}

#[tokio::test]
async fn a_late_read_that_shows_only_one_of_two_changes_undoes_neither() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::per_seat("basic", 10)).await;
    env.pass(600);
    let renewal = env.world(|world| {
        world.change_quantity(id, 20).expect("a change");
        let renewal = world.renew(id).expect("a renewal");
        world.hold(renewal);
        renewal
    });
    env.pass(3);
    assert_eq!(env.deliver_statuses().await, [200]);
    // The late read shows the new term and the old seats.
    env.world(|world| {
        world.settings_mut().behaviour.stale_reads = Some(Duration::from_secs(2));
        world.release(renewal);
    });
    env.pass(1);
    env.deliver_statuses().await;
    let quantity = env.record(id).await.expect("a record").subscription.quantity;
    assert_eq!(quantity, Some(20));
    env.deliver_all().await;
    for event in ["QuantityChanged", "Renewed"] {
        assert_eq!(env.count(id, event).await, 1, "{event}");
    }
    env.assert_agrees(id, "settled").await;
}
