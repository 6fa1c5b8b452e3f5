//! What the items of DynamoDB have besides their keys: when they expire, and which index they are in.

use super::*;

#[tokio::test]
async fn events_and_marks_expire_and_records_never() {
    let table = Table::new().await;
    let purchase = first(id(1), "Suspended");
    table.store.commit(id(1), &marked(Some(&purchase), &mark(1))).await.expect("committed");
    let day = 24 * 60 * 60;
    let items = table.items(id(1)).await;
    let found_by = items.iter().filter(|item| sort(item).starts_with("SEARCH#")).count();
    assert_eq!(items.len(), 1 + 1 + purchase.events.len() + found_by, "record, mark, events");
    assert!(found_by > 0);
    for item in items {
        let lives = item.get("expires_at").map(|at| {
            let at: i64 = at.as_n().expect("TTL needs a number").parse().expect("of seconds");
            at - noon().as_second()
        });
        match sort(&item) {
            "RECORD" => assert_eq!(lives, None, "T-25: records are kept"),
            search if search.starts_with("SEARCH#") => assert_eq!(lives, None),
            // Much longer than the eight hours of redelivery (F-WHD-4).
            mark if mark.starts_with("OP#") => assert_eq!(lives, Some(90 * day)),
            event if event.starts_with("EVENT#") => assert_eq!(lives, Some(400 * day)),
            other => panic!("an unknown item: {other}"),
        }
    }
}

#[tokio::test]
async fn only_records_are_indexed_for_lists() {
    let table = Table::new().await;
    let purchase = first(id(1), "Subscribed");
    table.store.commit(id(1), &marked(Some(&purchase), &mark(1))).await.expect("committed");
    for item in table.items(id(1)).await {
        let keys = ["status", "offer_id", "listed", "last_change", "term_end"];
        let listed = keys.map(|key| item.contains_key(key));
        assert_eq!(listed, [sort(&item) == "RECORD"; 5], "{}", sort(&item));
        let is_searched = sort(&item).starts_with("SEARCH#");
        assert_eq!(item.contains_key("search"), is_searched, "{}", sort(&item));
    }
}
