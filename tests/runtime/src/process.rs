//! A real binary, started with its own environment variables.

use std::collections::BTreeMap;
use std::fs::DirEntry;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

/// A process's environment variables.
pub(crate) type Variables = BTreeMap<String, String>;

/// A running binary. Dropping this ends it.
pub(crate) struct Process {
    child: Child,
    stdout: JoinHandle<String>,
    stderr: JoinHandle<String>,
}

/// A binary's output.
pub struct Written {
    /// The log.
    pub stdout: String,
    pub stderr: String,
}

impl Process {
    /// Starts a binary with only these variables.
    pub(crate) fn start(binary: &Path, variables: &Variables) -> Self {
        let mut child = Command::new(binary)
            .env_clear()
            .envs(variables)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", binary.display()));
        let stdout = read(child.stdout.take().expect("its output is piped"));
        let stderr = read(child.stderr.take().expect("its errors are piped"));
        Self { child, stdout, stderr }
    }

    /// Waits until the binary ends on its own.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        self.child.wait().await.expect("a child can be waited for")
    }

    /// How much processor time the binary has used so far; `None` where the system doesn't tell.
    pub(crate) fn cpu_time(&self) -> Option<Duration> {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id()?)).ok()?;
        // The first number of this file is the time on a processor, in nanoseconds.
        let of_task = |task: std::io::Result<DirEntry>| -> Option<u64> {
            let text = std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
            text.split(' ').next()?.parse().ok()
        };
        tasks.map(of_task).sum::<Option<u64>>().map(Duration::from_nanos)
    }

    /// Ends the binary if it is still running, and returns all its output.
    pub(crate) async fn end(mut self) -> Written {
        self.child.kill().await.expect("a child can be ended");
        Written {
            stdout: self.stdout.await.expect("its output can be read"),
            stderr: self.stderr.await.expect("its errors can be read"),
        }
    }
}

fn read(mut stream: impl AsyncRead + Unpin + Send + 'static) -> JoinHandle<String> {
    tokio::spawn(async move {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.expect("a pipe can be read");
        String::from_utf8_lossy(&bytes).into_owned()
    })
}
