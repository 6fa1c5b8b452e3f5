//! Metrics in CloudWatch's embedded metric format: CloudWatch makes a metric of each log line that
//! has a field `metric` or `metrics`, without a call and without a filter.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde_json::{Number, json};
use tracing::Event;
use tracing::field::{Field, Visit};

/// The namespace of a deployment's metrics. Deployments that share an account have different ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Namespace(String);

impl FromStr for Namespace {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_/#:".contains(&byte);
        if (1..=255).contains(&text.len())
            && text.bytes().all(is_allowed)
            && !text.starts_with("AWS/")
        {
            Ok(Self(text.to_owned()))
        } else {
            Err("is no namespace")
        }
    }
}

/// What a log line counts. Its field `metric` names one metric, whose value is the field `value`, or one.
/// Its field `metrics` names other fields of the line, with blanks between them, which are metrics
/// themselves.
#[derive(Default)]
pub(super) struct Metric {
    name: Option<String>,
    fields: String,
    numbers: BTreeMap<&'static str, Number>,
}

impl Metric {
    /// `None` if the line counts nothing.
    pub(super) fn of(event: &Event<'_>) -> Option<Self> {
        let fields = event.metadata().fields();
        fields.field("metric").or_else(|| fields.field("metrics"))?;
        let mut metric = Self::default();
        event.record(&mut metric);
        let counts = metric.names().next().is_some();
        counts.then_some(metric)
    }

    /// Without the fields that have no number in this line.
    fn names(&self) -> impl Iterator<Item = &str> {
        let fields = self.fields.split(' ').filter(|name| self.numbers.contains_key(name));
        self.name.as_deref().into_iter().chain(fields)
    }

    /// The members of a log line that make CloudWatch count it. The service is the only dimension,
    /// since each combination of values is a metric of its own, which is billed.
    pub(super) fn write(
        &self,
        namespace: &Namespace,
        now: Timestamp,
        line: &mut impl fmt::Write,
    ) -> fmt::Result {
        let unit = |name: &str| if name.ends_with("_seconds") { "Seconds" } else { "Count" };
        let metrics = self.names().map(|name| json!({ "Name": name, "Unit": unit(name) }));
        let directive = json!({
            "Timestamp": now.as_millisecond(),
            "CloudWatchMetrics": [{
                "Namespace": namespace.0,
                "Dimensions": [["service"]],
                "Metrics": metrics.collect::<Vec<_>>(),
            }],
        });
        write!(line, r#","_aws":{directive}"#)?;
        let Some(name) = &self.name else { return Ok(()) };
        let value = self.numbers.get("value").cloned().unwrap_or_else(|| 1.into());
        write!(line, ",{}:{value}", json!(name))
    }
}

impl Visit for Metric {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "metric" => self.name = Some(value.to_owned()),
            "metrics" => value.clone_into(&mut self.fields),
            _ => {}
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.numbers.insert(field.name(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.numbers.insert(field.name(), value.into());
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_is_one_that_cloudwatch_accepts() {
        for namespace in ["marketplace-prod", "publisher/marketplace", "a"] {
            assert_eq!(namespace.parse(), Ok(Namespace(namespace.to_owned())));
        }
        for namespace in ["", "AWS/Lambda", "with blanks", "ä", &"a".repeat(256)] {
            assert!(namespace.parse::<Namespace>().is_err(), "{namespace}");
        }
    }
}
