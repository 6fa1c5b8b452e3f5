//! Exports of tables that change, from an API that fails, into files that can't be written.

use std::process::Stdio;
use std::sync::Arc;

use http::StatusCode;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::sync::Semaphore;

use crate::export::{Folder, text};
use crate::scripted_api::ScriptedApi;
use crate::test_env::{command, run};

fn record(id: &str, version: u64, updated: &str) -> Value {
    let updated_at = format!("2026-03-10T{updated}:00Z");
    json!({ "subscription": { "id": id }, "version": version, "updatedAt": updated_at })
}

fn ok(body: Value) -> (StatusCode, Value) {
    (StatusCode::OK, body)
}

fn list(records: &[Value], next: Option<&str>) -> (StatusCode, Value) {
    ok(json!({ "subscriptions": records, "next": next }))
}

/// The page of events after a version, of a subscription with so many pages.
fn events(path: &str, pages: u64) -> (StatusCode, Value) {
    let (id, after) = path.split_once("/events?after=").expect("a page of events");
    let id = id.rsplit('/').next().expect("an id");
    let after: u64 = after.parse().expect("a version");
    let event = json!({ "subscriptionId": id, "version": after + 1 });
    let next = (after + 1 < pages).then(|| (after + 1).to_string());
    ok(json!({ "events": [event], "next": next }))
}

/// An API with these subscriptions on one page, each with one event.
fn calm(path: &str, ids: &[&str]) -> (StatusCode, Value) {
    match path.split_once("/events") {
        Some(_) => events(path, 1),
        None => list(&ids.iter().map(|id| record(id, 1, "12:00")).collect::<Vec<_>>(), None),
    }
}

/// What a line is about: an id, and the version of a record or an event.
fn summary(exported: &str) -> Vec<String> {
    let line = |line: &str| {
        let line: Value = serde_json::from_str(line).expect("JSON");
        match (&line["record"], &line["event"]) {
            (Value::Null, event) => {
                format!("{} event {}", event["subscriptionId"], event["version"])
            }
            (record, _) => format!("{} record {}", record["subscription"]["id"], record["version"]),
        }
    };
    exported.lines().map(|text| line(text).replace('"', "")).collect()
}

#[tokio::test]
async fn events_are_read_side_by_side_and_written_in_order() {
    // The events of `a` arrive once those of `b` were asked for.
    let asked_for_b = Arc::new(Semaphore::new(0));
    let api = ScriptedApi::start(move |path| {
        let asked_for_b = asked_for_b.clone();
        async move {
            if path.contains("/b/events") {
                asked_for_b.add_permits(10);
            } else if path.contains("/a/events?after=0") {
                asked_for_b.acquire().await.expect("it is open").forget();
            }
            if path.contains("/events") {
                return events(&path, 3);
            }
            calm(&path, &["a", "b"])
        }
    })
    .await;
    let exported = run(&mut command(&api.url, &["export"]), "").await.done();
    assert_eq!(
        summary(&exported),
        [
            "a record 1",
            "a event 1",
            "a event 2",
            "a event 3",
            "b record 1",
            "b event 1",
            "b event 2",
            "b event 3",
        ]
    );
    let agent = concat!("saasctl/", env!("CARGO_PKG_VERSION"), " export");
    assert!(api.asked().iter().all(|(_, by)| by == agent), "{:?}", api.asked());
}

#[tokio::test]
async fn a_page_is_written_before_the_next_one_is_read() {
    let is_written = Arc::new(Semaphore::new(0));
    let released = is_written.clone();
    let api = ScriptedApi::start(move |path| {
        let released = released.clone();
        async move {
            if path.contains("next=2") {
                released.acquire().await.expect("it is open").forget();
                return list(&[record("b", 1, "12:00")], None);
            }
            match path.as_str() {
                "/subscriptions" => list(&[record("a", 1, "12:00")], Some("2")),
                _ => calm(&path, &["a"]),
            }
        }
    })
    .await;
    let mut child = command(&api.url, &["export", "--only", "records"]).spawn().expect("it starts");
    let mut lines = BufReader::new(child.stdout.take().expect("standard output")).lines();
    let first = lines.next_line().await.expect("a line").expect("a line");
    assert_eq!(summary(&first), ["a record 1"]);
    is_written.add_permits(1);
    let second = lines.next_line().await.expect("a line").expect("a line");
    assert_eq!(summary(&second), ["b record 1"]);
    assert_eq!(lines.next_line().await.expect("the end"), None);
    assert!(child.wait().await.expect("it ends").success());
}

#[tokio::test]
async fn a_subscription_that_moves_between_pages_is_exported_all_the_same() {
    // `b` is on the first page by the time the second one is read, so neither shows it. `a` changes
    // once it was read, and `c` only before.
    let api = ScriptedApi::start(|path| async move {
        match path.as_str() {
            "/subscriptions" => list(&[record("a", 1, "12:00")], Some("2")),
            "/subscriptions?next=2" => list(&[record("c", 7, "11:00")], None),
            "/subscriptions?sort=lastChange&limit=1" => list(&[record("a", 1, "12:00")], Some("x")),
            "/subscriptions?sort=lastChange" => {
                list(&[record("b", 4, "12:05"), record("a", 2, "12:01")], Some("y"))
            }
            "/subscriptions?sort=lastChange&next=y" => list(&[record("c", 7, "11:00")], Some("z")),
            _ => (StatusCode::NOT_FOUND, Value::Null),
        }
    })
    .await;
    let exported = run(&mut command(&api.url, &["export", "--only", "records"]), "").await.done();
    let expected = ["a record 1", "c record 7", "b record 4", "a record 2"];
    assert_eq!(summary(&exported), expected);
}

#[tokio::test]
async fn an_api_that_is_unavailable_for_a_moment_is_asked_again() {
    let is_down = Arc::new(Semaphore::new(1));
    let api = ScriptedApi::start(move |path| {
        let is_down = is_down.clone();
        async move {
            if path.contains("/b/events")
                && let Ok(once) = is_down.try_acquire()
            {
                once.forget();
                return (StatusCode::SERVICE_UNAVAILABLE, json!({ "code": "unavailable" }));
            }
            calm(&path, &["a", "b"])
        }
    })
    .await;
    let exported = run(&mut command(&api.url, &["export"]), "").await.done();
    assert_eq!(summary(&exported), ["a record 1", "a event 1", "b record 1", "b event 1"]);
}

#[tokio::test]
async fn an_export_that_fails_leaves_no_file_and_says_how_far_it_came() {
    let api = ScriptedApi::start(|path| async move {
        if path.contains("/b/events") {
            return (StatusCode::FORBIDDEN, json!({ "message": "Forbidden" }));
        }
        calm(&path, &["a", "b"])
    })
    .await;
    let folder = Folder::new();
    let file = folder.file("all.csv");
    let words = ["export", "--only", "events", "--format", "csv", "--output", text(&file)];
    let said = run(&mut command(&api.url, &words), "").await.failed(1, "http_403");
    let expected = "Stopped (subscriptions: 1, events: 1): ";
    assert!(said.starts_with(expected) && said.contains("all.csv was not written"), "{said}");
    assert_eq!(folder.names(), [""; 0]);
    // An earlier export stays.
    std::fs::write(&file, "earlier").expect("a file");
    run(&mut command(&api.url, &words), "").await.failed(1, "http_403");
    assert_eq!(std::fs::read_to_string(&file).expect("the file"), "earlier");
    assert_eq!(folder.names(), ["all.csv"]);
}

#[tokio::test]
async fn an_export_that_is_killed_leaves_nothing_that_looks_complete() {
    let api = ScriptedApi::start(|path| async move {
        match path.as_str() {
            "/subscriptions" => list(&[record("a", 1, "12:00")], Some("2")),
            "/subscriptions?next=2" => std::future::pending().await,
            _ => calm(&path, &["a"]),
        }
    })
    .await;
    let folder = Folder::new();
    let words = ["export", "--output", text(&folder.file("all.jsonl"))].map(str::to_owned);
    let mut child = command(&api.url, &words.each_ref().map(String::as_str));
    let mut child = child.stdout(Stdio::null()).spawn().expect("it starts");
    while !api.asked().iter().any(|(path, _)| path.contains("next=2")) {
        tokio::task::yield_now().await;
    }
    // While it runs, no second export may write the same file.
    let second = run(&mut command(&api.url, &words.each_ref().map(String::as_str)), "").await;
    let said = second.failed(1, "unwritable_file");
    assert!(said.contains("another export is writing it"), "{said}");
    child.kill().await.expect("it is killed");
    assert_eq!(folder.names(), ["all.jsonl.partial"]);
}

#[tokio::test]
async fn a_folder_that_does_not_exist_is_found_before_anything_is_read() {
    let api = ScriptedApi::start(|path| async move { calm(&path, &[]) }).await;
    let folder = Folder::new();
    let file = folder.file("missing/all.jsonl");
    let words = ["export", "--output", text(&file)];
    run(&mut command(&api.url, &words), "").await.failed(1, "unwritable_file");
    assert_eq!(api.asked(), []);
}
