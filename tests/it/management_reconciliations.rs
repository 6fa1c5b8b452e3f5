//! The management API: the runs of the reconciliation, and starting, pausing and resuming them.

use std::time::Duration;

use emulator::{Purchase, World};
use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};
use shared::store::{Checkpoint, Run, RunEnd};

use crate::doctor_env::DoctorEnv;
use crate::store::runs::findings;
use crate::test_env::{Answer, TestEnv, is_problem};

const HOUR: u64 = 60 * 60;

async fn post(env: &TestEnv, path: &str, key: Option<&str>, body: &Value) -> Answer {
    let mut request = env.http.post(env.url(&format!("/reconciliations{path}")));
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    env.send(request.body(body.to_string())).await
}

async fn overview(env: &TestEnv) -> Value {
    let answer = env.get("/reconciliations").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    answer.json()
}

/// What the overview shows once so many runs have ended that had something to say.
async fn ended(env: &TestEnv, number: usize) -> Value {
    loop {
        let shown = overview(env).await;
        if shown["runs"].as_array().is_some_and(|runs| runs.len() == number) {
            return shown;
        }
    }
}

#[tokio::test]
async fn runs_are_listed_page_by_page_with_quiet_ones_as_one_entry() {
    let env = TestEnv::new().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    env.system.reconcile().await.expect("a run");
    for _ in 0..4 {
        env.advance(Duration::from_secs(HOUR));
        env.system.reconcile().await.expect("a run");
    }
    let shown = overview(&env).await;
    assert_eq!((&shown["current"], &shown["pause"]), (&json!(null), &json!(null)));
    assert_eq!(shown["quietRuns"]["count"], 4);
    assert_eq!(shown["lastFullRound"]["endedAt"], shown["quietRuns"]["lastEndedAt"]);
    let runs = shown["runs"].as_array().expect("runs");
    assert_eq!(runs.len(), 1);
    assert_eq!(runs[0]["differences"][0]["subscriptionId"], id.to_string());

    for hour in 1..=5 {
        let begun_at = env.system.clock.now() + Duration::from_secs(hour * HOUR);
        let checkpoint = Checkpoint { begun_at: Some(begun_at), ..Checkpoint::default() };
        let run = Run::of(&checkpoint, RunEnd::Broken, false, begun_at);
        env.system.runs.save_run(&run).await.expect("a write");
    }
    let (mut seen, mut next) = (Vec::new(), String::new());
    loop {
        let page = env.get(&format!("/reconciliations?limit=2{next}")).await.json();
        seen.extend(page["runs"].as_array().expect("runs").iter().map(|run| {
            run["begunAt"].as_str().and_then(|at| at.parse::<Timestamp>().ok()).expect("a time")
        }));
        match page["next"].as_str() {
            Some(more) => next = format!("&next={more}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), 6);
    assert!(seen.is_sorted_by(|one, other| one > other), "the latest first: {seen:?}");
    is_problem(
        &env.get("/reconciliations?next=UEFVU0U").await,
        StatusCode::BAD_REQUEST,
        "malformed_request",
    );
}

#[tokio::test]
async fn a_run_that_goes_on_is_shown_with_what_it_has_found() {
    let env = TestEnv::new().await;
    let now = env.system.clock.now();
    let under_way = Checkpoint {
        next: Some("token".to_owned()),
        pages: 7,
        examined: 600,
        repaired: 2,
        begun_at: Some(now),
        findings: findings(),
        revision: 1,
        ..Checkpoint::default()
    };
    env.system.checkpoints.save_checkpoint(&under_way).await.expect("a write");
    let shown = overview(&env).await;
    assert_eq!(shown["dryRun"], json!(null));
    let current = &shown["current"];
    assert_eq!((&current["examined"], &current["pages"]), (&600.into(), &7.into()));
    assert_eq!(current["differences"], json!(findings().differences));
    assert_eq!(shown["runs"], json!([]));
    env.system.runs.save_dry_run(&under_way).await.expect("a write");
    assert_eq!(&overview(&env).await["dryRun"], current);
}

#[tokio::test]
async fn a_run_is_started_now_once_per_idempotency_key() {
    let env = TestEnv::new().await;
    env.purchase(Purchase::flat_rate("silver"));
    env.world(World::lose_deliveries);
    let dry = post(&env, "", Some("a"), &json!({ "dryRun": true })).await;
    assert_eq!(dry.status, StatusCode::ACCEPTED, "{}", dry.body);
    let shown = ended(&env, 1).await;
    assert_eq!(shown["runs"][0]["dryRun"], true);
    assert_eq!(shown["runs"][0]["repaired"], 1);
    assert_eq!(shown["lastFullRound"], json!(null), "a dry run repairs nothing");

    let again = post(&env, "", Some("a"), &json!({ "dryRun": true })).await;
    assert_eq!(again.json()["name"], dry.json()["name"]);
    env.advance(Duration::from_secs(HOUR));
    let run = post(&env, "", Some("a"), &json!({})).await;
    assert_ne!(run.json()["name"], dry.json()["name"], "it is another request");
    let shown = ended(&env, 2).await;
    let runs = shown["runs"].as_array().expect("runs");
    assert_eq!(
        [&runs[0]["dryRun"], &runs[1]["dryRun"]],
        [false, true],
        "the repetition started none"
    );
    let [one, other] =
        [post(&env, "", None, &json!({})).await, post(&env, "", None, &json!({})).await];
    assert_ne!(one.json()["name"], other.json()["name"]);
}

#[tokio::test]
async fn a_paused_reconciliation_is_shown_with_its_note_and_starts_only_dry_runs() {
    let env = TestEnv::new().await;
    for body in [json!({}), json!({ "note": " " }), json!({ "note": "a".repeat(501) })] {
        let refused = post(&env, "/pause", None, &body).await;
        is_problem(&refused, StatusCode::BAD_REQUEST, "malformed_request");
    }
    assert_eq!(overview(&env).await["pause"], json!(null));
    let paused = post(&env, "/pause", None, &json!({ "note": "a".repeat(500) })).await;
    assert_eq!(paused.status, StatusCode::OK, "{}", paused.body);
    env.advance(Duration::from_secs(HOUR));
    post(&env, "/pause", None, &json!({ "note": "Microsoft repairs its list" })).await;
    let shown = overview(&env).await;
    assert_eq!(shown["pause"]["note"], "Microsoft repairs its list");
    assert_eq!(shown["pause"]["since"], paused.json()["pause"]["since"], "it is one pause");

    let refused = post(&env, "", None, &json!({})).await;
    is_problem(&refused, StatusCode::CONFLICT, "reconciliation_paused");
    let dry = post(&env, "", None, &json!({ "dryRun": true })).await;
    assert_eq!(dry.status, StatusCode::ACCEPTED, "{}", dry.body);
    for _ in 0..2 {
        let resumed = post(&env, "/resume", None, &json!({})).await;
        assert_eq!(resumed.json(), json!({ "pause": null }));
    }
    assert_eq!(post(&env, "", None, &json!({})).await.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn the_doctor_warns_of_a_pause_that_lasts_longer_than_a_day() {
    let doctor = DoctorEnv::at_work().await;
    post(&doctor.env, "/pause", None, &json!({ "note": "adele@contoso.example" })).await;
    doctor.env.pass(23 * HOUR);
    doctor.examine().await.has("reconciliation", "ok", &["paused 23 hours ago"]);
    doctor.env.pass(2 * HOUR);
    let found = doctor.examine().await;
    found.has("reconciliation", "warning", &["paused 1 day ago", "resume"]);
    assert!(!found.with("failed").contains(&"reconciliation"));
    post(&doctor.env, "/resume", None, &json!({})).await;
    doctor.examine().await.has("reconciliation", "failed", &["ReconciliationSchedule"]);
}
