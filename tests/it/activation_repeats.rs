//! Repeated, concurrent and publisher-side activations: the subscription is activated once.

use std::time::Duration;

use emulator::{Call, ErrorForm, FaultKind, Purchase, Times};
use http::StatusCode;
use local::Options;
use shared::domain::ActivationRequest;

use crate::test_env::TestEnv;

const MINUTE: Duration = Duration::from_secs(60);

async fn env_with_activation_delay(delay: Duration) -> TestEnv {
    let env = TestEnv::new().await;
    env.world(|world| world.settings_mut().behaviour.activation_delay = delay);
    env
}

#[tokio::test]
async fn f_lp_10_a_double_click_activates_once() {
    let env = TestEnv::new().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    for _ in 0..3 {
        let page = env.confirm(id).await;
        assert!(page.body.contains("subscription is active"), "{}", page.body);
    }
    assert_eq!(env.activate(id).await.status, StatusCode::OK);
    assert_eq!(env.calls(Call::Activate), 1, "an active subscription is not activated again");
    assert_eq!(env.event_names(id).await, ["Purchased", "Activated"]);
}

#[tokio::test]
async fn f_lp_10_a_second_click_on_a_slow_activation_changes_nothing() {
    let env = env_with_activation_delay(MINUTE).await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    for _ in 0..3 {
        let page = env.confirm(id).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.body.contains("being activated"), "{}", page.body);
    }
    env.advance(2 * MINUTE);
    assert!(env.visit(id).await.body.contains("subscription is active"));
    assert_eq!(env.event_names(id).await, ["Purchased", "Activated"]);
}

#[tokio::test]
async fn f_lp_10_concurrent_confirmations_activate_once() {
    for delay in [Duration::ZERO, Duration::from_secs(1), 5 * MINUTE] {
        let env = env_with_activation_delay(delay).await;
        let id = env.purchase(Purchase::flat_rate("silver"));
        let (first, second, third) =
            tokio::join!(env.confirm(id), env.confirm(id), env.activate(id));
        for page in [first, second] {
            assert_eq!(page.status, StatusCode::OK, "{delay:?}: {}", page.body);
        }
        assert!(third.status.is_success(), "{delay:?}: {}", third.body);
        env.advance(6 * MINUTE);
        env.system.reconcile().await.expect("a run");
        assert_eq!(env.event_names(id).await, ["Purchased", "Activated"], "{delay:?}");
        let term = env.world(|world| world.subscription(id).term_start);
        assert!(term.is_some(), "one term began");
    }
}

#[tokio::test]
async fn by_publisher_a_confirmation_is_one_event_and_only_the_product_activates() {
    let env = TestEnv::with(Options::default().with("ACTIVATION", "by-publisher")).await;
    let id = env.purchase(Purchase::per_seat("basic", 5));
    assert!(env.visit(id).await.body.contains("<button"));
    for _ in 0..2 {
        let page = env.confirm(id).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.body.contains("being prepared"), "{}", page.body);
    }
    assert!(!env.visit(id).await.body.contains("<button"), "one confirmation is enough");
    assert_eq!(env.event_names(id).await, ["Purchased", "ActivationRequested"]);
    let record = env.record(id).await.expect("a record");
    assert!(matches!(record.activation, Some(ActivationRequest::AwaitsPublisher { .. })));

    // Only the product activates, however long it takes (F-ACT-9).
    env.advance(60 * MINUTE);
    env.system.reconcile().await.expect("a run");
    assert_eq!(env.calls(Call::Activate), 0);

    let answer = env.activate(id).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(env.event_names(id).await, ["Purchased", "ActivationRequested", "Activated"]);
    assert_eq!(env.record(id).await.expect("a record").activation, None);
    assert!(env.visit(id).await.body.contains("subscription is active"));
}

#[tokio::test]
async fn by_publisher_two_concurrent_confirmations_are_one_event() {
    let env = TestEnv::with(Options::default().with("ACTIVATION", "by-publisher")).await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    let (first, second) = tokio::join!(env.confirm(id), env.confirm(id));
    assert_eq!((first.status, second.status), (StatusCode::OK, StatusCode::OK));
    assert_eq!(env.event_names(id).await, ["Purchased", "ActivationRequested"]);
}

#[tokio::test]
async fn the_product_can_activate_before_the_buyer_visits() {
    // The id is enough. The record is created from Microsoft's copy.
    let env = TestEnv::new().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    assert_eq!(env.activate(id).await.status, StatusCode::OK);
    assert_eq!(env.event_names(id).await, ["Purchased", "Activated"]);
}

#[tokio::test]
async fn f_lp_10_a_second_click_is_no_refusal_while_microsofts_copy_lags() {
    // F-ACT-3: the outcome may take minutes. F-ACT-4: until then, a 400 to a second Activate may
    // mean that the first one is in progress.
    let env = TestEnv::new().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    env.advance(5 * MINUTE);
    env.world(|world| world.settings_mut().behaviour.stale_reads = Some(MINUTE));
    assert_eq!(env.activate(id).await.status, StatusCode::ACCEPTED);
    let again = env.activate(id).await;
    assert_eq!(again.status, StatusCode::ACCEPTED, "{}", again.body);
    let record = env.record(id).await.expect("a record");
    assert!(matches!(record.activation, Some(ActivationRequest::AwaitsMicrosoft { .. })));
    assert_eq!(env.event_names(id).await, ["Purchased"]);
    env.advance(2 * MINUTE);
    assert_eq!(env.activate(id).await.status, StatusCode::OK);
    assert_eq!(env.event_names(id).await, ["Purchased", "Activated"]);
}

#[tokio::test]
async fn t_9_a_400_to_our_own_repetition_is_no_refusal_while_microsofts_copy_lags() {
    // The first attempt's answer is lost, so the client repeats the call, and Microsoft refuses what
    // it has done already (F-ACT-4).
    let env = TestEnv::new().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    env.advance(5 * MINUTE);
    env.world(|world| world.settings_mut().behaviour.stale_reads = Some(MINUTE));
    env.fault(Call::Activate, FaultKind::LoseAnswer, Times::Once);
    let answer = env.activate(id).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.body);
    assert_eq!(env.calls(Call::Activate), 2, "the lost one, and its repetition");
    let record = env.record(id).await.expect("a record");
    assert!(matches!(record.activation, Some(ActivationRequest::AwaitsMicrosoft { .. })));
    env.advance(2 * MINUTE);
    assert_eq!(env.activate(id).await.status, StatusCode::OK);
    assert_eq!(env.event_names(id).await, ["Purchased", "Activated"]);
}

#[tokio::test]
async fn f_lp_10_a_second_click_is_no_refusal_although_another_attempt_failed_long_ago() {
    let env = TestEnv::new().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    env.fault(Call::Activate, FaultKind::Status(500, ErrorForm::Object), Times::Always);
    assert!(env.activate(id).await.status != StatusCode::OK);
    env.world(|world| world.faults_mut().clear());
    env.advance(60 * MINUTE);
    env.world(|world| world.settings_mut().behaviour.stale_reads = Some(MINUTE));
    assert_eq!(env.activate(id).await.status, StatusCode::ACCEPTED);
    let again = env.activate(id).await;
    assert_eq!(again.status, StatusCode::ACCEPTED, "F-ACT-4: {}", again.body);
    let record = env.record(id).await.expect("a record");
    assert!(matches!(record.activation, Some(ActivationRequest::AwaitsMicrosoft { .. })));
}
