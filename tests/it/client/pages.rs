//! The list of subscriptions, page by page (T-10).

use emulator::{EmptyList, LastLink};
use local::Options;

use super::*;
use crate::test_env::TestEnv;

/// Reads the whole list. Returns the sizes of its pages, and the ids in it.
async fn read_all(wire: &Wire) -> (Vec<usize>, Vec<SubscriptionId>) {
    let (mut sizes, mut ids, mut next) = (Vec::new(), Vec::new(), None);
    loop {
        let page = wire.client.list_subscriptions(next.as_deref()).await.expect("a page");
        assert_eq!(page.unreadable, 0);
        sizes.push(page.subscriptions.len());
        ids.extend(page.subscriptions.iter().filter_map(shared::domain::Observation::id));
        match page.next.expect("a link to follow") {
            Some(link) => next = Some(link),
            None => return (sizes, ids),
        }
    }
}

#[tokio::test]
async fn t_10_short_pages_are_followed_to_the_last_in_every_form_of_its_link() {
    for last_link in [LastLink::Absent, LastLink::Empty, LastLink::Null] {
        let mut settings = Settings::default();
        settings.behaviour.page_size = 10;
        settings.behaviour.short_pages = true;
        settings.behaviour.last_link = last_link;
        let wire = Wire::with(settings, RetryPolicy::INTERACTIVE, &[]).await;
        let bought: Vec<_> = (0..40).map(|_| wire.pending(Purchase::flat_rate("silver"))).collect();
        let (sizes, listed) = read_all(&wire).await;
        assert_eq!(listed, bought, "{last_link:?}: each subscription once");
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
    read_all(&wire).await;
    let query = wire.take_sent()[1].uri().query().expect("a query").to_owned();
    assert!(query.contains("continuationToken=%5B%7B%22"), "{query}");
    assert!(!query.contains("%25"), "{query}");
    assert_eq!(query.matches("api-version=").count(), 1, "{query}");
}

#[tokio::test]
async fn a_link_of_another_form_is_followed_by_path_and_query_on_the_configured_host() {
    // F-GEN-8, F-LST-4.
    let wire = Wire::new().await;
    wire.pending(Purchase::flat_rate("silver"));
    let link = "https://m.example/v2/saas/subscriptions/?$skip=a%2Bb&api-version=2099-01-01";
    let page = FaultKind::Garbage(format!(r#"{{"subscriptions":[],"@nextLink":"{link}"}}"#));
    wire.fault(Call::ListSubscriptions, page, Times::Once);
    let (sizes, _) = read_all(&wire).await;
    assert_eq!(sizes, [0, 1]);
    let followed = wire.take_sent()[1].uri().to_string();
    let own = wire.emulator.marketplace_url();
    let expected = format!(
        "{own}/saas/subscriptions/?api-version={}&$skip=a%2Bb",
        shared::microsoft::fulfillment::API_VERSION
    );
    assert_eq!(followed, expected);
}

#[tokio::test]
async fn t_10_a_publisher_without_subscriptions_has_an_empty_list() {
    for empty_list in
        [EmptyList::EmptyBody, EmptyList::EmptyObject, EmptyList::NullArray, EmptyList::EmptyArray]
    {
        let mut settings = Settings::default();
        settings.behaviour.empty_list = empty_list;
        let wire = Wire::with(settings, RetryPolicy::INTERACTIVE, &[]).await;
        let (sizes, _) = read_all(&wire).await;
        assert_eq!(sizes, [0], "{empty_list:?}: F-LST-6");
    }
}

#[tokio::test]
async fn outstanding_operations_are_read_from_both_shapes_and_from_an_empty_list() {
    for as_array in [false, true] {
        let mut settings = Settings::default();
        settings.behaviour.operations_as_array = as_array;
        let wire = Wire::with(settings, RetryPolicy::INTERACTIVE, &[]).await;
        let id = wire.active(Purchase::per_seat("basic", 10));
        assert_eq!(wire.client.list_operations(id).await.expect("an answer").len(), 0, "D-18");
        let operation = wire.plan_change(id);
        let listed = wire.client.list_operations(id).await.expect("an answer");
        let ids: Vec<_> = listed.iter().filter_map(|operation| operation.id.as_ref()).collect();
        assert_eq!(ids, [&operation], "D-18");
    }
}

/// An empty page that links to the page with this token.
fn page_linking_to(token: &str) -> FaultKind {
    FaultKind::Garbage(format!(
        r#"{{"subscriptions":[],"@nextLink":"https://m.example/?continuationToken={token}"}}"#
    ))
}

#[tokio::test]
async fn t_10_the_reconciliation_ends_on_a_circular_list() {
    // F-LST-8: lists that return to their first page after one, two, three and seven pages.
    for length in [1_usize, 2, 3, 7] {
        let env = TestEnv::with(Options::default()).await;
        for page in 0..200 {
            let token = format!("token-{}", page % length);
            env.world(|world| {
                world.faults_mut().once(Call::ListSubscriptions, page_linking_to(&token));
            });
        }
        let report = env.system.reconcile().await.expect("a run");
        assert!(report.finished);
        let read = env.calls(Call::ListSubscriptions);
        assert!(read <= 4 * length + 4, "{read} pages were read of a circle of {length}");
        // The next run starts from the beginning and finds the present list.
        env.world(|world| world.faults_mut().clear());
        let id = env.purchase(Purchase::flat_rate("silver"));
        env.system.reconcile().await.expect("a run");
        assert_eq!(env.event_names(id).await, ["Purchased"]);
    }
}
