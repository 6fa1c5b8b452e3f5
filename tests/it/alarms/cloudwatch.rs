//! CloudWatch, as far as alarms need it: the data points of log lines, and an alarm's state over them.
//!
//! An alarm is evaluated every minute over sliding windows of its period. CloudWatch also looks at a few
//! older data points where newer ones are missing, which this leaves out.

use std::collections::{BTreeMap, BTreeSet};

use saasctl::template::{elements, text};
use serde_json::Value;

/// A data point of a metric.
#[derive(Clone, Debug)]
pub(super) struct Point {
    pub namespace: String,
    pub metric: String,
    pub dimensions: BTreeMap<String, String>,
    /// Since the fault began.
    pub minute: i64,
    pub value: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Ok,
    Alarm,
    InsufficientData,
}

/// The points that CloudWatch makes of log lines in its embedded metric format, in the namespace of a
/// stack. In the tests, one process runs all functions: the span of a line names the function, which is
/// `service` in a process of its own.
pub(super) fn points(lines: &[Value], namespace: &str, minute: i64) -> Vec<Point> {
    let mut points = Vec::new();
    for line in lines {
        for directive in line["_aws"]["CloudWatchMetrics"].as_array().into_iter().flatten() {
            for metric in directive["Metrics"].as_array().expect("metrics") {
                let name = metric["Name"].as_str().expect("a name");
                let names = directive["Dimensions"][0].as_array().expect("dimensions");
                let dimension = |name: &Value| {
                    let name = name.as_str().expect("a name");
                    let value = match name {
                        "service" => &line["span"]["name"],
                        other => &line[other],
                    };
                    (name.to_owned(), value.as_str().expect("a text").to_owned())
                };
                points.push(Point {
                    namespace: namespace.to_owned(),
                    metric: name.to_owned(),
                    dimensions: names.iter().map(dimension).collect(),
                    minute,
                    value: line[name].as_f64().expect("a number"),
                });
            }
        }
    }
    points
}

/// What an alarm watches.
enum Watched {
    Metric {
        namespace: String,
        name: String,
        dimensions: BTreeMap<String, String>,
    },
    /// `SELECT SUM(name) FROM SCHEMA("namespace", dimension, …) WHERE dimension = 'value'`.
    Sum {
        namespace: String,
        name: String,
        dimensions: BTreeSet<String>,
        only: Option<(String, String)>,
    },
}

/// An alarm of the template.
pub(super) struct Alarm {
    watched: Watched,
    statistic: String,
    /// In minutes.
    period: i64,
    periods: i64,
    to_alarm: usize,
    threshold: f64,
    comparison: String,
    missing: String,
}

fn number(value: &Value) -> Option<f64> {
    text(value)?.parse().ok()
}

fn whole(value: &Value) -> Option<i64> {
    text(value)?.parse().ok()
}

impl Alarm {
    pub(super) fn read(alarm: &Value) -> Self {
        let own = |name: &str| text(&alarm[name]).unwrap_or_else(|| panic!("{name} of {alarm}"));
        let query = &alarm["Metrics"][0];
        let (watched, statistic, period) = match query["Expression"].as_str() {
            Some(expression) => (sum(expression), "Sum".to_owned(), &query["Period"]),
            None => {
                let dimensions = elements(&alarm["Dimensions"]).map(|dimension| {
                    let part = |name: &str| text(&dimension[name]).expect("a text");
                    (part("Name"), part("Value"))
                });
                let (namespace, name) = (own("Namespace"), own("MetricName"));
                let metric = Watched::Metric { namespace, name, dimensions: dimensions.collect() };
                let statistic =
                    text(&alarm["Statistic"]).or_else(|| text(&alarm["ExtendedStatistic"]));
                (metric, statistic.expect("a statistic"), &alarm["Period"])
            }
        };
        let periods = whole(&alarm["EvaluationPeriods"]).expect("a number");
        let to_alarm = whole(&alarm["DatapointsToAlarm"]).unwrap_or(periods);
        Self {
            watched,
            statistic,
            period: whole(period).expect("a number") / 60,
            periods,
            to_alarm: usize::try_from(to_alarm).expect("a few"),
            threshold: number(&alarm["Threshold"]).expect("a number"),
            comparison: own("ComparisonOperator"),
            missing: own("TreatMissingData"),
        }
    }

    fn watches(&self, point: &Point) -> bool {
        match &self.watched {
            Watched::Metric { namespace, name, dimensions } => {
                point.namespace == *namespace
                    && point.metric == *name
                    && point.dimensions == *dimensions
            }
            Watched::Sum { namespace, name, dimensions, only } => {
                point.namespace == *namespace
                    && point.metric == *name
                    && point.dimensions.keys().eq(dimensions)
                    && only.as_ref().is_none_or(|(name, value)| point.dimensions[name] == *value)
            }
        }
    }

    /// The statistic over the points of one period.
    fn value(&self, mut values: Vec<f64>) -> Option<f64> {
        values.sort_by(f64::total_cmp);
        let last = *values.last()?;
        Some(match self.statistic.as_str() {
            "Sum" => values.iter().sum(),
            "Maximum" => last,
            "Minimum" => values[0],
            percentile => {
                let percent: usize = percentile
                    .strip_prefix('p')
                    .and_then(|percent| percent.parse().ok())
                    .unwrap_or_else(|| panic!("the statistic {percentile}"));
                values[(values.len() * percent).div_ceil(100) - 1]
            }
        })
    }

    fn breaches(&self, value: f64) -> bool {
        match self.comparison.as_str() {
            "GreaterThanThreshold" => value > self.threshold,
            "GreaterThanOrEqualToThreshold" => value >= self.threshold,
            "LessThanThreshold" => value < self.threshold,
            "LessThanOrEqualToThreshold" => value <= self.threshold,
            other => panic!("the comparison {other}"),
        }
    }

    /// The state after each of these minutes.
    pub(super) fn states(&self, points: &[Point], from: i64, to: i64) -> Vec<State> {
        let watched: Vec<&Point> = points.iter().filter(|point| self.watches(point)).collect();
        let mut state = State::InsufficientData;
        let mut states = Vec::new();
        for minute in from..=to {
            let windows = (0..self.periods).map(|window| {
                let end = minute - window * self.period;
                let within =
                    |point: &&&Point| (end - self.period..end).contains(&(point.minute - 1));
                self.value(watched.iter().filter(within).map(|point| point.value).collect())
            });
            let windows: Vec<Option<f64>> = windows.collect();
            let is_unknown = windows.iter().all(Option::is_none);
            let breaching = windows.iter().filter(|value| match value {
                Some(value) => self.breaches(*value),
                None => self.missing == "breaching",
            });
            state = match breaching.count() >= self.to_alarm {
                _ if is_unknown && self.missing == "ignore" => state,
                true => State::Alarm,
                false => State::Ok,
            };
            states.push(state);
        }
        states
    }
}

fn sum(expression: &str) -> Watched {
    let parsed = || {
        let (name, rest) = expression.strip_prefix("SELECT SUM(")?.split_once(") FROM SCHEMA(")?;
        let (schema, rest) = rest.split_once(')')?;
        let mut parts = schema.split(", ").map(|part| part.trim_matches('"').to_owned());
        let namespace = parts.next()?;
        let only = match rest.trim().strip_prefix("WHERE ") {
            Some(only) => {
                let (name, value) = only.split_once(" = ")?;
                Some((name.to_owned(), value.strip_prefix('\'')?.strip_suffix('\'')?.to_owned()))
            }
            None => rest.trim().is_empty().then_some(None)?,
        };
        Some(Watched::Sum { namespace, name: name.to_owned(), dimensions: parts.collect(), only })
    };
    parsed().unwrap_or_else(|| panic!("an expression that nobody can evaluate: {expression}"))
}
