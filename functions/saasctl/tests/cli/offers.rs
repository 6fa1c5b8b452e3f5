//! What single offers have of their own on the landing page.

use std::path::PathBuf;

use emulator::Purchase;
use local::test_env::TestEnv;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::test_env::Saasctl as _;

/// A file that is deleted in the end.
struct File(PathBuf);

impl File {
    fn of(text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("offers-{}.json", Uuid::new_v4()));
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

#[tokio::test]
async fn offers_are_set_from_a_file_printed_in_the_same_form_and_cleared() {
    let env = TestEnv::new().await;
    assert_eq!(env.run(&["offers", "get"]).await.done(), "{}\n");
    let offers = json!({ "per-seat-1": { "name": "Fleet", "languages": ["sv", "en"] } });
    let set = env.run(&["offers", "set", File::of(&offers.to_string()).path()]).await.done();
    assert!(set.starts_with("1 offer has settings of its own."), "{set}");
    let printed = env.run(&["offers", "get"]).await.done();
    assert_eq!(serde_json::from_str::<Value>(&printed).expect("JSON"), offers);
    let again = env.run(&["--json", "offers", "set", File::of(&printed).path()]).await.json();
    assert_eq!(again, offers);
    let page = env.visit(env.purchase(Purchase::per_seat("team", 12))).await;
    assert!(page.body.contains("<dd>Fleet</dd>"), "{}", page.body);
    let cleared = env.run(&["offers", "clear"]).await.done();
    assert!(cleared.starts_with("No offer has settings"), "{cleared}");
    assert_eq!(env.run(&["--json", "offers", "get"]).await.json(), json!({}));
}

#[tokio::test]
async fn a_file_that_the_page_cannot_use_changes_nothing() {
    let env = TestEnv::new().await;
    let unfit = File::of(r#"{"fleet":{"accent":"red"}}"#);
    env.run(&["offers", "set", unfit.path()]).await.failed(1, "invalid_offers");
    let no_json = File::of("no JSON");
    env.run(&["offers", "set", no_json.path()]).await.failed(1, "invalid_file");
    env.run(&["offers", "set", "/nowhere/offers.json"]).await.failed(1, "invalid_file");
    assert_eq!(env.run(&["offers", "get"]).await.done(), "{}\n");
}
