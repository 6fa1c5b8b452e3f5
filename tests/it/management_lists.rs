//! The management API: lists and histories, with filters and page by page.

use std::collections::BTreeSet;
use std::time::Duration;

use emulator::Purchase;
use http::StatusCode;
use serde_json::{Value, json};
use shared::domain::{Cause, Observation, SubscriptionId};
use shared::flows::ledger::Ledger;
use uuid::Uuid;

use crate::test_env::{TestEnv, is_problem};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn ids(page: &Value) -> Vec<Uuid> {
    let subscriptions = page["subscriptions"].as_array().expect("a list").iter();
    subscriptions
        .map(|record| record["subscription"]["id"].as_str().expect("an id"))
        .map(|id| id.parse().expect("a GUID"))
        .collect()
}

/// The ids in all pages of a list, and the number of pages.
async fn listed(env: &TestEnv, query: &str) -> (BTreeSet<Uuid>, usize) {
    let (mut all, mut pages, mut next) = (Vec::new(), 0, String::new());
    loop {
        let page = env.get(&format!("/subscriptions?{query}{next}")).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        let page = page.json();
        all.extend(ids(&page));
        pages += 1;
        match page["next"].as_str() {
            Some(more) => next = format!("&next={more}"),
            None => break,
        }
    }
    let distinct: BTreeSet<Uuid> = all.iter().copied().collect();
    assert_eq!(distinct.len(), all.len(), "a subscription is listed twice");
    (distinct, pages)
}

/// Records a synthetic observation in the table, without a purchase at Microsoft.
async fn record_observation(env: &TestEnv, id: Uuid, more: Value) {
    let mut subscription = json!({
        "id": id, "offerId": "offer", "planId": "basic", "name": "Generated", "quantity": 1,
        "saasSubscriptionStatus": "Subscribed", "created": "2026-03-01T00:00:00Z",
    });
    for (name, value) in more.as_object().expect("an object") {
        subscription[name] = value.clone();
    }
    let observed: Observation = serde_json::from_value(subscription).expect("an observation");
    let id = SubscriptionId(id);
    let ledger = Ledger::new(env.system.store.clone(), env.system.clock.clone());
    let current = ledger.load(id).await.expect("the table is there");
    ledger.adopt(id, current, &observed, &Cause::Reconciliation).await.expect("a commit");
}

#[tokio::test]
async fn lists_are_filtered_by_status_and_offer() {
    let env = TestEnv::new().await;
    let silver = env.active(Purchase::flat_rate("silver")).await;
    let seats = env.active(Purchase::per_seat("basic", 1)).await;
    let suspended = env.active(Purchase::flat_rate("gold")).await;
    env.world(|world| world.suspend(suspended)).expect("a suspension");
    env.deliver_statuses().await;
    let pending = env.purchase(Purchase::per_seat("basic", 2));
    env.visit(pending).await;
    for (query, expected) in [
        ("", vec![silver, seats, suspended, pending]),
        ("status=Subscribed", vec![silver, seats]),
        ("status=Suspended", vec![suspended]),
        ("status=subscribed", vec![silver, seats]),
        ("status=PendingFulfillmentStart", vec![pending]),
        ("status=Unsubscribed", vec![]),
        ("status=SomethingNew", vec![]),
        ("offer=per-seat-1", vec![seats, pending]),
        ("offer=per-seat-1&status=Subscribed", vec![seats]),
        ("offer=nothing-of-ours", vec![]),
        ("status=&offer=", vec![silver, seats, suspended, pending]),
        ("status=%20&offer=+%09", vec![silver, seats, suspended, pending]),
    ] {
        let (found, _) = listed(&env, query).await;
        assert_eq!(found, expected.into_iter().collect(), "{query}");
    }
    for name in ["status", "offer"] {
        // A filter over 100 characters is refused. DynamoDB limits keys to 2 KB.
        let list = |length| format!("/subscriptions?{name}={}", "w".repeat(length));
        assert_eq!(env.get(&list(100)).await.status, StatusCode::OK, "{name}");
        for length in [101, 3000] {
            is_problem(&env.get(&list(length)).await, StatusCode::BAD_REQUEST, "malformed_request");
        }
    }
    let empty = TestEnv::new().await;
    assert_eq!(empty.get("/subscriptions").await.json()["subscriptions"], json!([]));
}

#[tokio::test]
async fn a_list_is_sorted_on_request() {
    let env = TestEnv::new().await;
    let [late, soon, ended, pending] = [4, 2, 3, 1].map(Uuid::from_u128);
    let term =
        |day: u32| json!({ "termUnit": "P1M", "endDate": format!("2026-04-{day:02}T00:00:00Z") });
    for (id, more) in [
        (late, json!({ "term": term(20) })),
        (ended, json!({ "term": term(1), "saasSubscriptionStatus": "Unsubscribed" })),
        (pending, json!({ "saasSubscriptionStatus": "PendingFulfillmentStart" })),
        (soon, json!({ "term": term(10), "offerId": "other" })),
    ] {
        record_observation(&env, id, more).await;
        env.advance(DAY);
    }
    record_observation(&env, late, json!({ "term": term(20), "quantity": 2 })).await;
    for (query, expected) in [
        ("sort=lastChange", vec![late, soon, pending, ended]),
        ("sort=termEnd", vec![soon, late, pending, ended]),
        ("sort=%20termEnd&status=", vec![soon, late, pending, ended]),
        ("sort=lastChange&status=Subscribed", vec![late, soon]),
        ("sort=termEnd&offer=offer", vec![late, pending, ended]),
        ("sort=termEnd&offer=other&status=Subscribed", vec![soon]),
        ("sort=termEnd&status=Suspended", vec![]),
    ] {
        let page = env.get(&format!("/subscriptions?{query}")).await;
        assert_eq!(page.status, StatusCode::OK, "{query}: {}", page.body);
        assert_eq!(ids(&page.json()), expected, "{query}");
    }
    for unknown in ["name", "lastchange", "-termEnd", "termEnd,lastChange"] {
        let answer = env.get(&format!("/subscriptions?sort={unknown}")).await;
        is_problem(&answer, StatusCode::BAD_REQUEST, "malformed_request");
        let detail = answer.json()["detail"].as_str().map(str::to_owned).unwrap_or_default();
        assert!(detail.contains("lastChange") && detail.contains("termEnd"), "{detail}");
    }
}

#[tokio::test]
async fn long_lists_come_in_pages_that_leave_nothing_out() {
    let env = TestEnv::new().await;
    let all: BTreeSet<Uuid> = (1..=230).map(Uuid::from_u128).collect();
    for id in &all {
        let offer = if id.as_u128() % 2 == 0 { "even" } else { "odd" };
        record_observation(&env, *id, json!({ "offerId": offer })).await;
    }
    for query in ["", "status=Subscribed", "sort=lastChange", "sort=termEnd&status=Subscribed"] {
        let (found, pages) = listed(&env, query).await;
        assert_eq!(found, all, "{query}");
        assert!(pages > 1, "{query}");
    }
    let even: BTreeSet<Uuid> = all.iter().copied().filter(|id| id.as_u128() % 2 == 0).collect();
    let (found, pages) = listed(&env, "offer=even&status=Subscribed").await;
    assert_eq!(found, even);
    assert!(pages > 1);
    let (none, _) = listed(&env, "offer=even&status=Suspended").await;
    assert!(none.is_empty());

    // A continuation token is valid only for the list that it came from.
    let first = env.get("/subscriptions?status=Subscribed").await.json();
    let token = first["next"].as_str().expect("a token");
    assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
    let elsewhere = env.get(&format!("/subscriptions?status=Suspended&next={token}")).await;
    is_problem(&elsewhere, StatusCode::BAD_REQUEST, "malformed_request");
    let sorted = env.get("/subscriptions?sort=termEnd").await.json();
    let token = sorted["next"].as_str().expect("a token");
    assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
    for query in ["", "sort=lastChange&"] {
        let elsewhere = env.get(&format!("/subscriptions?{query}next={token}")).await;
        is_problem(&elsewhere, StatusCode::BAD_REQUEST, "malformed_request");
    }
    for next in [
        "x",
        "eDp5",
        "Og",
        "x:y",
        ":",
        "%00",
        "1:Subscribed",
        "00000000-0000-0000-0000-000000000001",
    ] {
        let answer = env.get(&format!("/subscriptions?next={next}")).await;
        is_problem(&answer, StatusCode::BAD_REQUEST, "malformed_request");
    }
}

#[tokio::test]
async fn a_long_history_comes_in_pages_that_leave_nothing_out() {
    let env = TestEnv::new().await;
    let id = Uuid::from_u128(7);
    for seats in 1..=230 {
        record_observation(&env, id, json!({ "quantity": seats })).await;
        env.advance(DAY);
    }
    let (mut seats, mut after, mut pages) = (Vec::new(), "0".to_owned(), 0);
    loop {
        let page = env.get(&format!("/subscriptions/{id}/events?after={after}")).await.json();
        for event in page["events"].as_array().expect("events") {
            if event["type"] == "QuantityChanged" {
                seats.push(event["to"].as_u64().expect("seats"));
            }
        }
        pages += 1;
        match page["next"].as_str() {
            Some(next) => next.clone_into(&mut after),
            None => break,
        }
    }
    assert!(pages > 1);
    assert_eq!(seats, (2..=230).collect::<Vec<_>>());
}

#[tokio::test]
async fn one_unreadable_record_does_not_hide_the_others() {
    let env = TestEnv::new().await;
    let good = env.active(Purchase::flat_rate("silver")).await;
    let bad = env.active(Purchase::flat_rate("silver")).await;
    crate::probe::corrupt(&env, bad, "neither a record nor anything else").await;
    let (found, _) = listed(&env, "").await;
    assert_eq!(found, BTreeSet::from([good]));
    let answer = env.get(&format!("/subscriptions/{bad}")).await;
    is_problem(&answer, StatusCode::SERVICE_UNAVAILABLE, "table");
}

/// F-OBJ-12.
#[tokio::test]
async fn test_purchases_are_listed_alone_or_left_out() {
    let env = TestEnv::new().await;
    let real = env.active(Purchase::flat_rate("silver")).await;
    let test = env.active(Purchase::flat_rate("silver").test()).await;
    for filter in
        ["", "&status=Subscribed", "&offer=flat-rate-1", "&sort=lastChange", "&search=contoso"]
    {
        for (word, expected) in [("true", vec![test]), ("false", vec![real])] {
            let answer = env.get(&format!("/subscriptions?test={word}{filter}")).await.json();
            let records = answer["subscriptions"].as_array().expect("a list");
            let ids: Vec<_> = records.iter().map(|it| it["subscription"]["id"].clone()).collect();
            assert_eq!(
                ids,
                expected.iter().map(|id| json!(id)).collect::<Vec<_>>(),
                "{word}{filter}"
            );
        }
    }
}
