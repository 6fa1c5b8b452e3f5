//! Logs: JSON lines with one vocabulary of fields, and the ids that Microsoft's support asks for
//! (F-GEN-7). Never a token, a person's data or a raw body.

use std::fmt;
use std::str::FromStr;

use serde_json::Value;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::{FmtContext, MakeWriter};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;

use super::environment::{ConfigError, Environment};
use super::version::version;

/// Reads `LOG_LEVEL` and writes JSON lines to standard output. A second call changes nothing: the
/// first call's subscriber stays.
pub fn start(environment: &Environment) -> Result<(), ConfigError> {
    const PURPOSE: &str = "the log level, as in `info` or `info,webhook=debug`";
    let level = environment.parse_or("LOG_LEVEL", Level("info".to_owned()), PURPOSE)?;
    let _ = tracing::subscriber::set_global_default(lines(&level.0, std::io::stdout));
    Ok(())
}

/// A log filter. A bare word must be a level: the filter itself would take a misspelt level for
/// the name of a module, and log nothing at all.
struct Level(String);

impl FromStr for Level {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_valid = |part: &str| match part.split_once('=') {
            Some((module, level)) => !module.is_empty() && level.parse::<LevelFilter>().is_ok(),
            None => part.parse::<LevelFilter>().is_ok(),
        };
        if text.split(',').all(|part| is_valid(part.trim())) {
            Ok(Self(text.to_owned()))
        } else {
            Err("is not a level")
        }
    }
}

/// The crates that ship. Other crates log `debug` at the finest, at every level: below that, the
/// AWS SDK writes whole requests and answers, with the records and secrets in them.
pub const OUR_CRATES: [&str; 9] = [
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
    *metadata.level() <= tracing::Level::DEBUG || OUR_CRATES.contains(&name)
}

/// The subscriber that [`start`] installs, writing anywhere.
pub fn lines<W>(level: &str, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .map_event_format(Versioned)
        .with_env_filter(EnvFilter::new(level))
        .with_writer(writer)
        .finish()
        .with(filter_fn(may_be_logged))
}

/// The format of a line of JSON, with the version as its last member. No span could add it: a line
/// shows its innermost span alone.
struct Versioned<F>(F);

impl<S, N, F> FormatEvent<S, N> for Versioned<F>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    N: for<'writer> FormatFields<'writer> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = String::new();
        self.0.format_event(context, Writer::new(&mut line), event)?;
        match line.strip_suffix("}\n") {
            Some(members) => {
                let version = Value::from(version());
                writeln!(writer, r#"{members},"service.version":{version}}}"#)
            }
            None => writer.write_str(&line),
        }
    }
}
