//! The contract of every store about the search. Each case gets an empty store.

use std::collections::BTreeSet;

use shared::domain::SearchTerm;

use super::contract::filter;
use super::*;

/// The version that this observation makes, hours after noon.
fn observed(current: Option<&Record>, subscription: &serde_json::Value, hours: i64) -> NextVersion {
    let observed: Observation =
        serde_json::from_value(subscription.clone()).expect("an observation");
    let now = noon() + SignedDuration::from_hours(hours);
    match observe(current, &observed, &Cause::Reconciliation, now) {
        Ok(Decision::Commit(change)) => change,
        other => panic!("nothing to commit: {other:?}"),
    }
}

fn subscription(number: usize) -> serde_json::Value {
    json!({
        "id": id(number), "offerId": "offer", "planId": "silver", "name": "Contoso payroll",
        "saasSubscriptionStatus": "PendingFulfillmentStart",
        "beneficiary": {
            "emailId": "Ann.Andersson@Contoso.example",
            "tenantId": "1d111111-2222-4333-8444-555555555555",
        },
        "purchaser": {
            "emailId": "orders@reseller.example",
            "tenantId": "2e111111-2222-4333-8444-555555555555",
        },
    })
}

pub(super) fn search(text: &str) -> ListQuery {
    ListQuery::by(ListBy::Search(SearchTerm::of(text).expect("long enough")))
}

/// The whole list. Asserts that each record is in it once.
async fn found(store: &dyn Store, query: &ListQuery) -> Vec<Record> {
    let (mut found, mut next) = (Vec::new(), None);
    let mut positions = BTreeSet::new();
    loop {
        let page = store.list(query, next.as_deref()).await.expect("a page");
        assert!(page.items.len() <= usize::from(query.limit));
        found.extend(page.items);
        let Some(position) = page.next else { break };
        assert!(positions.insert(position.clone()), "each page makes progress");
        next = Some(position);
    }
    let distinct: BTreeSet<_> = found.iter().map(Record::id).collect();
    assert_eq!(distinct.len(), found.len(), "a record is listed once");
    found
}

async fn commit(store: &dyn Store, change: &NextVersion) {
    store.commit(change.record.id(), &unmarked(change)).await.expect("committed");
}

/// Every beginning of the text that can be searched for.
fn beginnings(text: &str) -> impl Iterator<Item = &str> {
    text.char_indices().map(|(at, letter)| &text[..at + letter.len_utf8()]).skip(2)
}

pub(super) async fn a_subscription_is_found_by_the_beginning_of_every_searched_value(
    store: &dyn Store,
) {
    let purchase = observed(None, &subscription(1), 0);
    commit(store, &purchase).await;
    let answers = json!({
        "contactEmail": "it@helpdesk.example", "language": "sv",
        "fields": { "company": "Kontoso Åbo AB", "name": "Örjan Öman", "vat": "SE-4711" },
    });
    let answers = serde_json::from_value(answers).expect("answers");
    let Decision::Commit(change) = purchase.record.keep_sign_up(&answers, noon()) else {
        panic!("the answers are kept")
    };
    commit(store, &change).await;
    // Another subscription is not found by these.
    let other = json!({
        "id": "aaaaaaaa-2222-4333-8444-555555555555", "offerId": "offer", "planId": "silver",
        "saasSubscriptionStatus": "Subscribed", "name": "Fabrikam",
    });
    commit(store, &observed(None, &other, 0)).await;
    for value in [
        &*id(1).to_string(),
        "contoso payroll",
        "ann.andersson@contoso.example",
        "contoso.example",
        "1d111111-2222-4333-8444-555555555555",
        "orders@reseller.example",
        "reseller.example",
        "2e111111-2222-4333-8444-555555555555",
        "it@helpdesk.example",
        "helpdesk.example",
        "kontoso åbo ab",
        "örjan öman",
    ] {
        for text in beginnings(value) {
            for text in [text.to_owned(), text.to_uppercase(), format!(" {text}\t")] {
                let found = found(store, &search(&text)).await;
                assert_eq!(found, std::slice::from_ref(&change.record), "{text}");
            }
        }
        let longer = format!("{value}x");
        assert_eq!(found(store, &search(&longer)).await, [], "{longer}");
    }
    for text in ["payroll", "se-4711", "offer", "silver", "PendingFulfillmentStart", "xxx"] {
        assert_eq!(found(store, &search(text)).await, [], "{text}");
    }
}

pub(super) async fn a_value_is_no_longer_found_after_a_change(store: &dyn Store) {
    let mut subscription = subscription(1);
    let first = observed(None, &subscription, 0);
    commit(store, &first).await;
    subscription["name"] = json!("Con");
    subscription["beneficiary"]["emailId"] = json!("bo@contoso.example");
    // A value that two fields share is stored under the first.
    subscription["purchaser"]["emailId"] = json!("bo@contoso.example");
    let second = observed(Some(&first.record), &subscription, 1);
    commit(store, &second).await;
    for gone in ["contoso pay", "contoso payroll", "ann", "ann.andersson@contoso.example", "orders"]
    {
        assert_eq!(found(store, &search(gone)).await, [], "{gone}");
    }
    for there in ["con", "bo@contoso", "contoso.ex", &id(1).to_string()] {
        let found = found(store, &search(there)).await;
        assert_eq!(found, std::slice::from_ref(&second.record), "{there}");
    }
    // Back again.
    subscription["name"] = json!("Contoso payroll");
    let third = observed(Some(&second.record), &subscription, 2);
    commit(store, &third).await;
    assert_eq!(found(store, &search("contoso pay")).await, [third.record]);
}

pub(super) async fn an_unchanged_value_is_found_after_every_change(store: &dyn Store) {
    let first = first(id(1), "Subscribed");
    commit(store, &first).await;
    let mut current = first.record;
    for seats in 11..14 {
        let change = next(&current, seats);
        assert!(!change.has_new_search_terms);
        commit(store, &change).await;
        current = change.record;
        assert_eq!(found(store, &search("subscribed at offer")).await, [current.clone()]);
    }
}

pub(super) async fn a_search_is_filtered_by_status_and_offer(store: &dyn Store) {
    let mut all = Vec::new();
    for (number, status, offer) in
        [(1, "Subscribed", "one"), (2, "Suspended", "one"), (3, "Subscribed", "two")]
    {
        let mut subscription = subscription(number);
        subscription["saasSubscriptionStatus"] = json!(status);
        subscription["offerId"] = json!(offer);
        let purchase = observed(None, &subscription, 0);
        commit(store, &purchase).await;
        all.push(purchase.record);
    }
    for filter in [
        filter(None, None),
        filter(Some("Subscribed"), None),
        filter(None, Some("one")),
        filter(Some("Suspended"), Some("one")),
        filter(Some("Suspended"), Some("two")),
    ] {
        let wanted: Vec<_> =
            all.iter().filter(|record| filter.is_met_by(record)).cloned().collect();
        assert_eq!(
            found(store, &search("Contoso").only(filter.clone())).await,
            wanted,
            "{filter:?}"
        );
    }
}

/// Every third name begins otherwise, and every fourth subscription is found by two of its values.
pub(super) async fn a_search_has_pages_without_losses_and_doubles(store: &dyn Store) {
    const LISTED: usize = 60;
    let mut wanted = Vec::new();
    for number in 0..LISTED {
        let mut subscription = subscription(number);
        let is_other = number.is_multiple_of(3);
        subscription["name"] = json!(if is_other { "Contract" } else { "Contoso" });
        let domain = if number.is_multiple_of(4) { "contoso.test" } else { "other.test" };
        subscription["beneficiary"]["emailId"] = json!(format!("{number}@{domain}"));
        let purchase = observed(None, &subscription, 0);
        commit(store, &purchase).await;
        if !is_other || number.is_multiple_of(4) {
            wanted.push(purchase.record);
        }
    }
    wanted.sort_by_key(Record::id);
    for limit in [1, 7, 100] {
        for (text, wanted) in [("conto", &wanted), ("contosox", &Vec::new())] {
            let query = ListQuery { limit, ..search(text) };
            assert_eq!(found(store, &query).await, *wanted, "{text} {limit}");
        }
        // Every value under this key begins with the text.
        let all = ListQuery { limit, ..search("con") };
        assert_eq!(found(store, &all).await.len(), LISTED, "{limit}");
    }
}

pub(super) async fn a_malformed_search_position_is_refused(store: &dyn Store) {
    for number in 1..=3 {
        commit(store, &observed(None, &subscription(number), 0)).await;
    }
    let query = ListQuery { limit: 1, ..search("contoso") };
    let position = store.list(&query, None).await.expect("a page").next.expect("there are more");
    let all = ListQuery { limit: 1, ..ListQuery::default() };
    let of_another = store.list(&all, None).await.expect("a page").next.expect("there are more");
    for nonsense in [&*of_another, "", "x", "search", "search x", "search listed x y"] {
        let refused = store.list(&query, Some(nonsense)).await;
        assert!(matches!(refused, Err(StoreError::BadPosition)), "{nonsense}: {refused:?}");
    }
    let refused = store.list(&all, Some(&position)).await;
    assert!(matches!(refused, Err(StoreError::BadPosition)), "{refused:?}");
}
