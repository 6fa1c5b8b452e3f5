//! Options that several commands have.

use std::time::Duration;

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct RequestOptions {
    /// Only if the subscription still has this version.
    #[arg(long, value_name = "VERSION")]
    pub(crate) if_version: Option<u64>,
    /// Idempotency key: within a day, requests with the
    /// same key are carried out once
    #[arg(long, value_name = "TEXT", verbatim_doc_comment)]
    pub(crate) key: Option<String>,
    #[command(flatten)]
    pub(crate) wait: WaitOptions,
}

#[derive(Debug, Args)]
pub(crate) struct WaitOptions {
    /// Wait until the change is in effect, or has failed.
    #[arg(long)]
    pub(crate) wait: bool,
    /// How long to wait.
    #[arg(long, default_value = "300", value_parser = seconds, value_name = "SECONDS")]
    pub(crate) timeout: Duration,
    /// How long to pause between two checks.
    #[arg(long, default_value = "3", value_parser = seconds, value_name = "SECONDS")]
    pub(crate) poll: Duration,
}

pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}
