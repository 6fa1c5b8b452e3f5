//! The erasure of personal data.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use emulator::Purchase;
use local::test_env::TestEnv;
use uuid::Uuid;

use crate::test_env::{Saasctl as _, command, run};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// A subscription that Microsoft ended just now.
async fn ended(env: &TestEnv) -> Uuid {
    let id = env.active(Purchase::flat_rate("silver").named("Fleet of twelve")).await;
    env.world(|world| world.unsubscribe(id)).expect("an end");
    env.deliver_all().await;
    id
}

#[tokio::test]
async fn erase_asks_first_and_shows_the_record_without_people() {
    let env = TestEnv::new().await;
    let id = ended(&env).await;
    env.advance(8 * DAY);
    let before = env.recorded(id).await;
    for typed in ["no\n", ""] {
        let asked = &mut command(env.system.url(), &["erase", &id.to_string()]);
        let said = run(asked, typed).await.failed(1, "declined");
        assert!(said.contains("Fleet of twelve") && said.contains("for good"), "{said}");
    }
    assert_eq!(env.recorded(id).await, before);
    let asked = &mut command(env.system.url(), &["erase", "Fleet of"]);
    let said = run(asked, "yes\n").await.done();
    assert!(said.contains(&id.to_string()) && !said.contains("Fleet of twelve"), "{said}");
    let after = env.recorded(id).await;
    assert!(after.is_erased() && !after.is_erasing(), "{after:?}");
    let again = env.run(&["--json", "erase", &id.to_string(), "--yes"]).await.json();
    assert_eq!(again["version"], after.version);
    assert!(again["erasedAt"].is_string(), "{again}");
}

#[tokio::test]
async fn erase_says_why_and_until_when_it_is_refused() {
    let env = TestEnv::new().await;
    let active = env.active(Purchase::flat_rate("silver")).await.to_string();
    env.run(&["erase", &active, "--yes"]).await.failed(1, "not_ended");
    let said = env.run(&["erase", &active]).await.failed(1, "not_ended");
    assert!(!said.contains("yes to erase"), "there is nothing to ask: {said}");
    let id = ended(&env).await.to_string();
    let said = env.run(&["erase", &id, "--yes"]).await.failed(1, "too_early");
    assert!(said.contains("seven days") && said.contains("Z"), "{said}");
    assert!(said.contains("\nhint: repeat the command then"), "{said}");
    env.advance(8 * DAY);
    let said = env.run(&["erase", &id, "--yes", "--if-version", "99"]).await;
    said.failed(1, "version_mismatch");
    let named = env.run(&["erase", "Fleet of twelve", "--yes"]).await;
    assert_eq!(named.code, 2, "where nobody is asked, a whole id is needed: {named:?}");
}

#[tokio::test]
async fn restore_repeats_the_erasures_of_the_former_table() {
    let env = TestEnv::new().await;
    let id = ended(&env).await;
    env.advance(8 * DAY);
    let variables = &env.system.variables;
    let url = env.system.database_url().expect("an embedded database");
    let raw = local::database::client(url, &variables["AWS_REGION"]);
    // The restored table: a point in time before the erasure.
    local::database::create_table(&raw, "restored").await.expect("another table");
    let items = raw.scan().table_name(&variables["TABLE_NAME"]).send().await.expect("a scan");
    for item in items.items.unwrap_or_default() {
        raw.put_item().table_name("restored").set_item(Some(item)).send().await.expect("put");
    }
    env.run(&["erase", &id.to_string(), "--yes"]).await.done();
    let restore = |more: &[&str]| {
        let words = [&["restore", "--table", "restored"], more].concat();
        let mut command = command(env.system.url(), &words);
        for name in [
            "AWS_REGION",
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_ENDPOINT_URL_DYNAMODB",
        ] {
            command.env(name, &variables[name]);
        }
        command
    };
    let said = run(&mut restore(&[]), "no\n").await.failed(1, "declined");
    assert!(said.contains("--erasures-from"), "{said}");
    let same = ["--erasures-from", "restored", "--yes"];
    run(&mut restore(&same), "").await.failed(1, "same_table");
    let former = ["--erasures-from", &variables["TABLE_NAME"], "--yes"];
    let said = run(&mut restore(&former), "").await.done();
    assert!(said.contains("Erased the personal data of 1 subscriptions again."), "{said}");
    let record = raw
        .get_item()
        .table_name("restored")
        .key("pk", AttributeValue::S(format!("SUB#{id}")))
        .key("sk", AttributeValue::S("RECORD".to_owned()));
    let record = format!("{:?}", record.send().await.expect("a read").item);
    assert!(record.contains("erasedAt") && !record.contains("Fleet of twelve"), "{record}");
}
