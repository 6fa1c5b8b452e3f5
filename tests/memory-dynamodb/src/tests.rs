//! What the contract of the stores doesn't reach: strictness, lateness, and troubles.

use std::time::Duration;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::{Answer, Behaviour, DynamoDb, Trouble};

fn noon() -> Timestamp {
    "2026-03-10T12:00:00Z".parse().expect("a timestamp")
}

fn after(seconds: i64) -> Timestamp {
    noon() + SignedDuration::from_secs(seconds)
}

fn ask_in_trouble(table: &mut DynamoDb, operation: &str, body: &Value, at: Timestamp) -> Answer {
    let request = http::Request::post("/")
        .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
        .body(Bytes::from(body.to_string()))
        .expect("a request");
    table.answer(&request, at, false)
}

/// Asks a table without troubles.
fn ask(table: &mut DynamoDb, operation: &str, body: &Value, at: Timestamp) -> Answer {
    let answer = ask_in_trouble(table, operation, body, at);
    assert_eq!(answer.trouble, None);
    answer
}

fn read(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).expect("JSON")
}

fn table() -> DynamoDb {
    DynamoDb::new("table", Behaviour::default(), 0)
}

fn key(sort: &str) -> Value {
    json!({ "pk": { "S": "SUB#1" }, "sk": { "S": sort } })
}

fn item(sort: &str, version: u64) -> Value {
    let mut item = key(sort);
    item["version"] = json!({ "N": version.to_string() });
    item
}

fn put(table: &mut DynamoDb, item: &Value, at: Timestamp) {
    let answer = ask(table, "PutItem", &json!({ "TableName": "table", "Item": item }), at);
    assert_eq!(answer.status, 200, "{:?}", answer.wrong);
}

fn get(table: &mut DynamoDb, sort: &str, is_consistent: bool, at: Timestamp) -> Option<Value> {
    let request =
        json!({ "TableName": "table", "Key": key(sort), "ConsistentRead": is_consistent });
    let answer = ask(table, "GetItem", &request, at);
    read(&answer).get("Item").cloned()
}

fn transaction(token: &str, puts: &[Value]) -> Value {
    let items: Vec<_> = puts.iter().map(|put| json!({ "Put": put })).collect();
    json!({ "TransactItems": items, "ClientRequestToken": token })
}

fn put_if_version(item: &Value, expected: u64) -> Value {
    json!({
        "TableName": "table", "Item": item, "ConditionExpression": "#version = :expected",
        "ExpressionAttributeNames": { "#version": "version" },
        "ExpressionAttributeValues": { ":expected": { "N": expected.to_string() } },
    })
}

#[test]
fn what_the_table_does_not_know_is_refused_and_reported() {
    let item = item("RECORD", 1);
    let with = |name: &str, value: Value| {
        let mut put = put_if_version(&item, 0);
        put[name] = value;
        put
    };
    let names = json!({ "#version": "version", "#other": "other" });
    let write = |sort: &str| json!({ "PutRequest": { "Item": key(sort) } });
    for (operation, body) in [
        ("DeleteTable", json!({ "TableName": "table" })),
        ("PutItem", json!({ "TableName": "another", "Item": item })),
        ("PutItem", with("ReturnValues", json!("ALL_OLD"))),
        ("PutItem", with("ConditionExpression", json!("#version <> :expected"))),
        ("PutItem", with("ConditionExpression", json!("#version = :expected #version"))),
        ("PutItem", with("ConditionExpression", json!("version = :expected"))),
        ("PutItem", with("ConditionExpression", json!("#version = :other"))),
        ("PutItem", with("ExpressionAttributeNames", names)),
        ("PutItem", with("Item", json!({ "pk": { "S": "SUB#1" } }))),
        ("PutItem", with("Item", json!({ "pk": { "S": "SUB#1" }, "sk": { "N": "1" } }))),
        (
            "PutItem",
            with("Item", json!({ "pk": { "S": "1" }, "sk": { "S": "1" }, "x": { "VECTOR": 1 } })),
        ),
        ("GetItem", json!({ "TableName": "table", "Key": item })),
        ("BatchGetItem", json!({ "RequestItems": { "table": { "Keys": [] } } })),
        ("BatchGetItem", json!({ "RequestItems": { "table": { "Keys": [key("A"), key("A")] } } })),
        ("BatchWriteItem", json!({ "RequestItems": { "table": [] } })),
        ("BatchWriteItem", json!({ "RequestItems": { "table": [write("A"), write("A")] } })),
        ("TransactWriteItems", transaction("a", &[])),
    ] {
        let answer = ask(&mut table(), operation, &body, noon());
        assert_eq!(answer.status, 400, "{operation} {body}");
        assert!(answer.wrong.is_some(), "{operation} {body}");
        assert!(answer.written.is_empty());
    }
}

#[test]
fn a_read_without_consistent_read_shows_an_older_state_for_a_while() {
    let behaviour = Behaviour { read_lag: Duration::from_secs(30), ..Behaviour::default() };
    let mut table = DynamoDb::new("table", behaviour, 0);
    put(&mut table, &item("RECORD", 1), noon());
    put(&mut table, &item("RECORD", 2), after(60));
    let newest = Some(item("RECORD", 2));
    let batch = json!({ "RequestItems": { "table": { "Keys": [key("RECORD")] } } });
    let late = (0..50).filter(|_| ask(&mut table, "BatchGetItem", &batch, after(75)).is_late);
    assert!((1..50).contains(&late.count()));
    let read: Vec<_> = (0..50).map(|_| get(&mut table, "RECORD", false, after(75))).collect();
    assert!(read.contains(&newest) && read.contains(&Some(item("RECORD", 1))));
    for _ in 0..50 {
        assert_eq!(get(&mut table, "RECORD", true, after(60)), newest);
        assert_eq!(get(&mut table, "RECORD", false, after(91)), newest);
    }
}

#[test]
fn an_index_lags_behind_the_table() {
    let behaviour = Behaviour { index_lag: Duration::from_secs(30), ..Behaviour::default() };
    let mut table = DynamoDb::new("table", behaviour, 0);
    let mut due = item("EVENT#1", 1);
    due["outbox"] = json!({ "S": "DUE" });
    due["due_at"] = json!({ "S": "2026-03-10T12:00:00Z" });
    put(&mut table, &due, noon());
    let query = json!({
        "TableName": "table", "IndexName": "by-due", "Limit": 10,
        "KeyConditionExpression": "#outbox = :outbox",
        "ExpressionAttributeNames": { "#outbox": "outbox" },
        "ExpressionAttributeValues": { ":outbox": { "S": "DUE" } },
    });
    let mut count = |at| read(&ask(&mut table, "Query", &query, at))["Count"].as_u64();
    let early: Vec<_> = (0..50).map(|_| count(after(15))).collect();
    assert!(early.contains(&Some(0)) && early.contains(&Some(1)), "{early:?}");
    assert_eq!(count(after(31)), Some(1));
}

#[test]
fn an_index_is_read_from_either_end_and_filters_by_what_it_includes() {
    let mut table = table();
    for number in 0..5 {
        let mut record = item("RECORD", number);
        record["pk"]["S"] = json!(format!("SUB#{number}"));
        record["listed"] = json!({ "S": "RECORD#0" });
        record["last_change"] = json!({ "S": format!("2026-03-10#{number}") });
        record["status"] = json!({ "S": if number == 2 { "Suspended" } else { "Subscribed" } });
        record["offer_id"] = json!({ "S": "offer" });
        put(&mut table, &record, noon());
    }
    let query = json!({
        "TableName": "table", "IndexName": "by-change", "Limit": 2,
        "KeyConditionExpression": "#key = :key", "FilterExpression": "#by = :by",
        "ExpressionAttributeNames": { "#key": "listed", "#by": "status" },
        "ExpressionAttributeValues": {
            ":key": { "S": "RECORD#0" }, ":by": { "S": "Subscribed" },
        },
    });
    let mut pages = |by: &str, value: Value, is_forward: bool| {
        let mut query = query.clone();
        query["ExpressionAttributeNames"]["#by"] = json!(by);
        query["ExpressionAttributeValues"][":by"] = value;
        query["ScanIndexForward"] = json!(is_forward);
        let mut pages = Vec::new();
        loop {
            let answer = ask(&mut table, "Query", &query, noon());
            if answer.wrong.is_some() {
                return answer.wrong.into_iter().collect();
            }
            let page = read(&answer);
            let items = page["Items"].as_array().expect("items").iter();
            pages.push(items.map(|item| item["pk"]["S"].to_string()).collect::<Vec<_>>().join(" "));
            let Some(last) = page.get("LastEvaluatedKey") else { return pages };
            query["ExclusiveStartKey"] = last.clone();
        }
    };
    let subscribed = json!({ "S": "Subscribed" });
    let forward = [r#""SUB#0" "SUB#1""#, r#""SUB#3""#, r#""SUB#4""#];
    assert_eq!(pages("status", subscribed.clone(), true), forward);
    let backward = [r#""SUB#4" "SUB#3""#, r#""SUB#1""#, r#""SUB#0""#];
    assert_eq!(pages("status", subscribed, false), backward);
    let not_included = pages("version", json!({ "N": "1" }), true);
    assert_eq!(not_included.concat(), "", "the index doesn't hold the version");
    let on_key = pages("last_change", json!({ "S": "2026-03-10#1" }), true).concat();
    assert!(on_key.contains("a filter on a key"), "{on_key}");
}

#[test]
fn a_filter_by_the_beginning_of_a_text_leaves_out_entries_that_were_looked_at() {
    let mut table = table();
    for (number, term) in ["contoso", "contract", "con"].into_iter().enumerate() {
        let mut found = item(&format!("SEARCH#{number}"), 1);
        found["search"] = json!({ "S": "key" });
        found["subscription_id"] = json!({ "S": number.to_string() });
        found["term"] = json!({ "S": term });
        put(&mut table, &found, noon());
    }
    let mut query = json!({
        "TableName": "table", "IndexName": "by-search", "Limit": 10,
        "KeyConditionExpression": "#key = :key", "FilterExpression": "begins_with(#term, :text)",
        "ExpressionAttributeNames": { "#key": "search", "#term": "term" },
        "ExpressionAttributeValues": { ":key": { "S": "key" }, ":text": { "S": "cont" } },
    });
    let answer = ask(&mut table, "Query", &query, noon());
    assert_eq!((&read(&answer)["Count"], &read(&answer)["ScannedCount"]), (&json!(2), &json!(3)));
    assert!(answer.looked_at > 3 * "pkSUB#1skSEARCH#0searchkeysubscription_id0term".len());
    query["FilterExpression"] = json!("begins_with(#term :text)");
    assert!(ask(&mut table, "Query", &query, noon()).wrong.is_some());
}

#[test]
fn a_transaction_deletes_what_is_there_and_passes_over_what_is_not() {
    let mut table = table();
    put(&mut table, &item("SEARCH#1", 1), noon());
    let delete = |sort| json!({ "Delete": { "TableName": "table", "Key": key(sort) } });
    let mut both = transaction("a", &[json!({ "TableName": "table", "Item": item("RECORD", 1) })]);
    let items = both["TransactItems"].as_array_mut().expect("items");
    items.extend([delete("SEARCH#1"), delete("SEARCH#2")]);
    let answer = ask(&mut table, "TransactWriteItems", &both, noon());
    assert_eq!((answer.status, answer.written.len()), (200, 1), "{:?}", answer.wrong);
    assert_eq!(get(&mut table, "SEARCH#1", true, noon()), None);
    let twice = json!({ "TransactItems": [delete("A"), delete("A")] });
    assert!(ask(&mut table, "TransactWriteItems", &twice, noon()).wrong.is_some());
}

#[test]
fn a_page_ends_at_its_size_and_the_next_one_goes_on() {
    let behaviour = Behaviour { page_size: 2, ..Behaviour::default() };
    let mut table = DynamoDb::new("table", behaviour, 0);
    for number in 0..5 {
        put(&mut table, &item(&format!("EVENT#{number}"), number), noon());
    }
    let mut query = json!({
        "TableName": "table", "Limit": 10, "ConsistentRead": true,
        "KeyConditionExpression": "#pk = :pk AND #sk BETWEEN :from AND :to",
        "ExpressionAttributeNames": { "#pk": "pk", "#sk": "sk" },
        "ExpressionAttributeValues": {
            ":pk": { "S": "SUB#1" }, ":from": { "S": "EVENT#1" }, ":to": { "S": "EVENT#4" },
        },
    });
    let mut pages = Vec::new();
    loop {
        let page = read(&ask(&mut table, "Query", &query, noon()));
        let items = page["Items"].as_array().expect("items").iter();
        pages.push(items.map(|item| item["sk"]["S"].to_string()).collect::<Vec<_>>().join(" "));
        let Some(last) = page.get("LastEvaluatedKey") else { break };
        query["ExclusiveStartKey"] = last.clone();
    }
    // The last full page doesn't know that nothing follows.
    assert_eq!(pages, [r#""EVENT#1" "EVENT#2""#, r#""EVENT#3" "EVENT#4""#, ""]);
}

#[test]
fn a_transaction_writes_all_or_nothing_and_says_which_condition_failed() {
    let mut table = table();
    put(&mut table, &item("RECORD", 1), noon());
    let mark = json!({ "TableName": "table", "Item": key("OP#1") });
    let stale = transaction("a", &[mark.clone(), put_if_version(&item("RECORD", 3), 2)]);
    let refused = ask(&mut table, "TransactWriteItems", &stale, noon());
    let codes = json!([{ "Code": "None" }, { "Code": "ConditionalCheckFailed" }]);
    assert_eq!(read(&refused)["CancellationReasons"], codes);
    assert_eq!(get(&mut table, "OP#1", true, noon()), None);
    let good = transaction("a", &[mark, put_if_version(&item("RECORD", 2), 1)]);
    assert_eq!(ask(&mut table, "TransactWriteItems", &good, noon()).written.len(), 2);
    assert_eq!(get(&mut table, "RECORD", true, noon()), Some(item("RECORD", 2)));
}

#[test]
fn a_transaction_is_repeated_by_its_token_without_an_effect() {
    let mut table = table();
    put(&mut table, &item("RECORD", 1), noon());
    let write = transaction("token", &[put_if_version(&item("RECORD", 2), 1)]);
    assert_eq!(ask(&mut table, "TransactWriteItems", &write, noon()).written.len(), 1);
    let again = ask(&mut table, "TransactWriteItems", &write, after(599));
    assert_eq!((again.status, again.written.len()), (200, 0));
    let other = transaction("token", &[put_if_version(&item("RECORD", 3), 2)]);
    assert!(ask(&mut table, "TransactWriteItems", &other, after(599)).wrong.is_some());
    let forgotten = ask(&mut table, "TransactWriteItems", &write, after(601));
    assert_eq!(forgotten.status, 400, "the condition fails once the token is forgotten");
}

#[test]
fn an_expired_item_stays_until_it_is_removed() {
    let behaviour = Behaviour { expiry_delay: Duration::from_secs(3600), ..Behaviour::default() };
    let mut table = DynamoDb::new("table", behaviour, 0);
    let mut mark = key("OP#1");
    mark["expires_at"] = json!({ "N": noon().as_second().to_string() });
    put(&mut table, &mark, noon());
    assert!(get(&mut table, "OP#1", true, after(3500)).is_some());
    assert!(get(&mut table, "OP#1", true, after(5000)).is_none());
}

#[test]
fn every_trouble_comes_in_series_and_a_calm_table_has_none() {
    let behaviour = Behaviour { trouble_one_in: Some(10), ..Behaviour::default() };
    let mut table = DynamoDb::new("table", behaviour, 0);
    let keys = [key("A"), key("B"), key("C")];
    let batch = json!({ "RequestItems": { "table": { "Keys": keys, "ConsistentRead": true } } });
    let mut met = Vec::new();
    for round in 0..4000 {
        let write =
            transaction(&format!("{round}"), &[json!({ "TableName": "table", "Item": key("A") })]);
        let answer = ask_in_trouble(&mut table, "TransactWriteItems", &write, noon());
        let wrote = usize::from(matches!(answer.trouble, None | Some(Trouble::FailsAfter)));
        assert_eq!(answer.written.len(), wrote, "{:?}", answer.trouble);
        met.extend(answer.trouble);
        let answer = ask_in_trouble(&mut table, "BatchGetItem", &batch, noon());
        if answer.trouble == Some(Trouble::Unprocessed) {
            let left = &read(&answer)["UnprocessedKeys"]["table"];
            assert!(left.is_null() || left["ConsistentRead"] == true, "{left}");
        }
        met.extend(answer.trouble);
    }
    for trouble in Trouble::ALL {
        assert!(met.contains(&trouble), "{trouble:?}");
    }
    let request = http::Request::post("/")
        .header("x-amz-target", "DynamoDB_20120810.BatchGetItem")
        .body(Bytes::from(batch.to_string()))
        .expect("a request");
    assert!((0..1000).all(|_| table.answer(&request, noon(), true).trouble.is_none()));
}
