//! Exports: what they hold, as JSON lines and as a table.

use std::path::{Path, PathBuf};

use emulator::Purchase;
use local::test_env::TestEnv;
use serde_json::Value;
use uuid::Uuid;

use crate::test_env::Saasctl as _;

/// A folder that is deleted in the end.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        let path = std::env::temp_dir().join(format!("export-{}", Uuid::new_v4()));
        std::fs::create_dir(&path).expect("a folder");
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The names of what is in it, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.0).expect("a folder");
        let name = |entry: std::io::Result<std::fs::DirEntry>| entry.expect("an entry").file_name();
        let mut names: Vec<_> =
            entries.map(|entry| name(entry).to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("a path in Unicode")
}

/// Texts that a table must not change, and that a spreadsheet must not carry out.
const NAMES: [&str; 6] = [
    "=HYPERLINK(\"https://evil.example\")",
    "-2+3",
    "Müller & Söhne, \"GmbH\"",
    "Two\nlines; =1",
    "'s-Hertogenbosch",
    "Plain",
];

/// The same texts as cells.
const CELLS: [&str; 6] = [
    "'=HYPERLINK(\"https://evil.example\")",
    "'-2+3",
    "Müller & Söhne, \"GmbH\"",
    "Two\nlines;' =1",
    "''s-Hertogenbosch",
    "Plain",
];

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("JSON on each line")).collect()
}

/// The value of each line that has this member.
fn of<'a>(lines: &'a [Value], member: &str) -> Vec<&'a Value> {
    lines.iter().filter_map(|line| line.get(member)).collect()
}

/// A table's lines, each as a map from the column to the cell.
fn table(text: &str) -> Vec<std::collections::HashMap<String, String>> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader.deserialize().map(|row| row.expect("a row")).collect()
}

#[tokio::test]
async fn json_lines_hold_every_record_and_event_as_the_api_answers_them() {
    let env = TestEnv::new().await;
    let busy = env.active(Purchase::per_seat("basic", 7).named(NAMES[0])).await;
    env.world(|world| world.change_quantity(busy, 9)).expect("a change");
    env.deliver_webhooks().await;
    env.world(|world| {
        for _ in 0..220 {
            world.purchase(Purchase::flat_rate("silver"));
        }
    });
    env.system.reconcile().await.expect("a run");

    let ran = env.run(&["export"]).await;
    assert_eq!(ran.stderr, "", "no progress where there is no terminal");
    let exported = lines(&ran.done());
    let listed = env.run(&["--json", "list"]).await.json();
    let listed = listed["subscriptions"].as_array().expect("a list");
    assert_eq!(listed.len(), 221, "three pages");
    assert_eq!(of(&exported, "record"), listed.iter().collect::<Vec<_>>());
    assert_eq!(of(&exported, "event").len(), 223);
    let mut current = None;
    for line in &exported {
        match line.get("record") {
            Some(record) => current = Some(&record["subscription"]["id"]),
            None => assert_eq!(Some(&line["event"]["subscriptionId"]), current),
        }
    }
    let history = env.run(&["--json", "history", &busy.to_string()]).await.json();
    let expected: Vec<_> = history["events"].as_array().expect("events").iter().collect();
    let id = Value::from(busy.to_string());
    let own = of(&exported, "event").into_iter().filter(|event| event["subscriptionId"] == id);
    assert_eq!(own.collect::<Vec<_>>(), expected);

    for (only, records, events) in [("records", 221, 0), ("events", 0, 223)] {
        let part = lines(&env.run(&["export", "--only", only]).await.done());
        assert_eq!((of(&part, "record").len(), of(&part, "event").len()), (records, events));
    }
}

#[tokio::test]
async fn a_table_keeps_texts_and_neutralises_formulas() {
    let env = TestEnv::new().await;
    let mut ids = Vec::new();
    for name in NAMES {
        ids.push(env.active(Purchase::per_seat("basic", 7).named(name)).await);
    }
    let reference = ["set-reference", &ids[5].to_string(), "@cmd"];
    env.run(&reference).await.done();
    let exported = env.run(&["export", "--format", "csv", "--only", "records"]).await.done();
    let (heading, _) = exported.split_once("\r\n").expect("lines end as RFC 4180 says");
    assert_eq!(exported.matches("\r\n").count(), 7, "{exported}");
    assert!(heading.starts_with("subscription.id,subscription.name,"), "{heading}");
    assert!(heading.ends_with(",claim.account.tenantId,claim.at"), "{heading}");
    assert!(exported.contains(",\"Müller & Söhne, \"\"GmbH\"\"\","), "{exported}");
    let rows = table(&exported);
    for (id, cell) in ids.iter().zip(CELLS) {
        let row = rows.iter().find(|row| row["subscription.id"] == id.to_string());
        let row = row.expect("a row for each subscription");
        assert_eq!(row["subscription.name"], cell);
        assert_eq!(row["subscription.quantity"], "7");
        assert_eq!(row["subscription.beneficiary.emailId"], "adele@contoso.example");
        assert_eq!(row["subscription.isFreeTrial"], "false");
    }
    let row = rows.iter().find(|row| row["subscription.id"] == ids[5].to_string());
    assert_eq!(row.expect("a row")["reference"], "'@cmd");
}

#[tokio::test]
async fn a_table_of_events_has_a_row_for_each() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::per_seat("basic", 7).named(NAMES[0])).await;
    env.world(|world| world.change_quantity(id, 9)).expect("a change");
    env.deliver_webhooks().await;
    let exported = env.run(&["export", "--format", "csv", "--only", "events"]).await.done();
    let rows = table(&exported);
    let types: Vec<_> = rows.iter().map(|row| row["type"].as_str()).collect();
    assert_eq!(types, ["Purchased", "Activated", "QuantityChanged"]);
    for row in &rows {
        assert_eq!(row["subscriptionId"], id.to_string());
        assert_eq!(row["subscription.name"], CELLS[0]);
        let cause: Value = serde_json::from_str(&row["cause"]).expect("JSON in the cell");
        assert!(cause["by"].is_string(), "{cause}");
    }
    assert_eq!((rows[2]["from"].as_str(), rows[2]["to"].as_str()), ("7", "9"));
}

#[tokio::test]
async fn notes_are_exported_with_their_authors_and_subscriptions() {
    let env = TestEnv::new().await;
    let noted = env.active(Purchase::flat_rate("silver").named("Contoso")).await.to_string();
    env.active(Purchase::flat_rate("silver").named("Fabrikam")).await;
    for text in ["Renewal talks in May", "=1+1"] {
        env.run(&["add-note", &noted, text]).await.done();
    }
    let exported = lines(&env.run(&["export"]).await.done());
    assert_eq!((of(&exported, "record").len(), of(&exported, "event").len()), (2, 4));
    let notes = of(&exported, "note");
    let texts: Vec<_> = notes.iter().map(|note| note["text"].as_str()).collect();
    assert_eq!(texts, [Some("Renewal talks in May"), Some("=1+1")]);
    assert!(notes.iter().all(|note| note["subscriptionId"] == *noted), "{notes:?}");
    let only = lines(&env.run(&["export", "--only", "notes"]).await.done());
    assert_eq!(of(&only, "note"), notes);
    assert_eq!(only.len(), 2, "neither records nor events");
    let only = lines(&env.run(&["export", &noted, "--only", "records"]).await.done());
    assert_eq!((only.len(), of(&only, "record").len()), (1, 1));
    let csv = env.run(&["export", "--format", "csv", "--only", "notes"]).await.done();
    assert!(csv.starts_with("subscriptionId,id,at,by,text\r\n"), "{csv}");
    let rows = table(&csv);
    assert_eq!(
        (rows[0]["text"].as_str(), rows[1]["text"].as_str()),
        ("Renewal talks in May", "'=1+1")
    );
    assert_eq!(rows[0]["subscriptionId"], noted);
}

#[tokio::test]
async fn one_subscription_or_those_of_a_person_can_be_exported() {
    let env = TestEnv::new().await;
    let one = env.active(Purchase::flat_rate("silver").named("Contoso")).await;
    let other = env.active(Purchase::flat_rate("silver").named("Fabrikam")).await;
    let (one, other) = ([one.to_string()], [other.to_string()]);
    let ids = |text: &str| -> Vec<String> {
        let exported = lines(text);
        let events = of(&exported, "event").len();
        let records = of(&exported, "record");
        assert_eq!(events, 2 * records.len(), "{text}");
        let id = |record: &&Value| record["subscription"]["id"].as_str().map(str::to_owned);
        records.iter().filter_map(id).collect()
    };
    assert_eq!(ids(&env.run(&["export", &other[0]]).await.done()), other);
    assert_eq!(ids(&env.run(&["export", "--search", "conto"]).await.done()).len(), 2, "Adele's");
    assert_eq!(ids(&env.run(&["export", "--search", &one[0]]).await.done()), one);
    assert_eq!(env.run(&["export", "--search", "nobody"]).await.done(), "");

    let unknown = Uuid::from_u128(0xabc).to_string();
    let said = env.run(&["export", &unknown]).await.failed(1, "unknown_subscription");
    assert!(said.starts_with("Stopped (subscriptions: 0, events: 0): the output is not"));
    for usage in [
        &["export", "--format", "csv"][..],
        &["export", &one[0], "--search", "contoso"],
        &["export", "--only", "plans"],
    ] {
        assert_eq!(env.run(usage).await.code, 2, "{usage:?}");
    }
}

#[tokio::test]
async fn a_file_replaces_an_earlier_one_and_is_for_its_owner_alone() {
    let env = TestEnv::new().await;
    env.active(Purchase::flat_rate("silver")).await;
    let folder = Folder::new();
    let file = folder.file("all.jsonl");
    for leftover in ["all.jsonl", "all.jsonl.partial"] {
        std::fs::write(folder.file(leftover), "longer than the export\n".repeat(1000))
            .expect("a file");
    }
    let said = env.run(&["export", "--output", text(&file)]).await.done();
    assert_eq!(said, "Subscriptions: 1. Events: 2. Notes: 0.\n");
    assert_eq!(folder.names(), ["all.jsonl"]);
    assert_eq!(lines(&std::fs::read_to_string(&file).expect("the file")).len(), 3);
    let said = env.run(&["--json", "export", "--output", text(&folder.file("new"))]).await.json();
    assert_eq!((&said["subscriptions"], &said["events"]), (&1.into(), &2.into()));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(folder.file("new")).expect("the file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
