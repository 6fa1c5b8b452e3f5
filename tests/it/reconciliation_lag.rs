//! A list that is further behind than single reads (F-LST-9).

use std::time::Duration;

use emulator::{Call, ErrorForm, FaultKind, ListEntries, Purchase, Times, World, way};
use uuid::Uuid;

use crate::test_env::TestEnv;

const MINUTE: Duration = Duration::from_secs(60);

async fn reconcile(env: &TestEnv) -> reconciliation::Report {
    env.system.reconcile().await.expect("a run")
}

#[tokio::test]
async fn f_lst_9_a_list_that_is_minutes_behind_undoes_nothing() {
    // The former status, and one that can't follow the recorded one.
    type Change = fn(&mut World, Uuid);
    let changes: [(Change, &[&str]); 2] = [
        (
            |world, id| {
                world.suspend(id).expect("a suspension");
            },
            &["Purchased", "Activated", "Suspended"],
        ),
        (
            |world, id| {
                world.unsubscribe(id).expect("an end");
            },
            &["Purchased", "Activated", "Unsubscribed"],
        ),
    ];
    for (change, events) in changes {
        let env = TestEnv::new().await;
        let id = env.active(Purchase::flat_rate("silver")).await;
        env.advance(10 * MINUTE);
        env.world(|world| {
            change(world, id);
            world.settings_mut().behaviour.stale_list = Some(5 * MINUTE);
        });
        assert_eq!(env.deliver_statuses().await, [200]);
        for _ in 0..4 {
            env.advance(2 * MINUTE);
            let report = reconcile(&env).await;
            assert_eq!((report.repaired, report.failed), (0, 0));
            assert_eq!(env.event_names(id).await, events);
        }
    }
}

#[tokio::test]
async fn f_lst_10_an_entry_that_comes_twice_on_a_late_page_undoes_nothing() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::flat_rate("silver")).await;
    env.advance(10 * MINUTE);
    env.world(|world| {
        world.suspend(id).expect("a suspension");
        world.settings_mut().behaviour.stale_list = Some(5 * MINUTE);
        world.settings_mut().behaviour.list_entries = ListEntries::DoubledOnPage;
    });
    assert_eq!(env.deliver_statuses().await, [200]);
    for _ in 0..3 {
        env.advance(2 * MINUTE);
        let report = reconcile(&env).await;
        assert_eq!((report.examined, report.repaired, report.failed), (1, 0, 0));
    }
    assert_eq!(env.event_names(id).await, ["Purchased", "Activated", "Suspended"]);
    assert_eq!(env.world(|world| world.occurred()[way::DOUBLED_ENTRY]), 3);
}

#[tokio::test]
async fn f_lst_9_only_a_difference_to_a_record_costs_a_read() {
    let env = TestEnv::new().await;
    let missed = env.active(Purchase::flat_rate("silver")).await;
    env.active(Purchase::flat_rate("silver")).await;
    env.world(|world| {
        world.suspend(missed).expect("a suspension");
        world.lose_deliveries();
        world.purchase(Purchase::flat_rate("silver"));
    });
    env.advance(2 * MINUTE);
    env.world(|world| world.clear_calls());
    assert_eq!(reconcile(&env).await.repaired, 2, "a difference and a first import");
    assert_eq!(env.calls(Call::GetSubscription), 1);
    assert_eq!(env.count(missed, "Suspended").await, 1);
    reconcile(&env).await;
    assert_eq!(env.calls(Call::GetSubscription), 1, "nothing differs any more");
}

#[tokio::test]
async fn f_lst_9_a_difference_that_cannot_be_confirmed_is_counted_and_repaired_later() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::flat_rate("silver")).await;
    env.world(|world| world.suspend(id)).expect("a suspension");
    env.world(World::lose_deliveries);
    env.advance(2 * MINUTE);
    let broken = FaultKind::Status(403, ErrorForm::BareString);
    env.fault(Call::GetSubscription, broken, Times::Always);
    let report = reconcile(&env).await;
    assert_eq!((report.finished, report.repaired, report.failed), (true, 0, 1));
    env.world(|world| world.faults_mut().clear());
    assert_eq!(reconcile(&env).await.repaired, 1);
    assert_eq!(env.count(id, "Suspended").await, 1);
}
