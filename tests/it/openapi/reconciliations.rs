//! The calls about the reconciliation.

use http::Method;
use shared::store::{Checkpoint, QuietRuns, Round, Run, RunEnd};

use super::description::Caller;
use crate::store::runs::findings;

/// Makes each call with each of its answers.
pub(super) async fn call(caller: &mut Caller<'_>) {
    let (system, now) = (&caller.env.system, caller.env.system.clock.now());
    let under_way = Checkpoint {
        next: Some("token".to_owned()),
        begun_at: Some(now),
        last_round: Some(Round { begun_at: now, ended_at: now }),
        findings: findings(),
        quiet_runs: Some(QuietRuns {
            count: 2,
            since: now,
            last_begun_at: now,
            last_ended_at: now,
        }),
        revision: system.checkpoints.checkpoint().await.expect("a read").revision + 1,
        ..Checkpoint::default()
    };
    let run = Run::of(&under_way, RunEnd::Broken, false, now);
    system.runs.save_run(&run).await.expect("a write");
    system.runs.save_dry_run(&under_way).await.expect("a write");
    system.checkpoints.save_checkpoint(&under_way).await.expect("a write");

    caller.post("/reconciliations/pause", r#"{"note":"Microsoft repairs its list"}"#).await;
    caller.post("/reconciliations/pause", "{}").await;
    for query in ["", "?limit=1", "?limit=0", "?next=x", "?sort=lastChange"] {
        caller.get(&format!("/reconciliations{query}")).await;
    }
    for (body, status) in [("", 409), ("[]", 400), (r#"{"dryRun":true}"#, 202)] {
        let headers = [("idempotency-key", "a")];
        let answer = caller.call(Method::POST, "/reconciliations", &headers, body).await;
        assert_eq!(answer.status, status, "{}", answer.body);
    }
    caller.post("/reconciliations/resume", "").await;
    caller.post("/reconciliations/resume?now=1", "").await;
}
