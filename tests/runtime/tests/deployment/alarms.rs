//! Alarms and the dashboard: they watch the metrics that the code writes, and each says what to do.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use runtime::deployment::{required, template, tested, values};
use saasctl::template::{Stack, text};
use serde_json::Value;
use shared::host::error_class::ErrorClass;
use shared::host::telemetry::{Source, lines};
use shared::microsoft::entra::WARNED_FROM_DAYS;

use super::captured::Captured;
use super::json;

/// The stack's name, and so the namespace of its metrics.
const NAMESPACE: &str = "marketplace";

/// The alarms that watch the same metric, for different numbers of days.
const ENDS: [&str; 2] = ["CredentialEndsInAMonth", "CredentialEndsInAWeek"];

/// One of our metrics: its name, and the function that counts it, if only one does.
type Metric = (String, Option<String>);

fn alarms(stack: &Stack) -> impl Iterator<Item = (&str, &Value)> {
    let alarms = stack.resources().filter(|(_, each)| each["Type"] == "AWS::CloudWatch::Alarm");
    alarms.map(|(id, alarm)| (id, &alarm["Properties"]))
}

/// The metric of ours that an alarm watches.
fn metric_of_alarm(alarm: &Value) -> Option<Metric> {
    if alarm["Namespace"] == NAMESPACE {
        let dimension = &alarm["Dimensions"][0];
        assert_eq!(dimension["Name"], "service", "{alarm}");
        return Some((text(&alarm["MetricName"])?, text(&dimension["Value"])));
    }
    let query = alarm["Metrics"][0]["Expression"].as_str()?;
    let (name, from) = query.strip_prefix("SELECT SUM(")?.split_once(") FROM SCHEMA(")?;
    let is_ours = from.starts_with(&format!("\"{NAMESPACE}\", service)"));
    is_ours.then(|| (name.to_owned(), None))
}

/// The metrics of ours on the dashboard.
fn metrics_of_dashboard(stack: &Stack) -> BTreeSet<Metric> {
    let body = json(stack.properties("Dashboard")["DashboardBody"].as_str().expect("a text"));
    let mut shown = BTreeSet::new();
    for widget in body["widgets"].as_array().expect("widgets") {
        for row in widget["properties"]["metrics"].as_array().expect("metrics") {
            if row[0] == NAMESPACE {
                assert_eq!(row[2], "service", "{row}");
                shown.insert((text(&row[1]).expect("a name"), text(&row[3])));
            }
            let searched = row[0]["expression"].as_str().unwrap_or_default();
            let begin = format!("SEARCH('{{\"{NAMESPACE}\",service}} MetricName=\"");
            if let Some((name, _)) =
                searched.strip_prefix(&begin).and_then(|rest| rest.split_once('"'))
            {
                shown.insert((name.to_owned(), None));
            }
        }
    }
    shown
}

fn sources(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// The code of the functions on Lambda and of what they share: the crate, the file, its text.
fn code() -> Vec<(String, PathBuf, String)> {
    let project = runtime::project();
    let functions = tested().functions().into_iter();
    let folders = functions.map(|name| (project.join("functions").join(&name), name));
    let mut code = Vec::new();
    for (folder, name) in folders.chain([(project.join("shared"), "shared".to_owned())]) {
        let mut files = Vec::new();
        sources(&folder.join("src"), &mut files);
        for file in files {
            let text = std::fs::read_to_string(&file).expect("a file of code");
            // What follows are tests.
            let shipped = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
            code.push((name.clone(), file, shipped.to_owned()));
        }
    }
    code
}

/// The metrics that log lines name, with the crates that write them.
fn written() -> BTreeMap<String, BTreeSet<String>> {
    let mut written = BTreeMap::<String, BTreeSet<String>>::new();
    for (of, file, code) in code() {
        for (at, _) in code.match_indices("metric = ") {
            if code[..at].ends_with("let ") || code[..at].ends_with("let mut ") {
                continue;
            }
            let field = code[at..].split([',', ';']).next().unwrap_or_default();
            if field.ends_with("class.metric()") {
                for name in ErrorClass::ALL.into_iter().filter_map(ErrorClass::metric) {
                    written.entry(name.to_owned()).or_default().insert(of.clone());
                }
                continue;
            }
            let name = field.split('"').nth(1);
            let name = name.unwrap_or_else(|| panic!("{}: {field} names none", file.display()));
            written.entry(name.to_owned()).or_default().insert(of.clone());
        }
        for (at, field) in code.match_indices("metrics = \"") {
            let names = code[at + field.len()..].split('"').next().unwrap_or_default();
            for name in names.split(' ') {
                assert!(
                    code.contains(&format!("{name} = ")),
                    "{}: no field {name}",
                    file.display()
                );
                written.entry(name.to_owned()).or_default().insert(of.clone());
            }
        }
    }
    written
}

#[test]
fn no_field_of_a_log_line_is_the_debug_text_of_a_value() {
    for (_, file, code) in code() {
        for line in code.lines() {
            let is_debug = |before: &str| {
                let mut parts = line.split(before).skip(1);
                parts.any(|rest| rest.starts_with(|first: char| first.is_ascii_lowercase()))
            };
            let found = ["= ?", ", ?", "!(?"].iter().find(|before| is_debug(before));
            assert_eq!(found, None, "{}: {line}", file.display());
        }
    }
}

#[test]
fn every_metric_that_is_watched_is_written_and_every_written_one_is_watched() {
    let (stack, written) = (tested(), written());
    assert!(written.len() > 10, "{written:?}");
    let mut watched = metrics_of_dashboard(&stack);
    watched.extend(alarms(&stack).filter_map(|(_, alarm)| metric_of_alarm(alarm)));
    for (name, service) in &watched {
        let by = written.get(name).unwrap_or_else(|| panic!("no code writes {name}"));
        let is_written = |service: &String| by.contains(service) || by.contains("shared");
        assert!(service.as_ref().is_none_or(is_written), "{service:?} never writes {name}: {by:?}");
    }
    let watched: BTreeSet<_> = watched.into_iter().map(|(name, _)| name).collect();
    assert_eq!(watched, written.into_keys().collect());
}

#[test]
fn every_alarm_says_what_it_means_and_what_to_do_and_goes_to_the_topic() {
    let stack = tested();
    for (id, alarm) in alarms(&stack) {
        let says = text(&alarm["AlarmDescription"]).unwrap_or_default();
        assert!(says.len() > 80 && says.len() <= 1024 && says.ends_with('.'), "{id}: {says}");
        for actions in ["AlarmActions", "OKActions"] {
            assert_eq!(alarm[actions], serde_json::json!(["<AlarmTopic>"]), "{id}");
        }
        assert!(alarm["TreatMissingData"].is_string(), "{id}");
    }
    assert!(alarms(&stack).count() > 20);
}

/// From the log line to the alarm: the namespace that the template sets, the name, the dimension.
#[test]
fn a_line_with_a_metric_is_counted_by_the_alarm_on_it_and_by_no_other() {
    let stack = tested();
    let ours: Vec<_> = alarms(&stack)
        .filter_map(|(id, alarm)| Some((id, alarm, metric_of_alarm(alarm)?)))
        .collect();
    assert!(ours.len() > 10, "{ours:?}");
    for (id, _, (name, service)) in &ours {
        let service = service.as_deref().unwrap_or("management");
        let namespace = stack.environment(service)["METRICS_NAMESPACE"].parse().ok();
        let service: &'static str = service.to_owned().leak();
        let captured = Captured::default();
        let subscriber = lines(Source { service, namespace }, "info", {
            let captured = captured.clone();
            move || captured.clone()
        });
        tracing::subscriber::with_default(subscriber, || {
            tracing::warn!(metric = name.as_str(), "a fault");
        });
        let line = json(&captured.text());
        let made = &line["_aws"]["CloudWatchMetrics"][0];
        let counts = |(_, alarm, (watched, of)): &&(&str, &Value, Metric)| {
            let namespace = alarm["Namespace"].as_str().unwrap_or(NAMESPACE);
            let dimension = text(&made["Dimensions"][0][0]).expect("a dimension");
            made["Namespace"] == namespace
                && made["Metrics"][0]["Name"] == *watched
                && of.as_ref().is_none_or(|of| line[&dimension] == *of)
        };
        let counted: BTreeSet<_> = ours.iter().filter(counts).map(|(id, ..)| *id).collect();
        let expected = if ENDS.contains(id) { BTreeSet::from(ENDS) } else { BTreeSet::from([*id]) };
        assert_eq!(counted, expected, "{line}");
        assert_eq!(line[name], 1, "{line}");
    }
}

#[test]
fn no_full_round_is_an_alarm_without_any_line_and_other_silence_is_none() {
    let stack = tested();
    for (id, alarm) in alarms(&stack) {
        assert_eq!(alarm["TreatMissingData"] == "breaching", id == "NoFullRound", "{id}");
    }
    assert_eq!(text(&stack.properties("NoFullRound")["EvaluationPeriods"]), Some("6".to_owned()));
}

#[test]
fn an_end_is_an_alarm_from_30_days_on_and_again_from_7_days_on() {
    let stack = tested();
    for (id, days) in ENDS.into_iter().zip([WARNED_FROM_DAYS, 7]) {
        let alarm = stack.properties(id);
        assert_eq!(alarm["MetricName"], "credential_days_left", "{id}");
        assert_eq!(alarm["Statistic"], "Minimum", "{id}");
        assert_eq!(alarm["ComparisonOperator"], "LessThanOrEqualToThreshold", "{id}");
        assert_eq!(alarm["Threshold"], days, "{id}");
    }
}

#[test]
fn without_alarms_nothing_is_counted_and_nothing_is_billed() {
    let mut parameters = required();
    parameters.extend(values(&[("Alarms", "disabled"), ("AlarmEmail", "a@publisher.example")]));
    let stack = template().deploy(&parameters).expect("the template deploys");
    assert_eq!(alarms(&stack).count(), 0);
    for id in ["AlarmTopic", "Dashboard"] {
        assert!(stack.properties(id).is_null(), "{id}");
    }
    for function in stack.functions() {
        assert_eq!(stack.environment(&function)["METRICS_NAMESPACE"], "", "{function}");
    }
}

#[test]
fn a_deployment_without_receivers_has_the_alarms_that_need_none() {
    let deploy = |given: &[(&str, &str)]| {
        let mut parameters = required();
        parameters.extend(values(given));
        template().deploy(&parameters).expect("the template deploys")
    };
    let all: BTreeSet<String> = alarms(&tested()).map(|(id, _)| id.to_owned()).collect();
    let ids = |stack: &Stack| alarms(stack).map(|(id, _)| id.to_owned()).collect::<BTreeSet<_>>();
    let of_delivery =
        ["EventsNotTaken", "EventsParked", "DeliveryErrors", "DeadLetters", "StreamLate"];
    for (given, missing) in [
        (&[][..], &[&of_delivery[..], &["ConsoleErrors"]].concat()[..]),
        (
            &[
                ("DeliveryEventBusArn", "arn:aws:events:eu-north-1:123456789012:event-bus/b"),
                ("Schedules", "disabled"),
            ],
            &["NoFullRound", "ConsoleErrors"],
        ),
    ] {
        let stack = deploy(given);
        let missing: BTreeSet<String> = missing.iter().map(|id| (*id).to_owned()).collect();
        assert_eq!(ids(&stack), all.difference(&missing).cloned().collect(), "{given:?}");
        assert!(metrics_of_dashboard(&stack).len() > 10, "the dashboard is JSON");
    }
    assert!(deploy(&[]).properties("AlarmTopic")["Subscription"].is_null());
    let mailed = deploy(&[("AlarmEmail", "oncall@publisher.example")]);
    let subscription = &mailed.properties("AlarmTopic")["Subscription"][0];
    assert_eq!(subscription["Endpoint"], "oncall@publisher.example");
    assert_eq!(subscription["Protocol"], "email");
}
