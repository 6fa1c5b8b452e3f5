//! Items of every kind, as each version wrote them.
//!
//! `golden/VERSION` has a file for each kind of item, with items in DynamoDB's JSON. The newest folder is
//! what the store writes today, and every folder is read. `before-0.1.0` comes from a table that a state
//! before 0.1.0 kept, and lacks what 0.1.0 added. A version that writes otherwise adds a folder of its own:
//!
//! ```console
//! $ WRITE_GOLDEN=1 cargo test -p tests --test it golden::the_newest_folder
//! ```

mod deployment;
mod due_work;
mod erasures;
mod reads;
mod values;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use shared::store::ItemKind;

use super::*;

/// If this is set, the newest folder is written before it is compared.
const WRITE: &str = "WRITE_GOLDEN";

/// The version that is being worked on.
const CURRENT: &str = env!("CARGO_PKG_VERSION");

const CHANGELOG: &str = include_str!("../../../CHANGELOG.md");

/// Every item by its kind.
type Items = BTreeMap<ItemKind, Vec<Value>>;

fn folder(version: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "it/store/golden", version].iter().collect()
}

/// The versions that have a folder, the oldest first.
fn versions() -> Vec<String> {
    let entries = fs::read_dir(folder("")).expect("the folder is there");
    let entries = entries.map(|entry| entry.expect("it can be read"));
    let folders = entries.filter(|entry| entry.path().is_dir());
    let mut versions: Vec<_> =
        folders.map(|folder| folder.file_name().into_string().expect("a name")).collect();
    // A name that is no version has no numbers, and so comes first.
    let numbers = |version: &String| -> Vec<u64> {
        let numbers = version.split('.').map(str::parse).collect::<Result<_, _>>();
        numbers.unwrap_or_default()
    };
    versions.sort_by_key(numbers);
    versions
}

/// The items in a version's folder. Panics at a file that belongs to no kind.
fn golden(version: &str) -> Items {
    let files = fs::read_dir(folder(version)).expect("the folder is there");
    let items = files.map(|file| {
        let path = file.expect("it can be read").path();
        let name = path.file_stem().and_then(|name| name.to_str()).expect("a name");
        let kind = ItemKind::ALL.iter().find(|kind| format!("{kind:?}") == name);
        let kind = kind.unwrap_or_else(|| panic!("{version} wrote {name}, which isn't read now"));
        let text = fs::read_to_string(&path).expect("it can be read");
        (*kind, serde_json::from_str(&text).expect("JSON"))
    });
    items.collect()
}

/// What the store writes today.
async fn written() -> Items {
    let table = Table::new().await;
    values::write(&table).await;
    let all = table.raw.scan().table_name(TABLE).send().await.expect("the database answers");
    let mut items: Vec<Value> = all.items().iter().map(json_of_item).collect();
    items.sort_by_key(|item| ["pk", "sk"].map(|key| item[key]["S"].to_string()));
    let mut by_kind = Items::new();
    for item in items {
        by_kind.entry(kind_of(&item)).or_default().push(item);
    }
    by_kind
}

fn kind_of(item: &Value) -> ItemKind {
    let begins = |key: &str, with| item[key]["S"].as_str().is_some_and(|it| it.starts_with(with));
    let is = |kind: &&ItemKind| begins("pk", kind.partition()) && begins("sk", kind.sort());
    *ItemKind::ALL.iter().find(is).expect("every item is of a kind")
}

/// An item in DynamoDB's JSON.
fn json_of_item(item: &HashMap<String, AttributeValue>) -> Value {
    item.iter().map(|(name, value)| (name.clone(), json_of(value))).collect()
}

fn json_of(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => json!({ "S": text }),
        AttributeValue::N(number) => json!({ "N": number }),
        AttributeValue::Bool(flag) => json!({ "BOOL": flag }),
        AttributeValue::Null(_) => json!({ "NULL": true }),
        AttributeValue::L(list) => json!({ "L": list.iter().map(json_of).collect::<Vec<_>>() }),
        AttributeValue::M(map) => json!({ "M": json_of_item(map) }),
        other => panic!("the store writes no {other:?}"),
    }
}

/// Writes one item a line, so that a difference is easy to see.
fn write(items: &Items) {
    let is_released = CHANGELOG.contains(&format!("\n## [{CURRENT}]"));
    assert!(!is_released, "{CURRENT} is released, and its folder stays; raise the version first");
    fs::create_dir_all(folder(CURRENT)).expect("the folder can be made");
    for (kind, items) in items {
        let lines: Vec<_> = items.iter().map(Value::to_string).collect();
        let file = folder(CURRENT).join(format!("{kind:?}.json"));
        fs::write(file, format!("[\n{}\n]\n", lines.join(",\n"))).expect("the file can be written");
    }
}

#[tokio::test]
async fn the_newest_folder_is_what_the_store_writes_today() {
    let written = written().await;
    for kind in ItemKind::ALL {
        assert!(written.contains_key(kind), "golden/values.rs writes no {kind:?}");
    }
    if std::env::var_os(WRITE).is_some() {
        write(&written);
    }
    let newest = versions().pop().expect("there are folders");
    let golden = golden(&newest);
    for (kind, items) in &written {
        let golden = golden.get(kind).map_or(&[][..], Vec::as_slice);
        for (number, item) in items.iter().enumerate() {
            assert_eq!(
                golden.get(number),
                Some(item),
                "{kind:?} {number}: the store writes otherwise than {newest}; write the folder of \
                 {CURRENT}: {WRITE}=1 cargo test -p tests --test it golden::the_newest_folder"
            );
        }
        assert_eq!(golden.len(), items.len(), "{kind:?}");
    }
}
