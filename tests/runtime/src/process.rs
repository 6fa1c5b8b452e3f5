//! A real binary, started with an environment of its own.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{ExitStatus, Stdio};

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

/// The environment of a process.
pub type Variables = BTreeMap<String, String>;

/// A running binary; it is ended when this is dropped.
pub struct Process {
    child: Child,
    stdout: JoinHandle<String>,
    stderr: JoinHandle<String>,
}

/// What a binary wrote.
pub struct Written {
    /// To its standard output, which is its log.
    pub stdout: String,
    /// To its standard error.
    pub stderr: String,
}

impl Process {
    /// Starts a binary with these variables and no others.
    pub fn start(binary: &Path, variables: &Variables) -> Self {
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

    /// Waits until it ends by itself.
    pub async fn ended(&mut self) -> ExitStatus {
        self.child.wait().await.expect("a child can be waited for")
    }

    /// Ends it if it still runs, and reads to the end what it wrote.
    pub async fn end(mut self) -> Written {
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
