//! Subscriptions that ended long ago, and what the table and the API say about them.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use emulator::Purchase;
use http::StatusCode;
use uuid::Uuid;

use crate::test_env::{Answer, TestEnv};

pub(crate) const DAY: Duration = Duration::from_secs(24 * 3600);

/// Microsoft ends the subscription, and the product hears of it.
pub(crate) async fn end(env: &TestEnv, id: Uuid) {
    env.world(|world| world.unsubscribe(id)).expect("an end");
    env.deliver_all().await;
    assert_eq!(env.record(id).await.expect("a record").status().as_str(), "Unsubscribed");
    env.system.deliver_events().await.expect("delivered");
}

/// A subscription that ended eight days ago.
pub(crate) async fn ended(env: &TestEnv) -> Uuid {
    let id = env.active(Purchase::per_seat("basic", 10)).await;
    end(env, id).await;
    env.advance(8 * DAY);
    id
}

pub(crate) async fn erase(env: &TestEnv, id: Uuid) -> Answer {
    env.send(env.http.post(env.url(&format!("/subscriptions/{id}/erase")))).await
}

/// The same only if the record still has this version.
pub(crate) async fn erase_version(env: &TestEnv, id: Uuid, version: u64) -> Answer {
    let request = env.http.post(env.url(&format!("/subscriptions/{id}/erase")));
    env.send(request.header("if-match", format!("\"{version}\""))).await
}

pub(crate) async fn erased(env: &TestEnv, id: Uuid) -> Answer {
    let answer = erase(env, id).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    answer
}

/// Every item of the table, in whichever order, as text in lower case.
pub(crate) async fn items(env: &TestEnv) -> Vec<String> {
    let url = env.system.database_url().expect("an embedded database");
    let raw: Client = local::database::client(url, &env.system.variables["AWS_REGION"]);
    let (mut items, mut from) = (Vec::new(), None);
    loop {
        let scan = raw.scan().table_name(&env.system.variables["TABLE_NAME"]);
        let page = scan.set_exclusive_start_key(from).send().await.expect("a page");
        let text = |item| format!("{item:?}").to_lowercase();
        items.extend(page.items.unwrap_or_default().iter().map(text));
        from = page.last_evaluated_key;
        if from.is_none() {
            return items;
        }
    }
}

/// The first of these texts that one of the words is in.
pub(crate) fn find<'a>(texts: &'a [String], words: &[&str]) -> Option<&'a String> {
    texts.iter().find(|text| words.iter().any(|word| text.contains(&word.to_lowercase())))
}
