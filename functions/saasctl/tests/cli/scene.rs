//! A stage, and the command line before it.

use std::process::Stdio;

use emulator::{Call, Emulator, Fault, FaultKind, Purchase, Times, World};
use local::{Options, Stage};
use serde_json::Value;
use shared::domain::{Record, SubscriptionId};
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};
use uuid::Uuid;

pub struct Scene {
    pub stage: Stage,
    http: reqwest::Client,
}

/// What a run of the command came to.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    #[track_caller]
    pub fn done(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.stdout
    }

    #[track_caller]
    pub fn json(self) -> Value {
        serde_json::from_str(&self.done()).expect("JSON on standard output")
    }

    /// It failed this way, in words for people.
    #[track_caller]
    pub fn failed(self, exit_code: i32, code: &str) -> String {
        assert_eq!(self.code, exit_code, "{self:?}");
        assert_eq!(self.stdout, "", "a failure prints no result");
        assert!(self.stderr.contains(&format!("error[{code}]: ")), "{self:?}");
        self.stderr
    }
}

/// The command with nothing of the machine's own settings.
pub fn command(url: &str, arguments: &[&str]) -> Command {
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

/// Runs a command to its end.
pub async fn run(command: &mut Command, typed: &str) -> Ran {
    let mut child = command.spawn().expect("the command starts");
    let mut stdin = child.stdin.take().expect("a way in");
    // A command that asks nothing may be gone already.
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

impl Scene {
    pub async fn new() -> Self {
        Self::with(Options::default()).await
    }

    pub async fn with(options: Options) -> Self {
        let stage = Stage::start(options).await.expect("the stage starts");
        Self { stage, http: shared::outbound::client() }
    }

    pub fn microsoft(&self) -> &Emulator {
        self.stage.emulator().expect("every scene has the emulator")
    }

    pub fn world<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        self.microsoft().world(act)
    }

    /// Bought and active on both sides.
    pub async fn active(&self, purchase: Purchase) -> Uuid {
        let (id, token) = self.world(|world| {
            let id = world.purchase(purchase);
            (id, world.purchase_token(id))
        });
        let landing = format!("{}/landing", self.stage.url());
        let answer = self.http.post(landing).form(&[("token", token)]).send().await;
        assert_eq!(answer.expect("the landing page answers").status(), 200);
        assert_eq!(self.record(id).await.status().as_str(), "Subscribed");
        id
    }

    pub async fn record(&self, id: Uuid) -> Record {
        let record = self.stage.store.load(SubscriptionId(id)).await.expect("the table is there");
        record.expect("a record")
    }

    /// Microsoft reports what it has to.
    pub async fn deliver(&self) {
        for sent in self.microsoft().deliver_due().await {
            assert_eq!(sent.status, Some(200));
        }
    }

    pub fn fault(&self, call: Call, kind: FaultKind, times: Times) {
        self.world(|world| world.faults_mut().add(Fault { call, kind, times }));
    }

    pub fn calls(&self, call: Call) -> usize {
        self.world(|world| world.calls().iter().filter(|made| made.call == call).count())
    }

    pub async fn run(&self, arguments: &[&str]) -> Ran {
        self.type_in(arguments, "").await
    }

    /// The same, with something typed in.
    pub async fn type_in(&self, arguments: &[&str], typed: &str) -> Ran {
        run(&mut command(self.stage.url(), arguments), typed).await
    }

    /// Begins a command that stays.
    pub fn spawn(&self, arguments: &[&str]) -> Child {
        command(self.stage.url(), arguments).spawn().expect("the command starts")
    }
}
