//! Commands that only read.

use std::collections::BTreeSet;
use std::time::Duration;

use emulator::Purchase;
use local::test_env::TestEnv;
use serde_json::Value;
use uuid::Uuid;

use crate::test_env::{Saasctl as _, command, run};

#[tokio::test]
async fn list_prints_a_table_or_json() {
    let env = TestEnv::new().await;
    let silver = env.active(Purchase::flat_rate("silver").named("Contoso Cloud")).await;
    let seats = env.active(Purchase::per_seat("basic", 7)).await;
    env.world(|world| world.suspend(seats)).expect("a suspension");
    env.deliver_webhooks().await;

    let table = env.run(&["list"]).await.done();
    let lines: Vec<_> = table.lines().collect();
    assert_eq!(lines.len(), 3, "a heading and two rows: {table}");
    assert!(lines[0].contains("Status"), "{table}");
    let line = |id: Uuid| {
        let found = lines.iter().find(|line| line.contains(&id.to_string()));
        found.unwrap_or_else(|| panic!("{id} is not in {table}")).to_owned()
    };
    assert!(line(silver).contains("Contoso Cloud") && line(silver).contains("Subscribed"));
    assert!(line(seats).contains(" 7 ") && line(seats).contains("Suspended"));

    for (arguments, expected) in [
        (&["--status", "Suspended"][..], vec![seats]),
        (&["--offer", "per-seat-1"], vec![seats]),
        (&["--offer", "per-seat-1", "--status", "Subscribed"], vec![]),
    ] {
        let listed = env.run(&[&["list", "--json"], arguments].concat()).await.json();
        let ids: Vec<_> = listed["subscriptions"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|record| record["subscription"]["id"].clone())
            .collect();
        let expected: Vec<_> = expected.iter().map(|id| Value::from(id.to_string())).collect();
        assert_eq!(ids, expected, "{arguments:?}");
    }
    let none = env.run(&["list", "--status", "Unsubscribed"]).await;
    assert_eq!((none.stdout.as_str(), none.stderr.as_str()), ("No subscriptions.\n", ""));
    let unknown = env.run(&["list", "--status", "Subscribd"]).await;
    assert!(unknown.stderr.contains("Subscribd is no status"), "{unknown:?}");
    assert_eq!(unknown.done(), "No subscriptions.\n");
}

#[tokio::test]
async fn list_and_search_print_the_table_of_an_export_and_json_on_request() {
    let env = TestEnv::new().await;
    env.active(Purchase::flat_rate("silver").named("=Contoso, \"Cloud\"")).await;
    env.active(Purchase::per_seat("basic", 7).named("Fabrikam")).await;
    let exported = env.run(&["export", "--format", "csv", "--only", "records"]).await.done();
    let listed = env.run(&["list", "-o", "csv"]).await.done();
    let lines = |text: &str| -> BTreeSet<String> { text.lines().map(str::to_owned).collect() };
    assert_eq!(listed.lines().next(), exported.lines().next(), "the heading");
    assert_eq!(lines(&listed), lines(&exported));
    assert!(listed.contains("\"'=Contoso, \"\"Cloud\"\"\""), "a formula is neutral: {listed}");
    let found = env.run(&["search", "fabrikam", "--output", "csv"]).await.done();
    assert_eq!(found.lines().count(), 2, "a heading and a row: {found}");
    assert!(lines(&found).is_subset(&lines(&exported)), "{found}");
    let none = env.run(&["list", "--status", "Suspended", "-o", "csv"]).await.done();
    assert_eq!(none.lines().count(), 1, "a heading alone: {none}");

    let json = env.run(&["list", "-o", "json"]).await.json();
    assert_eq!(json, env.run(&["list", "--json"]).await.json());
    let both = env.run(&["list", "--json", "-o", "csv"]).await;
    assert_eq!(both.code, 2, "wrong usage: {}", both.stderr);
}

#[tokio::test]
async fn list_sorts_on_request_and_shows_what_it_sorts_by() {
    let env = TestEnv::new().await;
    let monthly = env.active(Purchase::flat_rate("silver").named("Contoso")).await;
    env.advance(Duration::from_secs(3600));
    let pending = env.purchase(Purchase::flat_rate("gold").named("Fabrikam"));
    env.system.reconcile().await.expect("a run");
    for (sort, first, second, column) in [
        ("last-change", pending, monthly, "Last change"),
        ("term-end", monthly, pending, "Term end"),
    ] {
        let table = env.run(&["list", "--sort", sort]).await.done();
        let lines: Vec<_> = table.lines().collect();
        assert!(lines[0].contains(column), "{table}");
        assert!(lines[1].contains(&first.to_string()), "{table}");
        assert!(lines[2].contains(&second.to_string()), "{table}");
    }
    let updated = env.recorded(pending).await.updated_at.strftime("%Y-%m-%d %H:%M:%S").to_string();
    let table = env.run(&["list", "--sort", "last-change"]).await.done();
    assert!(table.lines().nth(1).is_some_and(|line| line.contains(&updated)), "{table}");
    let wrong = env.run(&["list", "--sort", "name"]).await;
    assert_eq!(wrong.code, 2, "wrong usage: {}", wrong.stderr);
}

#[tokio::test]
async fn search_finds_subscriptions_and_prints_them_like_list() {
    let env = TestEnv::new().await;
    let contoso = env.active(Purchase::flat_rate("silver").named("Contoso Cloud & Co")).await;
    let fabrikam = env.active(Purchase::per_seat("basic", 7).named("Fabrikam")).await;
    let heading = |table: &str| -> Vec<String> {
        let words = table.lines().next().unwrap_or_default().split_whitespace();
        words.map(str::to_owned).collect()
    };
    let of_list = heading(&env.run(&["list"]).await.done());
    assert!(of_list.contains(&"Subscription".to_owned()), "{of_list:?}");
    for (text, found) in [
        ("contoso cloud & co", contoso),
        ("FABRI", fabrikam),
        (&fabrikam.to_string()[..8], fabrikam),
        (&contoso.to_string(), contoso),
    ] {
        let table = env.run(&["search", text]).await.done();
        assert_eq!(heading(&table), of_list, "{table}");
        assert_eq!(table.lines().count(), 2, "{text}: {table}");
        assert!(table.contains(&found.to_string()), "{text}: {table}");
    }
    // Both were bought by the same person.
    for (arguments, expected) in [
        (&["adele@contoso.example"][..], 2),
        (&["adele", "--limit", "1"], 1),
        (&["adele", "--offer", "per-seat-1"], 1),
        (&["adele", "--status", "Suspended"], 0),
    ] {
        let found = env.run(&[&["--json", "search"], arguments].concat()).await.json();
        let found = found["subscriptions"].as_array().map(Vec::len);
        assert_eq!(found, Some(expected), "{arguments:?}");
    }
    assert_eq!(env.run(&["search", "nobody"]).await.done(), "No subscriptions.\n");
    let short = env.run(&["search", "co"]).await;
    assert_eq!(short.code, 2, "{}", short.stderr);
    assert!(short.stderr.contains("at least 3 characters"), "{}", short.stderr);
}

#[tokio::test]
async fn list_stops_at_its_limit_on_whichever_page_that_is() {
    let env = TestEnv::new().await;
    env.world(|world| {
        for _ in 0..130 {
            world.purchase(Purchase::flat_rate("silver"));
        }
    });
    env.system.reconcile().await.expect("a run");
    for (limit, listed) in [("1", 1), ("100", 100), ("115", 115), ("500", 130)] {
        let page = env.run(&["--json", "list", "--limit", limit]).await.json();
        assert_eq!(page["subscriptions"].as_array().map(Vec::len), Some(listed), "{limit}");
    }
    for wrong in ["0", "-1", "many"] {
        assert_eq!(env.run(&["list", &format!("--limit={wrong}")]).await.code, 2, "{wrong}");
    }
}

#[tokio::test]
async fn list_reads_all_pages() {
    let env = TestEnv::new().await;
    env.world(|world| {
        for _ in 0..230 {
            world.purchase(Purchase::flat_rate("silver"));
        }
    });
    env.system.reconcile().await.expect("a run");
    let listed = env.run(&["--json", "list"]).await.json();
    assert_eq!(listed["subscriptions"].as_array().map(Vec::len), Some(230));
    let offer = listed["subscriptions"][0]["subscription"]["offerId"].as_str().expect("an offer");
    let listed = env.run(&["list", "--offer", offer]).await.done();
    assert_eq!(listed.lines().count(), 231);
}

#[tokio::test]
async fn show_includes_the_pending_operation() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::per_seat("basic", 7).named("Contoso Cloud")).await;
    env.run(&["change-seats", &id.to_string(), "9"]).await.done();
    let shown = env.run(&["show", &id.to_string()]).await.done();
    let record = env.recorded(id).await;
    let pending = record.pending_operation.expect("a pending operation");
    for expected in [
        "Contoso Cloud",
        "basic",
        "7",
        "Subscribed",
        &format!("ChangeQuantity {}", pending.id),
        &record.version.to_string(),
    ] {
        assert!(shown.contains(expected), "{expected}: {shown}");
    }
    let shown = env.run(&["--json", "show", &id.to_string()]).await.json();
    assert_eq!(shown["version"], record.version);
}

#[tokio::test]
async fn list_and_show_say_who_the_customer_is() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::flat_rate("silver")).await;
    let beneficiary = env.recorded(id).await.subscription.beneficiary;
    let address = beneficiary.email_id.expect("an address");
    let listed = env.run(&["list"]).await.done();
    assert!(listed.contains("Customer") && listed.contains(&address), "{listed}");
    let shown = env.run(&["show", &id.to_string()]).await.done();
    let tenant = beneficiary.tenant_id.expect("a tenant").to_string();
    assert!(shown.contains(&address) && shown.contains(&tenant), "{shown}");
}

#[tokio::test]
async fn history_lists_events_in_order() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::per_seat("basic", 7)).await;
    env.world(|world| world.change_quantity(id, 9)).expect("a change");
    env.deliver_webhooks().await;
    let listed = env.run(&["history", &id.to_string()]).await.done();
    let lines: Vec<_> = listed.lines().skip(1).collect();
    assert_eq!(lines.len(), 3, "{listed}");
    for (line, expected) in lines.iter().zip(["Purchased", "Activated", "QuantityChanged"]) {
        assert!(line.contains(expected), "{expected}: {listed}");
    }
    for expected in ["7 → 9", "webhook ChangeQuantity"] {
        assert!(lines[2].contains(expected), "{expected}: {listed}");
    }
    let listed = env.run(&["history", &id.to_string(), "--json"]).await.json();
    assert_eq!(listed["events"].as_array().map(Vec::len), Some(3));
}

#[tokio::test]
async fn operations_and_plans_come_from_microsoft() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::per_seat("team", 10)).await;
    let none = env.run(&["operations", &id.to_string()]).await.done();
    assert_eq!(none, "No pending operations.\n");
    let operation = env.world(|world| world.change_plan(id, "basic")).expect("a change");
    for arguments in [
        &["operations", &id.to_string()][..],
        &["operations", &id.to_string(), &operation.to_string()],
    ] {
        let shown = env.run(arguments).await.done();
        assert!(shown.contains(&operation.to_string()) && shown.contains("ChangePlan"), "{shown}");
    }
    let one = env.run(&["--json", "operations", &id.to_string(), &operation.to_string()]).await;
    assert_eq!(one.json()["planId"], "basic");

    let plans = env.run(&["plans", &id.to_string()]).await.done();
    assert!(plans.contains("basic") && plans.contains("5 to 500"), "{plans}");
    let plans = env.run(&["plans", &id.to_string(), "--json"]).await.json();
    assert_eq!(plans["plans"][1]["maxQuantity"], 500);
}

#[tokio::test]
async fn an_unknown_subscription_fails_with_a_code_and_a_hint() {
    let env = TestEnv::new().await;
    let unknown = Uuid::from_u128(0xabc).to_string();
    for arguments in [["show", &unknown], ["history", &unknown]] {
        let said = env.run(&arguments).await.failed(1, "unknown_subscription");
        assert!(said.contains("hint: "), "{said}");
    }
    let said = env.run(&["--json", "plans", &unknown]).await;
    assert_eq!((said.code, said.stdout.as_str()), (1, ""));
    let said: Value = serde_json::from_str(&said.stderr).expect("JSON on standard error");
    assert_eq!(said["code"], "unknown_to_microsoft");
    assert!(said["detail"].is_string() && said["hint"].is_string(), "{said}");
}

#[tokio::test]
async fn an_unreachable_address_is_unavailable_and_an_invalid_one_is_a_usage_error() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let free = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    run(&mut command(&free, &["list"]), "").await.failed(3, "unavailable");
    for invalid in ["ftp://127.0.0.1", "http://api.example.com", "http://10.0.0.1:8080"] {
        run(&mut command(invalid, &["list"]), "").await.failed(2, "bad_address");
    }
    let usage = run(&mut command(&free, &["change-seats", "a-name", "no number"]), "").await;
    assert_eq!(usage.code, 2, "{usage:?}");
}

#[tokio::test]
async fn the_address_may_end_in_subscriptions() {
    let env = TestEnv::new().await;
    for end in ["", "/", "/subscriptions", "/subscriptions/"] {
        let url = format!("{}{end}", env.system.url());
        run(&mut command(&url, &["list"]), "").await.done();
    }
}

#[tokio::test]
async fn a_usage_error_fits_the_terminal() {
    let mut command =
        command("http://127.0.0.1:1", &["list", "--sort", "by-nothing-that-there-is"]);
    let ran = run(command.env("COLUMNS", "50"), "").await;
    assert_eq!((ran.code, &*ran.stdout), (2, ""), "{ran:?}");
    assert!(ran.stderr.contains("by-nothing-that-there-is"), "{ran:?}");
    assert!(ran.stderr.lines().all(|line| line.chars().count() <= 50), "{ran:?}");
}

#[tokio::test]
async fn completions_include_every_command() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = run(&mut command("http://127.0.0.1:1", &["completions", shell]), "").await;
        let script = script.done();
        for command in ["list", "change-seats", "redeliver", "observe"] {
            assert!(script.contains(command), "{command} in {shell}");
        }
    }
}
