//! The whole system on this machine, and the command line in front of it.

use std::process::Stdio;

use emulator::{Call, Emulator, Fault, FaultKind, Purchase, Times, World};
use local::{Options, Stage};
use serde_json::Value;
use shared::domain::{Record, SubscriptionId};
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};
use uuid::Uuid;

pub(crate) struct TestEnv {
    pub(crate) local: Stage,
    http: reqwest::Client,
}

#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    #[track_caller]
    pub(crate) fn done(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.stdout
    }

    #[track_caller]
    pub(crate) fn json(self) -> Value {
        serde_json::from_str(&self.done()).expect("JSON on standard output")
    }

    #[track_caller]
    pub(crate) fn failed(self, exit_code: i32, code: &str) -> String {
        assert_eq!(self.code, exit_code, "{self:?}");
        assert_eq!(self.stdout, "", "a failure prints no result");
        assert!(self.stderr.contains(&format!("error[{code}]: ")), "{self:?}");
        self.stderr
    }
}

/// The command without the machine's own settings.
pub(crate) fn command(url: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_saasctl"));
    command
        .args(arguments)
        .env_clear()
        .env("MANAGEMENT_URL", url)
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

pub(crate) async fn run(command: &mut Command, typed: &str) -> Ran {
    let mut child = command.spawn().expect("the command starts");
    let mut stdin = child.stdin.take().expect("standard input");
    // A command that reads no input may have exited already.
    let _ = stdin.write_all(typed.as_bytes()).await;
    drop(stdin);
    let output = child.wait_with_output().await.expect("the command ends");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Ran {
        code: output.status.code().expect("an exit code"),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

impl TestEnv {
    pub(crate) async fn new() -> Self {
        Self::with(Options::default()).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        let local = Stage::start(options).await.expect("the system starts");
        Self { local, http: shared::host::http_client::client() }
    }

    pub(crate) fn microsoft(&self) -> &Emulator {
        self.local.emulator().expect("the system has the emulator")
    }

    pub(crate) fn world<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        self.microsoft().world(act)
    }

    /// Buys a subscription and activates it on both sides.
    pub(crate) async fn active(&self, purchase: Purchase) -> Uuid {
        let (id, token) = self.world(|world| {
            let id = world.purchase(purchase);
            (id, world.purchase_token(id))
        });
        let landing = format!("{}/landing", self.local.url());
        let answer = self.http.post(landing).form(&[("token", token)]).send().await;
        assert_eq!(answer.expect("the landing page answers").status(), 200);
        assert_eq!(self.record(id).await.status().as_str(), "Subscribed");
        id
    }

    pub(crate) async fn record(&self, id: Uuid) -> Record {
        let record = self.local.store.load(SubscriptionId(id)).await.expect("the table is there");
        record.expect("a record")
    }

    /// Delivers Microsoft's due webhooks.
    pub(crate) async fn deliver(&self) {
        for sent in self.microsoft().deliver_due().await {
            assert_eq!(sent.status, Some(200));
        }
    }

    pub(crate) fn fault(&self, call: Call, kind: FaultKind, times: Times) {
        self.world(|world| world.faults_mut().add(Fault { call, kind, times }));
    }

    pub(crate) fn calls(&self, call: Call) -> usize {
        self.world(|world| world.calls().iter().filter(|made| made.call == call).count())
    }

    pub(crate) async fn run(&self, arguments: &[&str]) -> Ran {
        self.type_in(arguments, "").await
    }

    /// Runs a command with this text as standard input.
    pub(crate) async fn type_in(&self, arguments: &[&str], typed: &str) -> Ran {
        run(&mut command(self.local.url(), arguments), typed).await
    }

    /// Starts a command that waits.
    pub(crate) fn spawn(&self, arguments: &[&str]) -> Child {
        command(self.local.url(), arguments).spawn().expect("the command starts")
    }
}
