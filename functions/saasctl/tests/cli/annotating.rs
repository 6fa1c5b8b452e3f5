//! The publisher's own references and metadata.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use emulator::Purchase;
use http::StatusCode;
use local::test_env::TestEnv;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::test_env::{Ran, Saasctl as _, command, run};

/// A file that is deleted in the end.
struct File(PathBuf);

impl File {
    fn of(text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("references-{}.csv", Uuid::new_v4()));
        std::fs::write(&path, text).expect("the file can be written");
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().expect("a path")
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

async fn reference(env: &TestEnv, id: Uuid) -> Value {
    env.get(&format!("/subscriptions/{id}")).await.json()["reference"].clone()
}

/// A command that printed its result and failed all the same.
#[track_caller]
fn failed_with_result(ran: Ran, code: &str) -> (String, String) {
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stderr.contains(&format!("error[{code}]: ")), "{ran:?}");
    (ran.stdout, ran.stderr)
}

#[tokio::test]
async fn reference_and_metadata_are_set_shown_and_removed() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::flat_rate("silver")).await.to_string();
    let shown = env.run(&["set-reference", &id, "C-4711"]).await.done();
    assert!(shown.contains("Reference") && shown.contains("C-4711"), "{shown}");
    let shown = env.run(&["set-metadata", &id, "seller=Adele V", "note=a=b"]).await.done();
    assert!(shown.contains("Metadata seller") && shown.contains("Adele V"), "{shown}");
    assert!(env.run(&["show", &id]).await.done().contains("C-4711"));
    env.run(&["set-metadata", &id, "region=eu", "--remove", "note"]).await.done();
    let shown = env.run(&["--json", "set-reference", &id, "--remove"]).await.json();
    assert_eq!(shown["reference"], Value::Null);
    assert_eq!(shown["metadata"], json!({ "seller": "Adele V", "region": "eu" }));

    env.run(&["set-reference", &id, " "]).await.failed(1, "invalid_change");
    let unknown = Uuid::from_u128(1).to_string();
    env.run(&["set-reference", &unknown, "C-1"]).await.failed(1, "unknown_subscription");
    for usage in [
        &["set-reference", &id][..],
        &["set-reference", &id, "C-1", "--remove"],
        &["set-metadata", &id],
        &["set-metadata", &id, "seller"],
    ] {
        assert_eq!(env.run(usage).await.code, 2, "{usage:?}");
    }
}

#[tokio::test]
async fn a_note_is_added_once_under_a_key_and_stands_in_the_history() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::flat_rate("silver")).await.to_string();
    let said = env.run(&["add-note", &id, "Renewal talks in May"]).await.done();
    assert!(said.starts_with("The note of 2026-03-04 09:15:00 is in the history."), "{said}");
    for _ in 0..2 {
        let note = ["--json", "add-note", &id, "They renew", "--key", "call-7"];
        let note = env.run(&note).await.json();
        assert_eq!(note["text"], "They renew");
    }
    let shown = env.run(&["history", &id]).await.done();
    let lines: Vec<_> = shown.lines().filter(|line| line.contains("Note")).collect();
    assert_eq!(lines.len(), 2, "{shown}");
    assert!(lines[0].contains("Renewal talks in May") && lines[1].contains("They renew"));
    let history = env.run(&["--json", "history", &id]).await.json();
    let texts: Vec<_> = (0..2).map(|place| history["notes"][place]["text"].as_str()).collect();
    assert_eq!(texts, [Some("Renewal talks in May"), Some("They renew")]);

    env.run(&["add-note", &id, " "]).await.failed(1, "invalid_note");
    env.run(&["add-note", &id, "Other", "--key", "call-7"])
        .await
        .failed(1, "idempotency_key_reused");
    let unknown = Uuid::from_u128(1).to_string();
    env.run(&["add-note", &unknown, "a"]).await.failed(1, "unknown_subscription");
    assert_eq!(env.run(&["add-note", &id]).await.code, 2);
}

#[tokio::test]
async fn an_import_sets_every_reference_and_can_be_repeated() {
    let env = TestEnv::new().await;
    let one = env.active(Purchase::flat_rate("silver")).await;
    let two = env.active(Purchase::flat_rate("silver")).await;
    env.run(&["set-reference", &two.to_string(), "old"]).await.done();
    let file = format!(
        "\u{feff}subscriptionId,reference\r\n{},\"Contoso, Ltd\"\r\n{two},C-2\r\n",
        one.to_string().to_uppercase()
    );
    let file = File::of(&file);
    let dry = ["import-references", file.path(), "--dry-run"];
    let said = env.run(&dry).await.done();
    let expected =
        "New: 1. Replacing another reference: 1. Unchanged: 0. Unknown: 0. Nothing was written.\n";
    assert_eq!(said, expected);
    assert_eq!(
        (reference(&env, one).await, reference(&env, two).await),
        (Value::Null, "old".into())
    );
    for _ in 0..2 {
        let said = env.run(&["import-references", file.path()]).await.done();
        assert_eq!(said, "Set: 2. Unknown: 0.\n");
        let found = (reference(&env, one).await, reference(&env, two).await);
        assert_eq!(found, ("Contoso, Ltd".into(), "C-2".into()));
    }
    let said = env.run(&[&["--json"], &dry[..]].concat()).await.json();
    assert_eq!(said, json!({ "new": 0, "replaced": 0, "unchanged": 2, "unknown": [] }));
}

#[tokio::test]
async fn an_import_lists_unknown_subscriptions_and_sets_the_others() {
    let env = TestEnv::new().await;
    let known = env.active(Purchase::flat_rate("silver")).await;
    let unknown = Uuid::from_u128(7);
    let file = File::of(&format!("subscriptionId,reference\n{unknown},C-1\n{known},C-2\n"));
    for arguments in [&["--dry-run"][..], &[]] {
        let ran = env.run(&[&["import-references", file.path()], arguments].concat()).await;
        let (stdout, stderr) = failed_with_result(ran, "unknown_subscriptions");
        assert!(stdout.contains("Unknown: 1."), "{stdout}");
        assert!(stderr.contains(&format!("line 2: {unknown} C-1")), "{stderr}");
    }
    assert_eq!(reference(&env, known).await, "C-2");
    let ran = env.run(&["--json", "import-references", file.path()]).await;
    assert_eq!(ran.code, 1);
    let summary: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let line = json!({ "line": 2, "subscriptionId": unknown, "reference": "C-1" });
    assert_eq!(summary, json!({ "set": 1, "unknown": [line] }));
}

#[tokio::test]
async fn a_file_with_a_wrong_line_writes_nothing() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::flat_rate("silver")).await;
    let file = File::of(&format!("subscriptionId,reference\n{id},C-1\nx,C-2\n{id},C-3\n"));
    let said = env.run(&["import-references", file.path()]).await.failed(1, "invalid_file");
    for expected in ["line 3: ", "line 4: "] {
        assert!(said.contains(expected), "{said}");
    }
    assert_eq!(reference(&env, id).await, Value::Null);
    env.run(&["import-references", "no-such-file"]).await.failed(1, "invalid_file");
}

/// The n-th request gets the n-th answer.
async fn scripted(answers: &'static [StatusCode]) -> (String, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let answer = move || {
        let number = count.fetch_add(1, Ordering::SeqCst);
        async move { (answers[number], r#"{"code":"unavailable","reference":"C-1"}"#) }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let router = Router::new().fallback(answer);
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, asked)
}

#[tokio::test]
async fn an_import_tries_again_and_says_where_it_stopped() {
    const OK: StatusCode = StatusCode::OK;
    const BUSY: StatusCode = StatusCode::SERVICE_UNAVAILABLE;
    let ids = [1, 2].map(Uuid::from_u128);
    let file = File::of(&format!("subscriptionId,reference\n{},C-1\n{},C-1\n", ids[0], ids[1]));
    let words = ["import-references", file.path()];
    let (url, asked) = scripted(&[OK, BUSY, OK]).await;
    assert_eq!(run(&mut command(&url, &words), "").await.done(), "Set: 2. Unknown: 0.\n");
    assert_eq!(asked.load(Ordering::SeqCst), 3);

    let (url, _) = scripted(&[OK, BUSY, BUSY, BUSY, BUSY]).await;
    let said = run(&mut command(&url, &words), "").await.failed(3, "unavailable");
    assert!(said.contains("Stopped at line 3: 1 of 2 lines are done."), "{said}");
}
