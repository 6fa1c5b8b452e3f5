//! A table that was restored to a point in time.

use aws_sdk_dynamodb::types::AttributeValue;
use emulator::Purchase;
use local::test_env::TestEnv;
use tokio::process::Command;

use crate::test_env::{Saasctl as _, command, run};

/// The command with access to the environment's table.
fn restore(env: &TestEnv, table: &str, arguments: &[&str]) -> Command {
    let words = [&["restore", "--table", table], arguments].concat();
    let mut command = command(env.system.url(), &words);
    for name in
        ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL_DYNAMODB"]
    {
        command.env(name, &env.system.variables[name]);
    }
    command
}

fn table(env: &TestEnv) -> &str {
    &env.system.variables["TABLE_NAME"]
}

#[tokio::test]
async fn restore_raises_every_record_after_a_confirmation() {
    let env = TestEnv::new().await;
    let ids = [(); 2].map(|()| env.purchase(Purchase::flat_rate("silver")));
    for id in ids {
        env.confirm(id).await;
    }
    let before = env.recorded(ids[0]).await;
    for typed in ["no\n", ""] {
        let asked = &mut restore(&env, table(&env), &[]);
        let said = run(asked, typed).await.failed(1, "declined");
        assert!(said.contains("subscriptions (us-east-1)"), "the question names the table: {said}");
        assert!(!said.contains("before"), "{said}");
    }
    assert_eq!(env.recorded(ids[0]).await, before);

    let said = run(&mut restore(&env, table(&env), &[]), "yes\n").await.done();
    assert!(said.starts_with("Raised 2 records to versions after 1"), "{said}");
    let raised = env.recorded(ids[0]).await;
    assert!(raised.version > 1_700_000_000_000, "{raised:?}");
    assert_eq!(raised.subscription, before.subscription);

    let said = run(&mut restore(&env, table(&env), &[]), "no\n").await.failed(1, "declined");
    assert!(said.contains("done to this table before"), "{said}");
    let again = run(&mut restore(&env, table(&env), &["--yes", "--json"]), "").await.json();
    assert_eq!((&again["raised"], &again["parked"]), (&2.into(), &serde_json::json!([])));
    assert!(again["epoch"].as_u64() > Some(raised.epoch), "{again}");
    let shown = env.run(&["--json", "show", &ids[1].to_string()]).await.json();
    assert_eq!(shown["version"].as_u64(), again["epoch"].as_u64().map(|epoch| epoch + 1));
}

#[tokio::test]
async fn restore_names_records_that_it_can_not_read_and_raises_the_others() {
    let env = TestEnv::new().await;
    let good = env.active(Purchase::flat_rate("silver")).await;
    let bad = env.active(Purchase::flat_rate("silver")).await;
    let url = env.system.database_url().expect("an embedded database");
    local::database::client(url, &env.system.variables["AWS_REGION"])
        .update_item()
        .table_name(table(&env))
        .key("pk", AttributeValue::S(format!("SUB#{bad}")))
        .key("sk", AttributeValue::S("RECORD".to_owned()))
        .update_expression("REMOVE body.updatedAt")
        .send()
        .await
        .expect("the record is there");
    let run = run(&mut restore(&env, table(&env), &["--yes"]), "").await;
    let said = run.failed(1, "unreadable_records");
    assert!(said.contains(&bad.to_string()) && !said.contains(&good.to_string()), "{said}");
    assert!(env.recorded(good).await.version > 1_700_000_000_000);
}

#[tokio::test]
async fn restore_explains_which_table_or_credentials_are_missing() {
    let env = TestEnv::new().await;
    let run_it = async |command: &mut Command| run(command, "").await;
    let said = run_it(&mut restore(&env, "another", &["--yes"])).await.failed(1, "table_refused");
    assert!(said.contains("ResourceNotFoundException"), "{said}");
    let anonymous = &mut command(env.system.url(), &["restore", "--table", "x", "--yes"]);
    run_it(anonymous).await.failed(2, "unsigned");
}
