//! Commands that wait until a change is in effect.

use emulator::{Purchase, World};
use local::test_env::TestEnv;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr};
use uuid::Uuid;

use crate::test_env::Saasctl as _;

/// A waiting command, and the lines that it reports.
struct WaitingCommand {
    child: Child,
    lines: Lines<BufReader<ChildStderr>>,
}

impl WaitingCommand {
    fn start(env: &TestEnv, arguments: &[&str]) -> Self {
        let mut child = env.spawn(arguments);
        let lines = BufReader::new(child.stderr.take().expect("an output stream")).lines();
        Self { child, lines }
    }

    /// Waits for a line with these words.
    async fn until(&mut self, words: &str) -> String {
        while let Some(line) = self.lines.next_line().await.expect("text") {
            if line.contains(words) {
                return line;
            }
        }
        panic!("the command ended without a line with {words:?}");
    }

    /// The exit code, and standard output.
    async fn end(mut self) -> (i32, String) {
        let mut stdout = String::new();
        let mut out = self.child.stdout.take().expect("an output stream");
        out.read_to_string(&mut stdout).await.expect("text");
        while self.lines.next_line().await.expect("text").is_some() {}
        let status = self.child.wait().await.expect("the command ends");
        (status.code().expect("an exit code"), stdout)
    }
}

const POLL: [&str; 3] = ["--wait", "--poll", "0.01"];

#[tokio::test]
async fn a_wait_ends_when_the_webhook_has_updated_the_record() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::per_seat("basic", 10)).await;
    // A cancellation needs no acknowledgement, so it is never `InProgress`.
    for (command, value, step) in [
        ("change-plan", "team", "InProgress"),
        ("change-seats", "20", "InProgress"),
        ("cancel", "--yes", "waiting for its webhook"),
    ] {
        let named = id.to_string();
        let arguments = [&["--json", command, &named, value][..], &POLL].concat();
        let mut waiting = WaitingCommand::start(&env, &arguments);
        waiting.until(step).await;
        env.deliver_webhooks().await;
        waiting.until("in effect").await;
        let (code, stdout) = waiting.end().await;
        assert_eq!(code, 0, "{command}");
        let shown: Value = serde_json::from_str(&stdout).expect("JSON");
        assert_eq!(shown["version"], env.recorded(id).await.version, "{command}");
    }
    let record = env.recorded(id).await;
    assert_eq!(
        (record.subscription.plan_id.as_str(), record.subscription.quantity),
        ("team", Some(20))
    );
    assert_eq!(record.status().as_str(), "Unsubscribed");
}

/// Ends a change at Microsoft without success.
type End = fn(&mut World, Uuid);

#[tokio::test]
async fn a_wait_ends_with_an_operation_that_did_not_succeed() {
    let ends: [(&str, End); 2] = [
        ("Failed", |world, id| {
            world.suspend(id).expect("a suspension");
        }),
        ("Conflict", |world, id| {
            let operation = *world.operations(id).last().expect("an operation");
            world.end_in_conflict(operation);
        }),
    ];
    for (status, end) in ends {
        let env = TestEnv::new().await;
        let id = env.active(Purchase::per_seat("basic", 10)).await;
        let named = id.to_string();
        let arguments = [&["change-seats", &named, "20"][..], &POLL].concat();
        let mut waiting = WaitingCommand::start(&env, &arguments);
        waiting.until("InProgress").await;
        env.world(|world| end(world, id));
        let said = waiting.until("error[operation_ended]").await;
        assert!(said.contains(status), "{said}");
        assert_eq!(waiting.end().await, (1, String::new()));
    }
}

#[tokio::test]
async fn a_wait_that_times_out_does_not_stop_the_change() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::per_seat("basic", 10)).await;
    let named = id.to_string();
    let ask = ["change-seats", &named, "20", "--wait", "--timeout", "0"];
    env.run(&ask).await.failed(5, "still_under_way");
    env.deliver_webhooks().await;
    assert_eq!(env.recorded(id).await.subscription.quantity, Some(20));
}
