//! The list of subscriptions, page by page (T-10).

use emulator::{EmptyList, LastLink};
use local::Options;

use super::*;
use crate::scene::Scene;

/// Reads the whole list; the sizes of its pages, and whom it holds.
async fn walk(wire: &Wire) -> (Vec<usize>, Vec<SubscriptionId>) {
    let (mut sizes, mut ids, mut next) = (Vec::new(), Vec::new(), None);
    loop {
        let page = wire.client.list_subscriptions(next.as_deref()).await.expect("a page");
        assert_eq!(page.unreadable, 0);
        sizes.push(page.subscriptions.len());
        ids.extend(page.subscriptions.iter().filter_map(shared::domain::Observation::id));
        match page.next {
            Some(link) => next = Some(link),
            None => return (sizes, ids),
        }
    }
}

#[tokio::test]
async fn t_10_short_pages_are_followed_to_the_last_whatever_its_link_looks_like() {
    for last_link in [LastLink::Absent, LastLink::Empty, LastLink::Null] {
        let mut settings = Settings::default();
        settings.behaviour.page_size = 10;
        settings.behaviour.short_pages = true;
        settings.behaviour.last_link = last_link;
        let wire = Wire::with(settings, RetryPolicy::INTERACTIVE, &[]).await;
        let bought: Vec<_> = (0..40).map(|_| wire.pending(Purchase::flat_rate("silver"))).collect();
        let (sizes, listed) = walk(&wire).await;
        assert_eq!(listed, bought, "{last_link:?}: each once, none left out");
        assert!(sizes.iter().any(|size| *size < 10) && sizes.len() > 4, "{sizes:?}: F-LST-4");
    }
}

#[tokio::test]
async fn t_10_a_continuation_token_is_encoded_once() {
    // F-LST-5.
    let mut settings = Settings::default();
    settings.behaviour.page_size = 1;
    let wire = Wire::with(settings, RetryPolicy::INTERACTIVE, &[]).await;
    wire.pending(Purchase::flat_rate("silver"));
    wire.pending(Purchase::flat_rate("silver"));
    walk(&wire).await;
    let query = wire.sent()[1].uri().query().expect("a query").to_owned();
    assert!(query.contains("continuationToken=%5B%7B%22"), "{query}");
    assert!(!query.contains("%25"), "{query}");
    assert_eq!(query.matches("api-version=").count(), 1, "{query}");
}

#[tokio::test]
async fn t_10_a_publisher_without_subscriptions_has_an_empty_list() {
    for empty_list in
        [EmptyList::EmptyBody, EmptyList::EmptyObject, EmptyList::NullArray, EmptyList::EmptyArray]
    {
        let mut settings = Settings::default();
        settings.behaviour.empty_list = empty_list;
        let wire = Wire::with(settings, RetryPolicy::INTERACTIVE, &[]).await;
        let (sizes, _) = walk(&wire).await;
        assert_eq!(sizes, [0], "{empty_list:?}: F-LST-6");
    }
}

#[tokio::test]
async fn outstanding_operations_are_listed_in_both_shapes_and_as_nothing() {
    for as_array in [false, true] {
        let mut settings = Settings::default();
        settings.behaviour.operations_as_array = as_array;
        let wire = Wire::with(settings, RetryPolicy::INTERACTIVE, &[]).await;
        let id = wire.active(Purchase::per_seat("basic", 10));
        assert_eq!(wire.client.list_operations(id).await.expect("an answer").len(), 0, "D-18");
        let operation = wire.requested(id);
        let listed = wire.client.list_operations(id).await.expect("an answer");
        let ids: Vec<_> = listed.iter().filter_map(|operation| operation.id).collect();
        assert_eq!(ids, [operation.0], "D-18");
    }
}

fn circle(token: &str) -> FaultKind {
    FaultKind::Garbage(format!(
        r#"{{"subscriptions":[],"@nextLink":"https://m.example/?continuationToken={token}"}}"#
    ))
}

#[tokio::test]
async fn t_10_a_list_that_runs_in_a_circle_ends_the_reconciliation() {
    // F-LST-8: circles of one, two, three and seven pages.
    for length in [1_usize, 2, 3, 7] {
        let scene = Scene::with(Options::default()).await;
        for page in 0..200 {
            let token = format!("token-{}", page % length);
            scene.world(|world| {
                world.faults_mut().once(Call::ListSubscriptions, circle(&token));
            });
        }
        let report = scene.stage.reconcile().await.expect("a run");
        assert!(report.finished);
        let asked = scene.calls(Call::ListSubscriptions);
        assert!(asked <= 4 * length + 4, "a circle of {length} was walked {asked} pages long");
        // The next run begins anew, and finds the list as it is then.
        scene.world(|world| world.faults_mut().clear());
        let id = scene.purchase(Purchase::flat_rate("silver"));
        scene.stage.reconcile().await.expect("a run");
        assert_eq!(scene.event_names(id).await, ["Purchased"]);
    }
}
