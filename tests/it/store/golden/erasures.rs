//! The list of erasures.

use super::reads::tables;
use super::*;

#[tokio::test]
async fn erasures_are_listed_from_0_2_0_on() {
    for written in tables().await {
        let items = written.items(ItemKind::Erasure);
        let is_older = ["before-0.1.0", "0.1.0"].contains(&written.version.as_str());
        assert_eq!(items.is_empty(), is_older, "{}", written.version);
        let listed = written.table.erasures.erasures(None).await.expect("a page").items;
        let listed: Vec<_> = listed
            .iter()
            .map(|it| (it.subscription.to_string(), it.erased_at.to_string()))
            .collect();
        let text = |value: &Value| value["S"].as_str().expect("a text").to_owned();
        let stored = |item: &Value| (text(&item["sk"]), text(&item["body"]["M"]["erasedAt"]));
        assert_eq!(listed, items.iter().map(stored).collect::<Vec<_>>(), "{}", written.version);
    }
}
