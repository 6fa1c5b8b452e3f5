//! What the pages of the console show of the table, and the audit lines that they leave.

use std::time::Duration;

use emulator::{Call, ErrorForm, FaultKind, Times};
use http::StatusCode;
use jiff::SignedDuration;
use local::Options;
use serde_json::{Value, json};
use shared::domain::SubscriptionId;
use shared::store::{
    Checkpoint, Checkpoints, Cursor, CursorState, Difference, FirstStart, Outbox, Outcome, Run,
    RunEnd, Target, Trouble,
};
use uuid::Uuid;

use crate::console_env::{Desk, OPERATOR, VIEWER, page_of, shows, team};
use crate::delivery_product::KEY;
use crate::log_lines::Lines;
use crate::test_env::{TestEnv, table};

/// With a receiver that nothing answers for.
async fn env_with_receiver() -> TestEnv {
    let options = Options::default()
        .with("DELIVERY_ENDPOINT", "http://127.0.0.1:9/events")
        .with("DELIVERY_SIGNING_KEY", KEY);
    TestEnv::with(options).await
}

#[tokio::test]
async fn an_operation_that_is_not_over_needs_the_staff_once_its_grace_has_passed() {
    let env = TestEnv::new().await;
    let id = env.active(team()).await;
    let mut desk = Desk::of(&env, OPERATOR).await;
    let path = format!("{}/change-plan?plan=basic", page_of(id));
    let asked = desk.act(&path, &[("agreed", "yes"), ("reason", "By phone")]).await;
    assert_eq!(asked.status, StatusCode::SEE_OTHER, "{}", asked.body);
    const OVERDUE: &str = "Overdue operations";
    assert!(!desk.page("/console").await.contains(OVERDUE), "the webhook is still to come");
    env.advance(Duration::from_secs(61));
    let page = desk.page("/console").await;
    shows(&page, &[OVERDUE, "Fleet of twelve", "Plan change to basic requested 1 minute ago"]);
    env.deliver().await;
    assert!(!desk.page("/console").await.contains(OVERDUE), "it is over");
}

#[tokio::test]
async fn an_activation_that_microsoft_has_not_finished_is_overdue() {
    let env = TestEnv::new().await;
    let id = env.purchase(team());
    env.fault(Call::Activate, FaultKind::Status(503, ErrorForm::Empty), Times::Always);
    env.confirm(id).await;
    env.advance(Duration::from_secs(3 * 60));
    let page = Desk::of(&env, VIEWER).await.page("/console").await;
    shows(&page, &["Overdue operations", "Microsoft was asked to activate the purchase"]);
}

#[tokio::test]
async fn what_a_run_left_is_shown_until_the_next_run_has_ended() {
    let env = TestEnv::new().await;
    let mut desk = Desk::of(&env, VIEWER).await;
    let table = table(&env);
    let left = SubscriptionId(Uuid::from_u128(7));
    let now = env.system.clock.now();
    let mut checkpoint = Checkpoint::default();
    checkpoint.begin(now);
    checkpoint.findings.add(Difference::new(left, None).ended(Outcome::Left, "settling"));
    (checkpoint.left, checkpoint.revision) = (1, 1);
    let end = |checkpoint: &mut Checkpoint| {
        Run::of(checkpoint, RunEnd::List, false, now).conclude(checkpoint);
        checkpoint.end();
    };
    end(&mut checkpoint);
    for what in ["the run has ended", "another one is under way"] {
        table.save_checkpoint(&checkpoint).await.expect("saved");
        let page = desk.page("/console").await;
        assert!(page.contains(&left.to_string()) && page.contains("settling"), "{what}: {page}");
        checkpoint.revision += 1;
        if !checkpoint.is_under_way() {
            checkpoint.begin(now);
        }
    }
    end(&mut checkpoint);
    table.save_checkpoint(&checkpoint).await.expect("saved");
    assert!(!desk.page("/console").await.contains(&left.to_string()), "it found nothing");
}

#[tokio::test]
async fn a_difference_that_no_list_has_leads_to_the_reconciliation() {
    let env = TestEnv::new().await;
    let mut desk = Desk::of(&env, VIEWER).await;
    let mut checkpoint = Checkpoint::default();
    checkpoint.begin(env.system.clock.now());
    // As many repairs as a run lists, and then a difference that it leaves.
    for number in 0..50 {
        checkpoint.findings.add(Difference::new(SubscriptionId(Uuid::from_u128(number)), None));
    }
    let left = Difference::new(SubscriptionId(Uuid::from_u128(50)), None);
    checkpoint.findings.add(left.ended(Outcome::Left, "settling"));
    (checkpoint.repaired, checkpoint.left, checkpoint.revision) = (50, 1, 1);
    table(&env).save_checkpoint(&checkpoint).await.expect("saved");
    let page = desk.page("/console").await;
    let see = "see <a href=\"/console/reconciliation\">Reconciliation</a>";
    shows(&page, &["Differs from Microsoft's copy", see]);
    assert!(!page.contains("There are more") && !page.contains("settling"), "{page}");
}

#[tokio::test]
async fn of_very_many_purchases_the_page_says_that_others_may_expire_first() {
    const PART: &str = "These are 40 of the purchases that wait, and not necessarily the ones that expire \
        first. <a href=\"/console/subscriptions?status=PendingFulfillmentStart\">";
    let env = TestEnv::new().await;
    let mut desk = Desk::of(&env, VIEWER).await;
    for (purchases, shown, is_part) in [(40, 40, false), (1, 40, true)] {
        for _ in 0..purchases {
            env.purchase(team());
        }
        env.system.reconcile().await.expect("a run");
        let page = desk.page("/console").await;
        assert_eq!(page.matches("Fleet of twelve").count(), shown, "{page}");
        assert_eq!(page.contains(PART), is_part, "{page}");
    }
}

#[tokio::test]
async fn a_purchase_from_before_the_first_start_is_marked() {
    const MARK: &str = "Bought before this deployment";
    let env = TestEnv::new().await;
    env.purchase(team());
    env.system.reconcile().await.expect("a run");
    let mut desk = Desk::of(&env, VIEWER).await;
    let page = desk.page("/console").await;
    assert!(page.contains("Fleet of twelve") && !page.contains(MARK), "{page}");

    let env = TestEnv::new().await;
    env.purchase(team());
    let started_at = env.system.clock.now() + SignedDuration::from_hours(1);
    let first = FirstStart { started_at, imported_at: None };
    table(&env).save_first_start(&first).await.expect("the first one");
    env.advance(Duration::from_secs(3600));
    env.system.reconcile().await.expect("a run");
    let page = Desk::of(&env, VIEWER).await.page("/console").await;
    shows(&page, &["Fleet of twelve", MARK]);
}

/// A cursor that is parked, or that waits.
async fn stop(env: &TestEnv, id: Uuid, target: Target, is_parked: bool) {
    let now = env.system.clock.now();
    let trouble = Trouble { since: now, attempts: 9, last: "answered 503".to_owned() };
    let state = match is_parked {
        true => CursorState::Parked { at: now, trouble },
        false => CursorState::Due { at: now, trouble: Some(trouble) },
    };
    let table = table(env);
    let stored = table.cursor(SubscriptionId(id), target).await.expect("a read");
    let cursor = Cursor { revision: stored.revision + 1, state, ..Cursor::default() };
    table.save_cursor(SubscriptionId(id), target, &cursor).await.expect("saved");
}

/// The address of the next page.
fn next_page(page: &str) -> String {
    let link = page.split("<a class=\"button plain\" href=\"").find(|link| link.contains("next="));
    let next = link.and_then(|link| link.split('"').next()).expect("an address");
    next.replace("&#38;", "&")
}

#[tokio::test]
async fn deliveries_of_receivers_that_are_gone_are_not_shown() {
    let env = env_with_receiver().await;
    let id = env.active(team()).await;
    let gone: Target = "gone".parse().expect("a name");
    stop(&env, id, gone, true).await;
    let mut desk = Desk::of(&env, VIEWER).await;
    shows(&desk.page("/console/deliveries").await, &["Nothing is parked."]);
    assert!(!desk.page("/console").await.contains("Parked deliveries"));
    stop(&env, id, Target::Endpoint, true).await;
    let page = desk.page("/console/deliveries").await;
    shows(&page, &["Fleet of twelve", "answered 503", "9 attempts"]);
    assert!(!page.contains("gone"), "{page}");
    shows(&desk.page("/console").await, &["Parked deliveries", "Fleet of twelve"]);
    shows(&desk.page(&page_of(id)).await, &["endpoint", "parked", "answered 503"]);
}

#[tokio::test]
async fn many_deliveries_have_pages_and_a_receiver_says_that_more_wait() {
    let env = env_with_receiver().await;
    for number in 0..23 {
        stop(&env, Uuid::from_u128(number), Target::Endpoint, false).await;
    }
    let mut desk = Desk::of(&env, VIEWER).await;
    let page = desk.page("/console/deliveries").await;
    shows(&page, &["20 or more waiting", "Next page"]);
    let page = desk.page(&next_page(&page)).await;
    assert_eq!(page.matches("answered 503").count(), 3, "{page}");
    assert!(!page.contains("Next page"), "{page}");
    let refused = desk.page("/console/deliveries?next=nonsense").await;
    shows(&refused, &["The waiting deliveries can't be read now", "Nothing is parked."]);
}

#[tokio::test]
async fn every_event_is_accepted_only_if_none_waits_or_is_parked_on_any_page() {
    const ACCEPTED: &str = "Every event has been accepted.";
    let env = env_with_receiver().await;
    let mut desk = Desk::of(&env, VIEWER).await;
    const DELIVERIES: &str = "/console/deliveries";
    shows(&desk.page(DELIVERIES).await, &["Nothing is parked.", ACCEPTED]);
    for number in 0..21 {
        stop(&env, Uuid::from_u128(number), Target::Endpoint, false).await;
    }
    let next = next_page(&desk.page(DELIVERIES).await);
    for number in 0..21 {
        stop(&env, Uuid::from_u128(number), Target::Endpoint, true).await;
    }
    let page = desk.page(&next).await;
    shows(&page, &["No delivery of this page is waiting any more."]);
    assert!(!page.contains(ACCEPTED), "{page}");
    let page = desk.page(DELIVERIES).await;
    shows(&page, &["answered 503", "Nothing is waiting."]);
    assert!(!page.contains(ACCEPTED), "{page}");
}

#[tokio::test]
async fn every_part_says_that_the_table_can_not_be_read() {
    let mut env = env_with_receiver().await;
    let cookies = Desk::of(&env, VIEWER).await.cookies;
    env.system.stop_database();
    let mut desk = Desk { env: &env, cookies };
    let parts: [(&str, &[&str]); 2] = [
        (
            "/console",
            &[
                "waiting purchases",
                "overdue operations",
                "parked deliveries",
                "last reconciliation",
            ],
        ),
        ("/console/deliveries", &["receivers", "parked deliveries", "waiting deliveries"]),
    ];
    for (path, parts) in parts {
        let page = desk.page(path).await;
        for part in parts {
            assert!(page.contains(&format!("{part} can't be read now")), "{part} in {page}");
        }
        assert!(!page.contains("Nothing needs you"), "{page}");
    }
    for path in ["/console/reconciliation", "/console/offers"] {
        let answer = desk.get(path).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}: {}", answer.body);
    }
}

/// The audit lines since the last time, as route, subscription, and whether it was an export.
fn audited(lines: &Lines) -> Vec<(String, Value, bool)> {
    let logged = lines.take();
    let audited = logged.iter().filter(|line| line["audit"] == true);
    let audited = audited.inspect(|line| {
        let principal = line["principal"].as_str().expect("a principal");
        assert!(principal.starts_with("console: ") && !principal.contains('@'), "{line}");
        assert!(!line.to_string().contains("Fleet"), "{line}");
    });
    let line = |line: &Value| {
        let route = line["route"].as_str().expect("a route").to_owned();
        (route, line["subscription.id"].clone(), line["export"] == true)
    };
    audited.map(line).collect()
}

#[tokio::test]
async fn each_page_with_personal_data_leaves_a_line_and_a_download_is_an_export() {
    let env = env_with_receiver().await;
    let id = env.active(team()).await;
    let mut desk = Desk::of(&env, VIEWER).await;
    let (lines, _guard) = Lines::collect("error");
    const ONE: &str = "/console/subscriptions/{id}";
    for (path, expected) in [
        ("/console".to_owned(), vec![("/console", false, false)]),
        ("/console/deliveries".to_owned(), vec![("/console/deliveries", false, false)]),
        ("/console/subscriptions".to_owned(), vec![("/subscriptions", false, false)]),
        (page_of(id), vec![(ONE, true, false); 4]),
        (format!("{}/refresh", page_of(id)), vec![]),
        ("/console/subscriptions.csv".to_owned(), vec![("/subscriptions", false, true)]),
        (
            format!("{}/data.json", page_of(id)),
            vec![
                ("/subscriptions/{id}", true, true),
                ("/subscriptions/{id}/events", true, true),
                ("/subscriptions/{id}/notes", true, true),
            ],
        ),
        ("/console/reconciliation".to_owned(), vec![]),
        ("/console/offers".to_owned(), vec![]),
    ] {
        let answer = desk.get(&path).await;
        if path.ends_with("refresh") {
            assert_eq!(answer.status, StatusCode::FORBIDDEN);
        } else {
            assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.body);
        }
        let expected: Vec<_> = expected
            .into_iter()
            .map(|(route, is_one, is_export)| {
                let subscription = if is_one { json!(id) } else { Value::Null };
                (route.to_owned(), subscription, is_export)
            })
            .collect();
        assert_eq!(audited(&lines), expected, "{path}");
    }
}
