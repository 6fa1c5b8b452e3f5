//! Receivers that are removed, and added again under the same name, while events are delivered.

use shared::store::{Outbox as _, Receivers as _, Target};

use crate::delivery_product::Behaviour;
use crate::delivery_receivers_env::{crm, ids, minutes, settings};

#[tokio::test]
async fn a_removed_endpoint_loses_its_state_and_its_cursors_and_begins_anew_under_its_name() {
    let settings = settings("");
    settings.after.sweep().await;
    settings.after.clock.advance(minutes(1));
    settings.fail_at_crm();
    for number in 1..=3 {
        let events = settings.after.record(number, 10).await;
        settings.after.stream(&events).await;
    }
    settings.sweep_for_days(8).await;
    let events = settings.after.record(4, 10).await;
    settings.after.stream(&events).await;
    assert_eq!(settings.after.table.all_parked().len(), 3);
    settings.before.sweep_for_minutes(14).await;
    assert!(settings.state().await.expect("still there").missing_since.is_some());
    assert_eq!(settings.after.table.all_parked().len(), 3, "a rollback would need them");
    settings.before.sweep_for_minutes(3).await;
    assert_eq!(settings.state().await, None);
    assert!(settings.after.table.all_parked().is_empty());
    assert!(settings.after.table.all_due(settings.after.clock_later()).is_empty());

    settings.after.product.behaves(|_| Behaviour::Accepts);
    settings.after.sweep().await;
    settings.after.clock.advance(minutes(1));
    let events = settings.after.record(1, 20).await;
    settings.after.stream(&events).await;
    settings.after.sweep_for_minutes(20).await;
    assert_eq!(settings.at_crm(1), ids(&events), "nothing from before");
    assert!(settings.at_crm(2).is_empty());
    settings.assert_product_has_all(1..=4);
}

#[tokio::test]
async fn what_was_parked_for_an_endpoint_ends_with_it_also_if_its_name_is_added_again_at_once() {
    let settings = settings("");
    settings.after.sweep().await;
    settings.after.clock.advance(minutes(1));
    settings.fail_at_crm();
    // More than a sweep deletes.
    for number in 1..=210 {
        let events = settings.after.record(number, 10).await;
        settings.after.stream(&events).await;
    }
    settings.sweep_for_days(8).await;
    assert_eq!(settings.after.table.all_parked().len(), 210);
    settings.after.product.behaves(|_| Behaviour::Accepts);
    settings.before.sweep_for_minutes(1).await;
    settings.before.clock.advance(minutes(16));
    settings.before.sweep().await;
    assert_eq!(settings.state().await, None);
    assert_eq!(settings.after.table.all_parked().len(), 10);

    settings.after.sweep().await;
    let targets = [Target::Endpoint, crm()];
    let states = settings.after.table.receivers().await.expect("a read");
    assert!(states.contains_key(&crm()));
    let waiting = settings.after.table.waiting(&targets, &states).await.expect("a count");
    assert_eq!((waiting.parked, waiting.strays.len()), (0, 0));
    assert!(settings.after.table.all_parked().is_empty());
    let events = settings.after.record(205, 20).await;
    settings.after.stream(&events).await;
    assert_eq!(settings.at_crm(205), ids(&events), "nothing from before");
}

#[tokio::test]
async fn a_cursor_of_an_earlier_endpoint_of_the_name_is_as_none() {
    let settings = settings("");
    settings.after.sweep().await;
    settings.after.clock.advance(minutes(1));
    let first = settings.after.record(1, 10).await;
    settings.after.stream(&first).await;
    assert_eq!(settings.at_crm(1), ids(&first));
    settings.before.sweep_for_minutes(17).await;
    assert_eq!(settings.state().await, None);
    let between = settings.before.record(1, 20).await;
    settings.before.stream(&between).await;
    settings.after.clock.advance(minutes(3));
    settings.after.sweep().await;
    let last = settings.after.record(1, 30).await;
    settings.after.stream(&last).await;
    assert_eq!(settings.at_crm(1), ids(&[first, last].concat()), "not what came in between");
}

#[tokio::test]
async fn a_rollback_for_a_few_minutes_costs_an_endpoint_no_event() {
    let settings = settings("");
    settings.after.sweep_for_minutes(30).await;
    let added_at = settings.state().await.expect("it is there").added_at;
    // A process with the former settings settles events before a sweep notices the rollback.
    let events = settings.before.record(1, 10).await;
    settings.before.stream(&events).await;
    settings.before.sweep_for_minutes(5).await;
    let events = settings.before.record(2, 10).await;
    settings.before.stream(&events).await;
    settings.after.sweep_for_minutes(1).await;
    let events = settings.before.record(3, 10).await;
    settings.before.stream(&events).await;
    assert!(settings.at_crm(1).is_empty() && settings.at_crm(3).is_empty());
    settings.after.sweep_for_minutes(20).await;
    for number in 1..=3 {
        assert_eq!(settings.at_crm(number), settings.after.recorded(number), "{number}");
    }
    assert_eq!(settings.state().await.expect("it is there").added_at, added_at);
}
