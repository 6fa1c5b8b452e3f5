//! Logs: JSON lines, one vocabulary of fields, and the ids Microsoft's support asks for (F-GEN-7).
//!
//! Never a token, a person's data or a raw body.

use std::future::Future;
use std::str::FromStr;

use tracing::field::display;
use tracing::{Instrument, Metadata, Span, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use uuid::Uuid;

use crate::config::{ConfigError, Environment};

tokio::task_local! {
    static CORRELATION: Uuid;
}

/// Reads `LOG_LEVEL`, and writes JSON lines to standard output. A second call leaves the first one's
/// subscriber in place.
pub fn start(environment: &Environment) -> Result<(), ConfigError> {
    const PURPOSE: &str = "what is logged, as in `info` or `info,webhook=debug`";
    let level = environment.parse_or("LOG_LEVEL", Level("info".to_owned()), PURPOSE)?;
    let _ = tracing::subscriber::set_global_default(lines(&level.0, std::io::stdout));
    Ok(())
}

/// What is logged. A bare word must be a level: the filter itself would take a misspelt one for the
/// name of a module, and log nothing at all.
struct Level(String);

impl FromStr for Level {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_right = |part: &str| match part.split_once('=') {
            Some((module, level)) => !module.is_empty() && level.parse::<LevelFilter>().is_ok(),
            None => part.parse::<LevelFilter>().is_ok(),
        };
        if text.split(',').all(|part| is_right(part.trim())) {
            Ok(Self(text.to_owned()))
        } else {
            Err("is not a level")
        }
    }
}

/// The crates that ship. Of all others nothing finer than `debug` is logged, whatever is asked for: below
/// that, the AWS SDK writes whole requests and answers, with the records and secrets in them.
const OURS: [&str; 9] = [
    "shared",
    "landing",
    "activation",
    "webhook",
    "management",
    "reconciliation",
    "delivery",
    "azure_custom_handler",
    "saasctl",
];

fn may_be_logged(metadata: &Metadata<'_>) -> bool {
    let name = metadata.target().split("::").next().unwrap_or_default();
    *metadata.level() <= tracing::Level::DEBUG || OURS.contains(&name)
}

/// What [`start`] starts, writing anywhere.
pub fn lines<W>(level: &str, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_env_filter(EnvFilter::new(level))
        .with_writer(writer)
        .finish()
        .with(filter_fn(may_be_logged))
}

/// Runs `work` as one piece: every line it logs is within `span`, which has a field for the
/// `correlation_id`, and every call it makes carries the same one (F-GEN-5).
pub async fn within<F: Future>(correlation_id: Uuid, span: Span, work: F) -> F::Output {
    span.record("correlation_id", display(correlation_id));
    CORRELATION.scope(correlation_id, work).instrument(span).await
}

/// The correlation id of the piece of work that runs now.
pub fn correlation_id() -> Option<Uuid> {
    CORRELATION.try_with(|id| *id).ok()
}
