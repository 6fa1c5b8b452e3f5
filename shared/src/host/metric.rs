//! Metrics in CloudWatch's embedded metric format: CloudWatch makes a metric of each log line that
//! has a field `metric`, without a call and without a filter.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>

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

/// What a log line counts: its field `metric` names it, and its field `value` is the value, or else 1.
#[derive(Default)]
pub(super) struct Metric {
    name: Option<String>,
    value: Option<Number>,
}

impl Metric {
    /// `None` if the line counts nothing.
    pub(super) fn of(event: &Event<'_>) -> Option<Self> {
        event.metadata().fields().field("metric")?;
        let mut metric = Self::default();
        event.record(&mut metric);
        metric.name.is_some().then_some(metric)
    }

    /// The members of a log line that make CloudWatch count it. The service is the only dimension,
    /// since each combination of values is a metric of its own, which is billed.
    pub(super) fn write(
        &self,
        namespace: &Namespace,
        now: Timestamp,
        line: &mut impl fmt::Write,
    ) -> fmt::Result {
        let Some(name) = &self.name else { return Ok(()) };
        let unit = if name.ends_with("_seconds") { "Seconds" } else { "Count" };
        let directive = json!({
            "Timestamp": now.as_millisecond(),
            "CloudWatchMetrics": [{
                "Namespace": namespace.0,
                "Dimensions": [["service"]],
                "Metrics": [{ "Name": name, "Unit": unit }],
            }],
        });
        let value = self.value.clone().unwrap_or_else(|| 1.into());
        write!(line, r#","_aws":{directive},{}:{value}"#, json!(name))
    }
}

impl Visit for Metric {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "metric" {
            self.name = Some(value.to_owned());
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        if field.name() == "value" {
            self.value = Some(value.into());
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "value" {
            self.value = Some(value.into());
        }
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
