//! Commands that stay until something has come to its end.

use emulator::{Purchase, World};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr};
use uuid::Uuid;

use crate::scene::Scene;

/// A command that stays, and what it says.
struct Staying {
    child: Child,
    said: Lines<BufReader<ChildStderr>>,
}

impl Staying {
    fn begin(scene: &Scene, arguments: &[&str]) -> Self {
        let mut child = scene.spawn(arguments);
        let said = BufReader::new(child.stderr.take().expect("a way out")).lines();
        Self { child, said }
    }

    /// Listens until something is said.
    async fn until(&mut self, words: &str) -> String {
        while let Some(line) = self.said.next_line().await.expect("text") {
            if line.contains(words) {
                return line;
            }
        }
        panic!("it ended without having said {words:?}");
    }

    /// The exit code, and standard output.
    async fn end(mut self) -> (i32, String) {
        let mut stdout = String::new();
        let mut out = self.child.stdout.take().expect("a way out");
        out.read_to_string(&mut stdout).await.expect("text");
        while self.said.next_line().await.expect("text").is_some() {}
        let status = self.child.wait().await.expect("it ends");
        (status.code().expect("an exit code"), stdout)
    }
}

const POLL: [&str; 3] = ["--wait", "--poll", "0.01"];

#[tokio::test]
async fn a_wait_ends_when_microsofts_webhook_has_brought_the_change() {
    let scene = Scene::new().await;
    let id = scene.active(Purchase::per_seat("basic", 10)).await;
    // The end waits for nobody's acknowledgement.
    for (command, value, waits) in [
        ("change-plan", "team", "InProgress"),
        ("change-seats", "20", "InProgress"),
        ("cancel", "--yes", "waiting for its webhook"),
    ] {
        let named = id.to_string();
        let arguments = [&["--json", command, &named, value][..], &POLL].concat();
        let mut staying = Staying::begin(&scene, &arguments);
        staying.until(waits).await;
        scene.deliver().await;
        staying.until("in force").await;
        let (code, stdout) = staying.end().await;
        assert_eq!(code, 0, "{command}");
        let shown: Value = serde_json::from_str(&stdout).expect("JSON");
        assert_eq!(shown["version"], scene.record(id).await.version, "{command}");
    }
    let record = scene.record(id).await;
    assert_eq!(
        (record.subscription.plan_id.as_str(), record.subscription.quantity),
        ("team", Some(20))
    );
    assert_eq!(record.status().as_str(), "Unsubscribed");
}

/// How a change ends at Microsoft without having been made.
type End = fn(&mut World, Uuid);

#[tokio::test]
async fn a_wait_ends_with_an_operation_that_changes_nothing() {
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
        let scene = Scene::new().await;
        let id = scene.active(Purchase::per_seat("basic", 10)).await;
        let named = id.to_string();
        let arguments = [&["change-seats", &named, "20"][..], &POLL].concat();
        let mut staying = Staying::begin(&scene, &arguments);
        staying.until("InProgress").await;
        scene.world(|world| end(world, id));
        let said = staying.until("error[operation_ended]").await;
        assert!(said.contains(status), "{said}");
        assert_eq!(staying.end().await, (1, String::new()));
    }
}

#[tokio::test]
async fn a_wait_that_takes_too_long_ends_and_the_change_goes_on() {
    let scene = Scene::new().await;
    let id = scene.active(Purchase::per_seat("basic", 10)).await;
    let named = id.to_string();
    let ask = ["change-seats", &named, "20", "--wait", "--timeout", "0"];
    scene.run(&ask).await.failed(5, "still_under_way");
    scene.deliver().await;
    assert_eq!(scene.record(id).await.subscription.quantity, Some(20));
}
