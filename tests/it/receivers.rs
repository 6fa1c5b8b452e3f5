//! The page for the developers of the publisher's product, `functions/delivery/README.md`, and its
//! examples: each is started as the page says, and is sent what the functions send.

mod handovers;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use delivery::Driver;
use http::{Request, Response, StatusCode};
use jiff::{SignedDuration, Timestamp};
use local::schemas::Schemas;
use serde_json::{Value, json};
use shared::domain::{
    Action, Cause, ChangePolicy, ChangeRules, DecidedBy, Operation, OperationId, Position,
    Requested, Ruling, Verdict,
};
use shared::flows::redelivery::{From, redeliver};
use shared::host::clock::Clock as _;
use shared::host::http_client::{HttpClient, SendError, Transport};
use shared::host::secret::ClientSecret;
use shared::publisher::approval::{ChangeApproval, ChangeContext, Product};
use shared::publisher::standard_webhooks::WebhookKeys;
use shared::store::Target;
use uuid::Uuid;

use crate::delivery_env::{DeliveryEnv, KEY, id, records};

const README: &str = include_str!("../../functions/delivery/README.md");

/// The key that replaces [`KEY`]. The examples hold both.
const NEWER_KEY: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

const DECISION_KEY: &str = "whsec_CgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgo=";

/// A key that no example holds.
const STRANGERS_KEY: &str = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

#[tokio::test]
async fn the_python_receiver_takes_what_is_genuine_and_decides() {
    if is_installed("python3", InCi::Required) {
        let mut command = Command::new("python3");
        command.arg(folder().join("receiver.py"));
        takes_what_is_genuine_and_decides(command).await;
    }
}

#[tokio::test]
async fn the_node_receiver_takes_what_is_genuine_and_decides() {
    if is_installed("node", InCi::Required) {
        let mut command = Command::new("node");
        command.arg(folder().join("receiver.mjs"));
        takes_what_is_genuine_and_decides(command).await;
    }
}

#[tokio::test]
async fn the_dotnet_receiver_takes_what_is_genuine_and_decides() {
    if is_installed("dotnet", InCi::Optional) {
        let project = Path::new(env!("CARGO_TARGET_TMPDIR")).join("receiver");
        std::fs::create_dir_all(&project).expect("a folder for the project");
        let dotnet = |arguments: &str| {
            let mut command = Command::new("dotnet");
            command.args(arguments.split(' ')).current_dir(&project);
            command
        };
        run(dotnet("new web --force --name receiver --output ."));
        std::fs::copy(folder().join("Receiver.cs"), project.join("Program.cs")).expect("copied");
        run(dotnet("build --output bin"));
        takes_what_is_genuine_and_decides(dotnet("bin/receiver.dll")).await;
    }
}

#[test]
fn the_event_in_the_readme_is_as_its_schema_describes_it() {
    let example = README.split("```json\n").nth(1).and_then(|rest| rest.split("```").next());
    let event: Value = serde_json::from_str(example.expect("an example")).expect("JSON");
    assert_eq!(Schemas::read().complaints(&event), [""; 0]);
}

#[test]
fn the_readme_lists_every_type_of_event() {
    for id in Schemas::read().ids() {
        let name = id.rsplit(':').next().expect("a name");
        let row = format!("| `{name}` | ");
        assert_eq!(README.matches(&row).count(), 1, "{row}");
        assert!(README.contains(&format!("({})", schema(name))), "{name}");
    }
}

fn schema(name: &str) -> String {
    format!("../../shared/schemas/{name}.json")
}

async fn takes_what_is_genuine_and_decides(command: Command) {
    let example = Example::start(command);
    let mut printed = Vec::new();

    let both_keys = format!("{STRANGERS_KEY} {NEWER_KEY}");
    let mut genuine = Vec::new();
    for (number, keys) in [(1, KEY), (2, NEWER_KEY), (3, both_keys.as_str())] {
        genuine = example.is_told_twice(number, keys).await;
        for name in ["purchased", "activated"] {
            printed.push(format!("saas-fulfillment.subscription.{name}.v1 {}", id(number)));
        }
    }

    let genuine = &genuine[0];
    for (what, request, expected) in forgeries(genuine) {
        let status = Recording::default().status(request).await;
        assert_eq!(status, expected, "{what}");
    }
    let no_json = signed(genuine, KEY, SignedDuration::ZERO, Bytes::from_static(b"no JSON"));
    assert_eq!(Recording::default().status(no_json).await, 400);
    assert_eq!(Recording::default().status(genuine.clone()).await, 204, "it still answers");

    let by = |by, verdict, reason: &str| Ruling::new(verdict, by, reason);
    assert_eq!(
        example.decides(DECISION_KEY, 2).await,
        by(DecidedBy::Product, Verdict::Reject, "3 seats are in use")
    );
    assert_eq!(
        example.decides(DECISION_KEY, 20).await,
        by(DecidedBy::Product, Verdict::Accept, "")
    );
    for word in ["reject", "accept"] {
        printed.push(format!("saas-fulfillment.decision.v1 {} {word}", id(QUESTIONED)));
    }
    assert_eq!(
        example.decides(STRANGERS_KEY, 20).await,
        by(DecidedBy::Fallback, Verdict::Reject, "error_answered"),
        "a question that is not genuine gets no decision"
    );

    printed.extend(example.takes_handovers().await);

    assert_eq!(example.end(), printed, "each event and each handover once");
}

/// Messages that an example must refuse.
fn forgeries(genuine: &Request<Bytes>) -> Vec<(&'static str, Request<Bytes>, u16)> {
    let body = || genuine.body().clone();
    let mut changed = genuine.clone();
    let text = std::str::from_utf8(genuine.body()).expect("text");
    *changed.body_mut() = Bytes::from(text.replace("\"quantity\":10", "\"quantity\":99"));
    assert_ne!(changed.body(), genuine.body());
    let mut written_again = genuine.clone();
    let event: Value = serde_json::from_slice(genuine.body()).expect("JSON");
    *written_again.body_mut() = Bytes::from(format!("{event:#}"));

    let six_minutes = SignedDuration::from_mins(6);
    let now = SignedDuration::ZERO;
    let mut forgeries = vec![
        ("a changed body", changed, 401),
        ("the same JSON in other bytes", written_again, 401),
        ("an old timestamp", signed(genuine, KEY, six_minutes, body()), 401),
        ("a timestamp to come", signed(genuine, KEY, -six_minutes, body()), 401),
        ("another key", signed(genuine, STRANGERS_KEY, now, body()), 401),
    ];
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        let mut without = genuine.clone();
        without.headers_mut().remove(name);
        forgeries.push((name, without, 401));
    }
    let mut other = genuine.clone();
    other.headers_mut().insert("webhook-id", http::HeaderValue::from_static("another"));
    forgeries.push(("another id", other, 401));
    forgeries
}

/// The same message, signed with these keys so long ago.
fn signed(
    genuine: &Request<Bytes>,
    keys: &str,
    ago: SignedDuration,
    body: Bytes,
) -> Request<Bytes> {
    let keys = WebhookKeys::parse(keys).expect("keys");
    let mut request = genuine.clone();
    let message_id = request.headers()["webhook-id"].to_str().expect("text").to_owned();
    for (name, value) in &keys.headers(&message_id, Timestamp::now() - ago, &body) {
        request.headers_mut().insert(name, value.clone());
    }
    *request.body_mut() = body;
    request
}

/// The subscription whose change is the question.
const QUESTIONED: u128 = 9;

/// A running example; ends when it is dropped.
struct Example {
    child: Child,
    stdout: BufReader<ChildStdout>,
    url: String,
}

impl Example {
    fn start(mut command: Command) -> Self {
        command
            .env("DELIVERY_SIGNING_KEY", format!("{NEWER_KEY} {KEY}"))
            .env("DECISION_SIGNING_KEY", DECISION_KEY)
            .env("HANDOVER_SIGNING_KEY", handovers::BOTH_KEYS)
            .env("HANDOVER_ISSUER", handovers::ISSUER)
            .env("HANDOVER_AUDIENCE", handovers::AUDIENCE)
            .env("PORT", "0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("the example starts");
        let stdout = child.stdout.take().expect("it is piped");
        let mut example = Self { child, stdout: BufReader::new(stdout), url: String::new() };
        let mut line = String::new();
        example.stdout.read_line(&mut line).expect("a line");
        match line.trim().strip_prefix("Listening on ") {
            Some(url) => example.url = url.to_owned(),
            None => {
                let _ = example.child.kill();
                let mut complaint = String::new();
                let stderr = example.child.stderr.as_mut().expect("it is piped");
                stderr.read_to_string(&mut complaint).expect("text");
                panic!("it is not listening: {line}{complaint}");
            }
        }
        example
    }

    /// Has the delivery that ships send a subscription's first events twice. Returns the requests.
    async fn is_told_twice(&self, number: u128, keys: &str) -> Vec<Request<Bytes>> {
        let url = format!("{}/events", self.url);
        let env = DeliveryEnv::with(&[("DELIVERY_ENDPOINT", &url), ("DELIVERY_SIGNING_KEY", keys)]);
        follows_the_machines_clock(&env);
        let recording = Arc::new(Recording::default());
        let delivery = || {
            let (table, clock) = (Arc::new(env.table.clone()), env.clock.clone());
            env.delivery_on(table.clone(), table, recording.clone(), clock)
        };
        let events = env.record(number, 10).await;
        delivery().stream(&records(&events)).await;
        let all = From::Event(Position::default());
        redeliver(&env.table, &*env.clock, id(number), Target::Endpoint, all)
            .await
            .expect("the table is there");
        delivery().sweep(Driver::BesideTheStream).await.expect("the table is there");

        let exchanges = recording.exchanges.lock().expect("no panic").clone();
        let (requests, statuses): (Vec<_>, Vec<_>) = exchanges.into_iter().unzip();
        assert_eq!(statuses, [204; 4], "{keys}");
        let header = |request: &Request<Bytes>| request.headers()["webhook-id"].clone();
        let ids: Vec<_> = requests.iter().map(header).collect();
        let recorded = env.recorded(number);
        assert_eq!(ids, [recorded.clone(), recorded].concat());
        requests
    }

    /// How a change to this many seats is decided, with the example as the product that is asked.
    async fn decides(&self, keys: &str, seats: u64) -> Ruling {
        let env = DeliveryEnv::new();
        follows_the_machines_clock(&env);
        env.record(QUESTIONED, 10).await;
        let current = env.table.record(id(QUESTIONED)).expect("a record");
        let operation_id = OperationId::from(Uuid::from_u128(2));
        let operation: Result<Operation, _> = serde_json::from_value(json!({
            "id": operation_id, "action": "ChangeQuantity", "quantity": seats,
        }));
        let operation = operation.expect("an operation");
        let requested = Requested {
            subscription: id(QUESTIONED),
            id: operation_id,
            action: Action::ChangeQuantity,
            operation: None,
            cause: Cause::Reconciliation,
        };
        let product = Product::new(
            format!("{}/decisions", self.url).parse().expect("an address"),
            ClientSecret::Given(keys.to_owned().into()),
            Some(ChangePolicy::Reject),
            Arc::new(HttpClient::default()),
            env.clock.clone(),
        );
        let approval = ChangeApproval {
            policy: ChangePolicy::Accept,
            rules: ChangeRules::default(),
            product: Some(product),
        };
        approval.decide(&current, &requested, &operation, &ChangeContext::default()).await
    }

    /// Ends it. Returns the lines that it printed after its address.
    fn end(mut self) -> Vec<String> {
        self.child.kill().expect("it ran until now");
        let mut printed = String::new();
        self.stdout.read_to_string(&mut printed).expect("text");
        printed.lines().map(str::to_owned).collect()
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The examples refuse what was not signed just now.
fn follows_the_machines_clock(env: &DeliveryEnv) {
    env.clock.advance(Timestamp::now().duration_since(env.clock.now()));
}

/// HTTP, and a copy of all requests with the status of their answers.
#[derive(Debug, Default)]
struct Recording {
    client: HttpClient,
    exchanges: Mutex<Vec<(Request<Bytes>, StatusCode)>>,
}

impl Recording {
    async fn status(&self, request: Request<Bytes>) -> StatusCode {
        let answer = self.send(request, Duration::from_secs(10)).await;
        answer.expect("an answer").status()
    }
}

#[async_trait]
impl Transport for Recording {
    async fn send(
        &self,
        request: Request<Bytes>,
        timeout: Duration,
    ) -> Result<Response<Bytes>, SendError> {
        let answer = self.client.send(request.clone(), timeout).await?;
        self.exchanges.lock().expect("no panic").push((request, answer.status()));
        Ok(answer)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum InCi {
    Required,
    Optional,
}

/// Whether a runtime is on this machine; if not, the test's output says so.
fn is_installed(program: &str, in_ci: InCi) -> bool {
    let version =
        Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let is_installed = version.is_ok_and(|status| status.success());
    if !is_installed {
        let is_missing_in_ci = in_ci == InCi::Required && std::env::var_os("CI").is_some();
        assert!(!is_missing_in_ci, "CI needs {program} for its example of a receiver");
        // The test harness hides what a passing test prints, but not what it writes.
        let note = "is not installed: its example of a receiver was not tried";
        writeln!(std::io::stderr(), "{program} {note}").expect("stderr is open");
    }
    is_installed
}

fn run(mut command: Command) {
    let output = command.output().expect("it starts");
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../functions/delivery/receivers")
}
