//! Receivers that are paused while events are delivered.

use shared::store::{CursorState, Outbox as _, Target};

use crate::delivery_env::id;
use crate::delivery_product::Behaviour;
use crate::delivery_receivers_env::{CRM_HOST, PRODUCT, crm, minutes, settings};

#[tokio::test]
async fn a_paused_receiver_is_sent_nothing_and_gets_everything_after_the_resume() {
    for target in [Target::Endpoint, crm()] {
        let settings = settings("");
        settings.after.sweep_for_minutes(20).await;
        let (paused, other) = match target {
            Target::Endpoint => (PRODUCT, CRM_HOST),
            _ => (CRM_HOST, PRODUCT),
        };
        let at = |host, number| settings.after.product.accepted_at(host, id(number));
        settings.pause(target, settings.since_now()).await;
        for number in 1..=3 {
            let events = settings.after.record(number, 10).await;
            settings.after.stream(&events).await;
            assert_eq!(at(other, number), settings.after.recorded(number));
        }
        // A pause of more days than a failure may last.
        settings.sweep_for_days(10).await;
        assert!((1..=3).all(|number| at(paused, number).is_empty()));
        assert!(settings.after.table.all_parked().is_empty(), "a pause parks nothing");
        let cursor = settings.after.table.cursor(id(1), target).await.expect("a read");
        assert!(matches!(cursor.state, CursorState::Due { trouble: None, .. }), "{cursor:?}");

        settings.pause(target, None).await;
        let events = settings.after.record(1, 20).await;
        settings.after.stream(&events).await;
        assert_eq!(at(paused, 1), settings.after.recorded(1), "at once, and in order");
        settings.after.sweep_for_minutes(16).await;
        for number in 1..=3 {
            assert_eq!(at(paused, number), settings.after.recorded(number), "{number}");
        }
    }
}

#[tokio::test]
async fn an_event_that_a_paused_receiver_does_not_take_does_not_wait_for_it() {
    let types = r#","eventTypes":["saas-fulfillment.subscription.unsubscribed.v1"]"#;
    let settings = settings(types);
    settings.after.sweep_for_minutes(20).await;
    settings.pause(crm(), settings.since_now()).await;
    let events = settings.after.record(1, 10).await;
    settings.after.stream(&events).await;
    assert!(settings.after.table.all_due(settings.after.clock_later()).is_empty());
    settings.assert_product_has_all([1]);
}

#[tokio::test]
async fn a_failing_receiver_that_is_paused_is_not_tried_again_and_not_parked() {
    let settings = settings("");
    settings.fail_at_crm();
    settings.after.sweep().await;
    settings.after.clock.advance(minutes(1));
    let events = settings.after.record(1, 10).await;
    settings.after.stream(&events).await;
    settings.after.sweep_for_minutes(5).await;
    settings.pause(crm(), settings.since_now()).await;
    let tries = settings.after.product.arrivals().len();
    settings.sweep_for_days(10).await;
    assert_eq!(settings.after.product.arrivals().len(), tries);
    assert!(settings.after.table.all_parked().is_empty());
    settings.after.product.behaves(|_| Behaviour::Accepts);
    settings.pause(crm(), None).await;
    settings.after.sweep_for_minutes(16).await;
    assert_eq!(settings.at_crm(1), settings.after.recorded(1));
}
