//! The options of commands.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use url::Url;

use crate::value::{seconds, time};

// clap doesn't wrap help texts. The longer ones break their lines for 80 columns.
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
    #[command(flatten)]
    pub(crate) patience: PatienceOptions,
}

#[derive(Debug, Args)]
pub(crate) struct PatienceOptions {
    /// How long to wait.
    #[arg(long, default_value = "300", value_parser = seconds, value_name = "SECONDS")]
    pub(crate) timeout: Duration,
    /// How long to pause between two checks.
    #[arg(long, default_value = "3", value_parser = seconds, value_name = "SECONDS")]
    pub(crate) poll: Duration,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct ConnectionOptions {
    /// A deployment that is named in the file
    /// `saasctl.yaml` [env: SAASCTL_PROFILE]
    #[arg(long, global = true, verbatim_doc_comment, value_name = "NAME")]
    #[arg(env = "SAASCTL_PROFILE", hide_env = true)]
    pub(crate) profile: Option<String>,
    /// The deployment's `ManagementApiUrl`, or the
    /// address that `cargo local` prints
    /// [env: MANAGEMENT_URL]
    /// [default: http://127.0.0.1:8080]
    #[arg(long, global = true, verbatim_doc_comment)]
    pub(crate) url: Option<Url>,
    /// Sign requests with AWS credentials from the
    /// environment or a profile. Requests to API
    /// Gateway's own addresses are always signed
    #[arg(long, global = true, verbatim_doc_comment)]
    pub(crate) aws: bool,
    /// The region to sign for [default: from the
    /// address, the environment or the profile]
    #[arg(long, global = true, verbatim_doc_comment)]
    pub(crate) region: Option<String>,
    /// How long to wait for each answer.
    #[arg(long, global = true, default_value = "30")]
    #[arg(value_parser = seconds, value_name = "SECONDS")]
    pub(crate) answer_within: Duration,
}

#[derive(Debug, Args)]
pub(crate) struct TailOptions {
    /// Begin at this time, such as 2026-03-10T12:00Z, at
    /// the midnight (UTC) of a day, such as 2026-03-10,
    /// or so long ago, such as 90m, 6h or 2d
    /// [default: now]
    #[arg(long, value_name = "TIME", value_parser = time, verbatim_doc_comment)]
    pub(crate) since: Option<Timestamp>,
    /// End when all is printed that there is.
    #[arg(long, requires = "since")]
    pub(crate) no_follow: bool,
    /// How long to pause between two looks.
    #[arg(long, default_value = "5", value_parser = seconds, value_name = "SECONDS")]
    pub(crate) poll: Duration,
}

#[derive(Debug, Args)]
pub(crate) struct DoctorOptions {
    /// The output `LandingPageUrl`
    /// [default: /landing on the API's host]
    #[arg(long, verbatim_doc_comment, value_name = "URL")]
    pub(crate) landing_url: Option<Url>,
    /// The output `WebhookUrl`
    /// [default: /webhook on the API's host]
    #[arg(long, verbatim_doc_comment, value_name = "URL")]
    pub(crate) webhook_url: Option<Url>,
    /// Also send a test event to your product, and
    /// wait until it was accepted
    #[arg(long, verbatim_doc_comment)]
    pub(crate) test_event: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Received {
    /// A file with the request's body, byte for byte;
    /// `-` reads standard input
    #[arg(verbatim_doc_comment)]
    pub(crate) body: PathBuf,
    /// The header `webhook-id`.
    #[arg(long, value_name = "ID")]
    pub(crate) id: String,
    /// The header `webhook-timestamp`.
    #[arg(long, value_name = "SECONDS")]
    pub(crate) timestamp: i64,
    /// The header `webhook-signature`.
    #[arg(long)]
    pub(crate) signature: String,
    /// A file with the signing key, or several
    /// [default: the environment's DELIVERY_SIGNING_KEY]
    #[arg(long, value_name = "FILE", verbatim_doc_comment)]
    pub(crate) key_file: Option<PathBuf>,
}
