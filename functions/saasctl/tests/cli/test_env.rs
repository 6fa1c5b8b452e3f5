//! The command line, run against a local system.

use std::process::Stdio;

use local::test_env::TestEnv;
use serde_json::Value;
use shared::domain::Record;
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};
use uuid::Uuid;

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

/// The command line in front of a test's environment.
pub(crate) trait Saasctl {
    async fn run(&self, arguments: &[&str]) -> Ran;

    /// Runs a command with this text as standard input.
    async fn type_in(&self, arguments: &[&str], typed: &str) -> Ran;

    /// Starts a command that waits.
    fn spawn(&self, arguments: &[&str]) -> Child;

    /// Delivers Microsoft's due webhooks, which must succeed.
    async fn deliver_webhooks(&self);

    /// The record of a subscription that has one.
    async fn recorded(&self, id: Uuid) -> Record;
}

impl Saasctl for TestEnv {
    async fn run(&self, arguments: &[&str]) -> Ran {
        self.type_in(arguments, "").await
    }

    async fn type_in(&self, arguments: &[&str], typed: &str) -> Ran {
        run(&mut command(self.system.url(), arguments), typed).await
    }

    fn spawn(&self, arguments: &[&str]) -> Child {
        command(self.system.url(), arguments).spawn().expect("the command starts")
    }

    async fn deliver_webhooks(&self) {
        for status in self.deliver_statuses().await {
            assert_eq!(status, 200);
        }
    }

    async fn recorded(&self, id: Uuid) -> Record {
        self.record(id).await.expect("a record")
    }
}
