//! A life from purchase to end, in the order of the specification's life cycle (F-LC).

use emulator::Purchase;

use crate::test_env::TestEnv;

#[tokio::test]
async fn a_purchase_is_landed_confirmed_changed_renewed_suspended_reinstated_and_ended() {
    let env = TestEnv::new().await;
    let id = env.purchase(Purchase::per_seat("basic", 10));
    assert!(env.visit(id).await.body.contains("Confirm"), "a new purchase offers to confirm");
    env.confirm(id).await;

    env.world(|world| world.change_plan(id, "team")).expect("a change");
    assert_eq!(env.deliver_statuses().await, [200]);
    env.world(|world| world.change_quantity(id, 20)).expect("a change");
    assert_eq!(env.deliver_statuses().await, [200]);
    env.world(|world| world.renew(id)).expect("a renewal");
    assert_eq!(env.deliver_statuses().await, [200]);
    env.world(|world| world.suspend(id)).expect("a suspension");
    assert_eq!(env.deliver_statuses().await, [200]);
    env.world(|world| world.reinstate(id)).expect("a reinstatement");
    assert_eq!(env.deliver_statuses().await, [200]);
    env.world(|world| world.unsubscribe(id)).expect("an end");
    assert_eq!(env.deliver_statuses().await, [200]);

    assert_eq!(
        env.event_names(id).await,
        [
            "Purchased",
            "Activated",
            "PlanChanged",
            "QuantityChanged",
            "Renewed",
            "Suspended",
            "Reinstated",
            "Unsubscribed"
        ]
    );
    let microsoft = env.world(|world| world.subscription(id));
    let record = env.record(id).await.expect("a record");
    assert_eq!(record.status().as_str(), microsoft.status);
    assert_eq!(record.subscription.plan_id, microsoft.plan_id);
    assert_eq!(record.subscription.quantity, microsoft.quantity.map(u64::from));
}
