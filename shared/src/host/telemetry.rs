//! Logs: JSON lines with one vocabulary of fields, and the ids that Microsoft's support asks for
//! (F-GEN-7). Never a token, a person's data or a raw body. A line with a field `metric` is also a
//! metric.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde_json::Value;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{FilterExt as _, LevelFilter, filter_fn};
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::{FmtContext, MakeWriter};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;

use super::environment::{ConfigError, Environment, parse};
use super::invocation;
use super::metric::{Metric, Namespace};
use super::version::version;

/// Reads `LOG_LEVEL` and `METRICS_NAMESPACE`, and writes JSON lines to standard output. A second
/// call changes nothing: the first call's subscriber stays.
pub fn start(environment: &Environment, service: &'static str) -> Result<(), ConfigError> {
    const LEVEL: &str = "the log level, as in `info` or `info,webhook=debug`";
    const NAMESPACE: &str = "the CloudWatch namespace of the metrics";
    let level = environment.parse_or("LOG_LEVEL", Level("info".to_owned()), LEVEL)?;
    let namespace = match environment.get("METRICS_NAMESPACE") {
        Some(text) => Some(parse("METRICS_NAMESPACE", &text, NAMESPACE)?),
        None => None,
    };
    let lines = lines(Source { service, namespace }, &level.0, std::io::stdout);
    let _ = tracing::subscriber::set_global_default(lines);
    Ok(())
}

/// Where log lines come from.
#[derive(Clone, Debug)]
pub struct Source {
    /// The function's name, as its folder is called.
    pub service: &'static str,
    /// The namespace of the metrics; without one, lines count nothing.
    pub namespace: Option<Namespace>,
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

/// Whether a line is written at every level: an alarm needs its metric, and an audit is complete or
/// none.
fn is_always_written(metadata: &Metadata<'_>) -> bool {
    let fields = metadata.fields();
    metadata.is_event()
        && ["metric", "metrics", "audit"].into_iter().any(|name| fields.field(name).is_some())
}

/// The subscriber that [`start`] installs, writing anywhere.
pub fn lines<W>(source: Source, level: &str, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let always = filter_fn(is_always_written).with_max_level_hint(LevelFilter::INFO);
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .map_event_format(|inner| Joined { inner, source })
        .with_writer(writer)
        .with_filter(EnvFilter::new(level).or(always));
    tracing_subscriber::registry().with(lines).with(filter_fn(may_be_logged))
}

/// The format of a line of JSON, with members about the process and the invocation at its end. No
/// span could add them: a line shows its innermost span alone.
struct Joined<F> {
    inner: F,
    source: Source,
}

impl<S, N, F> FormatEvent<S, N> for Joined<F>
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
        self.inner.format_event(context, Writer::new(&mut line), event)?;
        let Some(members) = line.strip_suffix("}\n") else { return writer.write_str(&line) };
        let Source { service, namespace } = &self.source;
        let version = Value::from(version());
        write!(writer, r#"{members},"service":"{service}","service.version":{version}"#)?;
        invocation::with_members(|members| write!(writer, ",{members}")).unwrap_or(Ok(()))?;
        if let (Some(namespace), Some(metric)) = (namespace, Metric::of(event)) {
            metric.write(namespace, Timestamp::now(), &mut writer)?;
        }
        writer.write_str("}\n")
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use tracing::{info, warn};

    use super::*;

    #[derive(Clone, Default)]
    struct Captured(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Captured {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("no test panics with the lock").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// The lines that `work` writes as the webhook.
    fn logged(namespace: Option<&str>, work: impl FnOnce()) -> Vec<Value> {
        logged_at("info", namespace, work)
    }

    fn logged_at(level: &str, namespace: Option<&str>, work: impl FnOnce()) -> Vec<Value> {
        let captured = Captured::default();
        let writer = captured.clone();
        let namespace = namespace.map(|text| text.parse().expect("a namespace"));
        let source = Source { service: "webhook", namespace };
        let subscriber = lines(source, level, move || writer.clone());
        tracing::subscriber::with_default(subscriber, work);
        let bytes = captured.0.lock().expect("no test panics with the lock").clone();
        let text = String::from_utf8(bytes).expect("text");
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    #[test]
    fn a_line_with_a_metric_is_in_the_embedded_metric_format() {
        let none: Option<&str> = None;
        let logged = logged(Some("marketplace-prod"), || {
            warn!(metric = "refused_caller", "refused");
            warn!(metric = "longest_seconds", value = Some(1890_i64), "refused");
            info!(metric = none, "nothing to count");
            let unknown: Option<u64> = None;
            info!(
                waiting = 3,
                oldest_seconds = unknown,
                metrics = "waiting oldest_seconds",
                "several"
            );
            info!(oldest_seconds = unknown, metrics = "oldest_seconds", "none of several");
        });
        let [counted, measured, plain, several, none] = &logged[..] else { panic!("{logged:?}") };
        assert_eq!(
            counted["_aws"]["CloudWatchMetrics"],
            serde_json::json!([{
                "Namespace": "marketplace-prod",
                "Dimensions": [["service"]],
                "Metrics": [{ "Name": "refused_caller", "Unit": "Count" }],
            }])
        );
        assert!(counted["_aws"]["Timestamp"].as_i64().is_some_and(|at| at > 1_700_000_000_000));
        assert_eq!(counted["refused_caller"], 1);
        assert_eq!(counted["service"], "webhook");
        assert_eq!(measured["longest_seconds"], 1890);
        let unit = &measured["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Unit"];
        assert_eq!(unit, "Seconds");
        assert_eq!(plain.get("_aws"), None, "{plain}");
        let metrics = &several["_aws"]["CloudWatchMetrics"][0]["Metrics"];
        assert_eq!(*metrics, serde_json::json!([{ "Name": "waiting", "Unit": "Count" }]));
        assert_eq!(several["waiting"], 3);
        assert_eq!(none.get("_aws"), None, "{none}");
    }

    #[test]
    fn a_line_with_a_metric_or_for_an_audit_is_written_at_every_level() {
        let logged = logged_at("error", Some("marketplace-prod"), || {
            info!(metric = "full_round", "reconciled");
            info!(waiting = 0, metrics = "waiting", "swept");
            warn!("nothing to count");
            info!(audit = true, "read");
        });
        let names: Vec<_> = logged.iter().map(|line| &line["message"]).collect();
        assert_eq!(names, ["reconciled", "swept", "read"]);
    }

    #[test]
    fn without_a_namespace_lines_count_nothing() {
        let logged = logged(None, || warn!(metric = "refused_caller", "refused"));
        assert_eq!(logged[0].get("_aws"), None);
        assert_eq!(logged[0]["metric"], "refused_caller");
    }

    #[test]
    fn the_lines_of_an_invocation_have_its_ids() {
        let run = || {
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
            runtime.block_on(invocation::run("8f507cfc-xmpl", Some("Root=1-57-bd"), async {
                info!("within");
            }));
            info!("after");
        };
        let logged = logged(None, run);
        assert_eq!(logged[0]["function_request_id"], "8f507cfc-xmpl");
        assert_eq!(logged[0]["xray_trace_id"], "1-57-bd");
        assert!(logged[0]["cold_start"].is_boolean());
        assert_eq!(logged[1].get("function_request_id"), None);
        assert_eq!(logged[1]["service"], "webhook");
    }
}
