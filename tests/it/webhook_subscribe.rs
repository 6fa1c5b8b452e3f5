//! `Subscribe` calls, alone, in a race with the landing page, and beside other notices: T-24.

use emulator::{Action, Purchase, WebhookForm};
use uuid::Uuid;

use crate::test_env::TestEnv;

async fn provisioned_once(env: &TestEnv, id: Uuid, case: &str) {
    assert_eq!(env.event_names(id).await, ["Purchased", "Activated"], "{case}");
    env.assert_agrees(id, case).await;
}

#[tokio::test]
async fn t_24_an_auto_activated_purchase_is_provisioned_once_by_its_webhook() {
    for form in [WebhookForm::Full, WebhookForm::Sparse, WebhookForm::VeryOld] {
        let env = TestEnv::new().await;
        env.world(|world| world.settings_mut().behaviour.webhook_form = form);
        let id = env.purchase(Purchase::flat_rate("auto"));
        env.world(|world| world.duplicate_next_delivery());
        assert_eq!(env.deliver_statuses().await, [200, 200], "{form:?}");
        provisioned_once(&env, id, &format!("{form:?}")).await;
        // Manage visits come later (F-LC-4).
        env.visit(id).await;
        provisioned_once(&env, id, "after a visit").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t_24_webhook_and_landing_page_at_the_same_moment_provision_once() {
    let env = TestEnv::new().await;
    for round in 0..5 {
        let id = env.purchase(Purchase::flat_rate("auto"));
        tokio::join!(env.deliver(), env.visit(id), env.visit(id));
        env.deliver_all().await;
        provisioned_once(&env, id, &format!("visited, round {round}")).await;

        let id = env.purchase(Purchase::flat_rate("auto"));
        tokio::join!(env.deliver(), env.confirm(id), env.confirm(id));
        env.deliver_all().await;
        provisioned_once(&env, id, &format!("confirmed, round {round}")).await;
    }
}

#[tokio::test]
async fn t_24_a_subscribe_beside_a_renewal_adds_no_event() {
    // F-WHA-19: the `Subscribe` comes before or after the renewal.
    for subscribe_first in [true, false] {
        let env = TestEnv::new().await;
        let id = env.active(Purchase::flat_rate("silver")).await;
        env.pass(600);
        env.world(|world| {
            world.settings_mut().behaviour.webhook_form = WebhookForm::Sparse;
            world.renew(id).expect("a renewal");
            world.queue_notice(id, Action::Subscribe).expect("a notice");
            if subscribe_first {
                world.reverse_pending();
            }
        });
        assert_eq!(env.deliver_statuses().await, [200, 200]);
        assert_eq!(env.event_names(id).await, ["Purchased", "Activated", "Renewed"]);
        env.assert_agrees(id, "renewed").await;
    }
}

#[tokio::test]
async fn t_24_a_subscribe_for_a_suspended_or_ended_subscription_changes_nothing() {
    let env = TestEnv::new().await;
    for end in ["Suspended", "Unsubscribed"] {
        let id = env.active(Purchase::flat_rate("silver")).await;
        env.world(|world| match end {
            "Suspended" => world.suspend(id),
            _ => world.unsubscribe(id),
        })
        .expect("the state permits it");
        env.deliver_all().await;
        let before = env.events(id).await;
        env.world(|world| world.queue_notice(id, Action::Subscribe)).expect("a notice");
        assert_eq!(env.deliver_statuses().await, [200], "{end}");
        assert_eq!(env.events(id).await, before, "{end}");
    }
}

#[tokio::test]
async fn t_24_a_suspension_right_after_a_reinstatement_is_recorded() {
    // The suspension's operation is later than the reinstatement, so the read is not late.
    let env = TestEnv::new().await;
    let (id, _) = env.about_to(&Action::Reinstate).await;
    assert_eq!(env.deliver_statuses().await, [200]);
    env.pass(5);
    env.world(|world| world.suspend(id)).expect("a suspension");
    assert_eq!(env.deliver_statuses().await, [200]);
    assert_eq!(env.count(id, "Suspended").await, 2);
    env.assert_agrees(id, "suspended again").await;
}
