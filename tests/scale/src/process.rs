//! The function in a process of its own, whose memory and processor time are its own as well.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use reconciliation::Reconciliation;
use serde_json::{Value, json};
use shared::host::environment::Environment;
use tokio::process::Command;

use crate::host::settings;
use crate::serve::serve;
use crate::world::World;

/// What a process has used when its run ended.
#[derive(Clone, Copy, Debug)]
pub struct Process {
    /// The most resident memory it had at any time, in KB.
    pub most_resident: u64,
    /// Processor time, without that of its start.
    pub busy: Duration,
    pub examined: u64,
    pub repaired: u64,
}

/// Runs the reconciliation once in a process of its own, which is this binary with the argument
/// `reconcile`.
pub async fn measured(binary: &Path, world: &Arc<World>) -> Result<Process, String> {
    let base = format!("http://{}", serve(world.clone()).await);
    let child = Command::new(binary)
        .arg("reconcile")
        .env_clear()
        .envs(settings(&base))
        .env("AWS_ENDPOINT_URL_DYNAMODB", &base)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .output();
    let output = child.await.map_err(|error| format!("{}: {error}", binary.display()))?;
    let said: Value = serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("{}: {} said {error}", output.status, binary.display()))?;
    let number = |name: &str| said[name].as_u64().ok_or(format!("no {name} in {said}"));
    Ok(Process {
        most_resident: number("mostResident")?,
        busy: Duration::from_nanos(number("busy")?),
        examined: number("examined")?,
        repaired: number("repaired")?,
    })
}

/// The other side of [`measured`]: runs the function as its settings in the environment say, until a
/// run ends. Returns what the process has used, as one line.
pub async fn reconcile_here() -> Result<String, String> {
    let function = Reconciliation::from_environment(&Environment::of_process());
    let function = function.map_err(|error| error.to_string())?;
    let begun = busy()?;
    loop {
        let report = function.slice().await.map_err(|error| error.to_string())?;
        if report.finished {
            let used = json!({
                "mostResident": most_resident()?, "busy": busy()? - begun,
                "examined": report.examined, "repaired": report.repaired,
            });
            return Ok(used.to_string());
        }
    }
}

/// The peak of the resident memory, in KB.
fn most_resident() -> Result<u64, String> {
    let status = read("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse().ok());
    number.ok_or("the system doesn't tell the peak of a process's memory".to_owned())
}

/// Nanoseconds on a processor. The process has one thread.
fn busy() -> Result<u64, String> {
    let text = read("/proc/self/schedstat")?;
    let number = text.split(' ').next().and_then(|number| number.parse().ok());
    number.ok_or("the system doesn't tell a process's time".to_owned())
}

fn read(path: &str) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))
}
