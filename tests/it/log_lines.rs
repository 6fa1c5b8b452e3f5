//! The log lines of a test, in memory.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde_json::Value;
use shared::host::telemetry;
use tracing::Dispatch;
use tracing::subscriber::{DefaultGuard, NoSubscriber};
use tracing_subscriber::fmt::MakeWriter;

/// Collects the log lines in memory.
#[derive(Clone, Default)]
pub(crate) struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    /// Collects the lines of this thread, until the guard is dropped.
    pub(crate) fn collect(level: &str) -> (Self, DefaultGuard) {
        // With only one subscriber, a thread without it caches each callsite that it reaches first
        // as disabled. With a second subscriber, tracing asks both every time.
        static SECOND: OnceLock<Dispatch> = OnceLock::new();
        SECOND.get_or_init(|| Dispatch::new(NoSubscriber::default()));
        let lines = Self::default();
        let namespace = "publisher".parse().ok();
        let source = telemetry::Source { service: "everything", namespace };
        let guard =
            tracing::subscriber::set_default(telemetry::lines(source, level, lines.clone()));
        // Callsites that were reached while the subscriber was being installed are asked again.
        tracing::callsite::rebuild_interest_cache();
        (lines, guard)
    }

    /// Every line so far.
    pub(crate) fn text(&self) -> String {
        let written = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        String::from_utf8(written).expect("lines of text")
    }

    /// The lines since the last call.
    pub(crate) fn take(&self) -> Vec<Value> {
        let text = self.text();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    /// The metrics, as CloudWatch reads them from the lines since the last call.
    pub(crate) fn take_metrics(&self) -> BTreeMap<String, Vec<i64>> {
        let mut metrics = BTreeMap::<String, Vec<i64>>::new();
        for line in self.take() {
            let made = line["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array();
            for name in made.into_iter().flatten().map(|metric| metric["Name"].as_str()) {
                let name = name.expect("a name");
                let value = line[name].as_i64().expect("a number");
                metrics.entry(name.to_owned()).or_default().push(value);
            }
        }
        metrics
    }
}

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}
