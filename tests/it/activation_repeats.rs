//! Activation asked for twice, at once, or by the publisher's product: it happens once.

use std::time::Duration;

use emulator::{Call, Purchase};
use http::StatusCode;
use local::Options;
use shared::domain::ActivationRequest;

use crate::scene::Scene;

const MINUTE: Duration = Duration::from_secs(60);

async fn slow(delay: Duration) -> Scene {
    let scene = Scene::new().await;
    scene.world(|world| world.settings_mut().behaviour.activation_delay = delay);
    scene
}

#[tokio::test]
async fn f_lp_10_a_double_click_activates_once() {
    let scene = Scene::new().await;
    let id = scene.purchase(Purchase::flat_rate("silver"));
    for _ in 0..3 {
        let page = scene.confirm(id).await;
        assert!(page.body.contains("subscription is active"), "{}", page.body);
    }
    assert_eq!(scene.activate(id).await.status, StatusCode::OK);
    assert_eq!(scene.calls(Call::Activate), 1, "what is known to be active isn't asked for again");
    assert_eq!(scene.event_names(id).await, ["Purchased", "Activated"]);
}

#[tokio::test]
async fn f_lp_10_a_second_click_on_a_slow_activation_changes_nothing() {
    let scene = slow(MINUTE).await;
    let id = scene.purchase(Purchase::flat_rate("silver"));
    for _ in 0..3 {
        let page = scene.confirm(id).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.body.contains("being set up"), "{}", page.body);
    }
    scene.advance(2 * MINUTE);
    assert!(scene.visit(id).await.body.contains("subscription is active"));
    assert_eq!(scene.event_names(id).await, ["Purchased", "Activated"]);
}

#[tokio::test]
async fn f_lp_10_two_confirmations_at_once_activate_once() {
    for delay in [Duration::ZERO, Duration::from_secs(1), 5 * MINUTE] {
        let scene = slow(delay).await;
        let id = scene.purchase(Purchase::flat_rate("silver"));
        let (first, second, third) =
            tokio::join!(scene.confirm(id), scene.confirm(id), scene.activate(id));
        for page in [first, second] {
            assert_eq!(page.status, StatusCode::OK, "{delay:?}: {}", page.body);
        }
        assert!(third.status.is_success(), "{delay:?}: {}", third.body);
        scene.advance(6 * MINUTE);
        scene.stage.reconcile().await.expect("a run");
        assert_eq!(scene.event_names(id).await, ["Purchased", "Activated"], "{delay:?}");
        let term = scene.world(|world| world.subscription(id).term_start);
        assert!(term.is_some(), "one term began");
    }
}

#[tokio::test]
async fn by_publisher_a_confirmation_is_an_event_once_and_the_product_activates() {
    let scene = Scene::with(Options::default().with("ACTIVATION", "by-publisher")).await;
    let id = scene.purchase(Purchase::per_seat("basic", 5));
    assert!(scene.visit(id).await.body.contains("<button"));
    for _ in 0..2 {
        let page = scene.confirm(id).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.body.contains("being prepared"), "{}", page.body);
    }
    assert!(!scene.visit(id).await.body.contains("<button"), "confirmed once is enough");
    assert_eq!(scene.event_names(id).await, ["Purchased", "ActivationRequested"]);
    let record = scene.record(id).await.expect("a record");
    assert!(matches!(record.activation, Some(ActivationRequest::AwaitsPublisher { .. })));

    // Nobody but the product activates, however long it takes (F-ACT-9).
    scene.advance(60 * MINUTE);
    scene.stage.reconcile().await.expect("a run");
    assert_eq!(scene.calls(Call::Activate), 0);

    let answer = scene.activate(id).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(scene.event_names(id).await, ["Purchased", "ActivationRequested", "Activated"]);
    assert_eq!(scene.record(id).await.expect("a record").activation, None);
    assert!(scene.visit(id).await.body.contains("subscription is active"));
}

#[tokio::test]
async fn by_publisher_two_confirmations_at_once_are_one_event() {
    let scene = Scene::with(Options::default().with("ACTIVATION", "by-publisher")).await;
    let id = scene.purchase(Purchase::flat_rate("silver"));
    let (first, second) = tokio::join!(scene.confirm(id), scene.confirm(id));
    assert_eq!((first.status, second.status), (StatusCode::OK, StatusCode::OK));
    assert_eq!(scene.event_names(id).await, ["Purchased", "ActivationRequested"]);
}

#[tokio::test]
async fn the_product_may_activate_before_anybody_visited() {
    // A known id is enough; the record is made from Microsoft's copy.
    let scene = Scene::new().await;
    let id = scene.purchase(Purchase::flat_rate("silver"));
    assert_eq!(scene.activate(id).await.status, StatusCode::OK);
    assert_eq!(scene.event_names(id).await, ["Purchased", "Activated"]);
}

#[tokio::test]
async fn f_lp_10_a_second_click_before_microsofts_copy_shows_the_first_is_no_refusal() {
    // F-ACT-3: the definite answer may take minutes; F-ACT-4: until then, the 400 to a second
    // Activate may mean that the first one is being carried out.
    let scene = Scene::new().await;
    let id = scene.purchase(Purchase::flat_rate("silver"));
    scene.advance(5 * MINUTE);
    scene.world(|world| world.settings_mut().behaviour.stale_reads = Some(MINUTE));
    assert_eq!(scene.activate(id).await.status, StatusCode::ACCEPTED);
    let again = scene.activate(id).await;
    assert_eq!(again.status, StatusCode::ACCEPTED, "{}", again.body);
    let record = scene.record(id).await.expect("a record");
    assert!(matches!(record.activation, Some(ActivationRequest::AwaitsMicrosoft { .. })));
    assert_eq!(scene.event_names(id).await, ["Purchased"]);
    scene.advance(2 * MINUTE);
    assert_eq!(scene.activate(id).await.status, StatusCode::OK);
    assert_eq!(scene.event_names(id).await, ["Purchased", "Activated"]);
}
