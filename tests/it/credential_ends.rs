//! The reconciliation says once an hour how many days the credentials last.

use std::time::Duration;

use local::Options;
use serde_json::{Value, json};

use crate::log_lines::Lines;
use crate::test_env::TestEnv;

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The ends of the two secrets, as days after the start of the test.
pub(crate) async fn env(entra: Option<i64>, landing: Option<i64>) -> TestEnv {
    // The emulator's clock starts here.
    let start = emulator::Settings::default().start;
    let end = |days: i64| (start + jiff::SignedDuration::from_hours(24 * days)).to_string();
    let mut options = Options::default();
    for (name, days) in
        [("ENTRA_CLIENT_SECRET_EXPIRES", entra), ("LANDING_CLIENT_SECRET_EXPIRES", landing)]
    {
        if let Some(days) = days {
            options = options.with(name, &end(days));
        }
    }
    TestEnv::with(options).await
}

/// What a run says: the metric, and the credentials that it warns about with their days.
async fn said(env: &TestEnv, lines: &Lines) -> (Vec<i64>, Vec<Value>) {
    lines.take();
    env.system.reconcile().await.expect("a run");
    let written = lines.take();
    let metric = written.iter().filter_map(|line| line["credential_days_left"].as_i64()).collect();
    let warned = written.iter().filter(|line| {
        line["level"] == "WARN" && line["message"].as_str().is_some_and(|it| it.contains("renew"))
    });
    let warned = warned.map(|line| json!([line["credential.name"], line["days_left"]])).collect();
    (metric, warned)
}

#[tokio::test]
async fn the_end_that_comes_first_is_the_metric_and_each_near_one_is_warned_about() {
    let (lines, _guard) = Lines::collect("info");
    let env = env(Some(32), Some(60)).await;
    assert_eq!(said(&env, &lines).await, (vec![32], vec![]));
    env.advance(2 * DAY);
    assert_eq!(said(&env, &lines).await, (vec![30], vec![json!(["ENTRA_CLIENT_SECRET", 30])]));
    env.advance(31 * DAY);
    let both = [json!(["ENTRA_CLIENT_SECRET", -1]), json!(["LANDING_CLIENT_SECRET", 27])];
    assert_eq!(said(&env, &lines).await, (vec![-1], both.to_vec()));
}

#[tokio::test]
async fn a_run_within_the_hour_says_nothing_again() {
    let (lines, _guard) = Lines::collect("info");
    let env = env(None, Some(3)).await;
    let warned = vec![json!(["LANDING_CLIENT_SECRET", 3])];
    assert_eq!(said(&env, &lines).await, (vec![3], warned));
    env.advance(HOUR / 2);
    assert_eq!(said(&env, &lines).await, (vec![], vec![]));
    env.advance(HOUR / 2);
    assert_eq!(said(&env, &lines).await, (vec![2], vec![json!(["LANDING_CLIENT_SECRET", 2])]));
}

#[tokio::test]
async fn an_end_that_is_written_nowhere_is_no_metric() {
    let (lines, _guard) = Lines::collect("info");
    let env = env(None, None).await;
    assert_eq!(said(&env, &lines).await, (vec![], vec![]));
}

#[tokio::test]
async fn the_end_is_said_also_when_the_run_fails_because_it_is_over() {
    let (lines, _guard) = Lines::collect("info");
    let env = env(Some(-1), None).await;
    env.microsoft().entra(|entra| {
        entra.refuse_clients(Some(emulator::ClientRefusal::SecretExpired));
    });
    env.system.reconcile().await.expect_err("no token");
    let metrics = lines.take_metrics();
    assert_eq!(metrics["credential_days_left"], [-1]);
    assert_eq!(metrics["credential"], [1]);
}

#[tokio::test]
async fn the_consoles_secret_is_watched_where_there_is_a_console() {
    let (lines, _guard) = Lines::collect("info");
    let end = emulator::Settings::default().start + jiff::SignedDuration::from_hours(24 * 5);
    let options = Options::default().with("CONSOLE_CLIENT_SECRET_EXPIRES", &end.to_string());
    let warned = vec![json!(["CONSOLE_CLIENT_SECRET", 5])];
    assert_eq!(said(&TestEnv::with(options).await, &lines).await, (vec![5], warned));
}

#[tokio::test]
async fn a_certificate_names_its_end_itself() {
    let (lines, _guard) = Lines::collect("info");
    let settings = emulator::Settings::default();
    let lifetime = jiff::SignedDuration::from_hours(24 * 20 + 1);
    let (pem, _) = emulator::World::new(settings).entra().client_certificate(lifetime);
    let options = Options::default()
        .with("ENTRA_CREDENTIAL", "certificate")
        .with("ENTRA_CLIENT_CERTIFICATE", &pem);
    let env = TestEnv::with(options).await;
    env.microsoft().entra(|entra| {
        let ends = "2049-12-31T00:00:00Z".parse().expect("a time");
        let application = emulator::Settings::default().client_id;
        entra.register_certificate(&application, &pem, ends);
    });
    let warned = vec![json!(["ENTRA_CLIENT_CERTIFICATE", 20])];
    assert_eq!(said(&env, &lines).await, (vec![20], warned));
}
