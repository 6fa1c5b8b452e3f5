//! The triggers: the schedule's state machine and the table's stream.

use std::collections::BTreeSet;

use runtime::deployment::{required, template, tested, values};
use saasctl::template::{elements, text};

use serde_json::Value;
use shared::config::{Dependencies, ManagementSettings};
use shared::host::environment::Environment;
use shared::host::http::{Handler as _, Request};
use shared::host::lambda::{Access, answer};

use super::{json, system};

#[tokio::test]
async fn the_state_machine_reads_the_report_of_a_slice() {
    let system = system().await;
    let report = system.reconcile().await.expect("a slice");
    let report = serde_json::to_value(report).expect("a report is JSON");
    let reported: BTreeSet<String> = report
        .as_object()
        .expect("an object")
        .keys()
        .map(|key| format!("$.Payload.{key}"))
        .collect();
    let stack = tested();
    let states = &stack.properties("ReconciliationRun")["Definition"]["States"];
    let selected = states["Slice"]["ResultSelector"].as_object().expect("an object");
    let read: BTreeSet<String> = selected.values().filter_map(text).collect();
    assert_eq!(read, reported);
    assert_eq!(report["finished"], true);
}

#[test]
fn the_stream_invokes_the_delivery_for_new_events_only() {
    let stack = tested();
    let properties = &stack.properties("DeliveryFunction")["Events"]["Recorded"]["Properties"];
    let text = |value: &Value| text(value).expect("a text");
    let types: Vec<_> = elements(&properties["FunctionResponseTypes"]).map(text).collect();
    assert_eq!(types, ["ReportBatchItemFailures"], "Lambda reads the function's answer");
    let filters: Vec<_> = elements(&properties["FilterCriteria"]["Filters"]).collect();
    let [filter] = filters[..] else { panic!("one filter: {filters:?}") };
    let pattern = json(&text(&filter["Pattern"]));
    assert_eq!(pattern["eventName"], serde_json::json!(["INSERT"]));
    let sorts = &pattern["dynamodb"]["Keys"]["sk"]["S"];
    assert_eq!(sorts, &serde_json::json!([{ "prefix": "EVENT#" }]));
    let waits = &pattern["dynamodb"]["NewImage"]["outbox"]["S"];
    assert_eq!(waits, &serde_json::json!([{ "prefix": "DUE" }]));
    let kinds = &pattern["dynamodb"]["NewImage"]["body"]["M"]["type"]["S"];
    assert_eq!(kinds, &serde_json::json!([{ "anything-but": ["Imported"] }]));
    let recorded = json(include_str!("../../../../events/delivery/recorded.json"));
    for record in recorded["Records"].as_array().expect("records") {
        let sort = record["dynamodb"]["Keys"]["sk"]["S"].as_str().expect("a sort key");
        let outbox =
            record["dynamodb"]["NewImage"]["outbox"]["S"].as_str().expect("a pending event");
        let passes = record["eventName"] == "INSERT"
            && sort.starts_with("EVENT#")
            && outbox.starts_with("DUE");
        assert!(passes, "the filter passes the payload: {sort}");
    }
    assert_eq!(text(&properties["DestinationConfig"]["OnFailure"]["Type"]), "SQS");
}

#[test]
fn the_schedules_run_unless_they_are_switched_off_and_no_missed_run_is_repeated() {
    for (given, state) in [("enabled", "ENABLED"), ("disabled", "DISABLED")] {
        let mut parameters = required();
        let bus = "arn:aws:events:eu-north-1:123456789012:event-bus/b";
        parameters.extend(values(&[("Schedules", given), ("DeliveryEventBusArn", bus)]));
        let stack = template().deploy(&parameters).expect("the template deploys");
        let mut schedules = 0;
        for (id, resource) in stack.resources() {
            for event in resource["Properties"]["Events"].as_object().into_iter().flatten() {
                if event.1["Type"] != "Schedule" {
                    continue;
                }
                schedules += 1;
                let properties = &event.1["Properties"];
                assert_eq!(properties["State"], state, "{id}");
                assert_eq!(properties["RetryPolicy"]["MaximumRetryAttempts"], 0, "{id}");
            }
        }
        assert_eq!(schedules, 3);
        for function in ["DeliveryFunction", "ManagementFunction"] {
            let invoked = &stack.properties(function)["EventInvokeConfig"];
            assert_eq!(invoked["MaximumRetryAttempts"], 0, "{function}");
        }
    }
}

/// No second path leads to an examination: the schedule sends what the API would send.
#[tokio::test]
async fn the_hourly_schedule_sends_the_request_for_an_examination_as_the_api_would() {
    let system = system().await;
    let variables = system.variables.clone();
    let environment = Environment::from_fn(move |name| variables.get(name).cloned());
    let dependencies = Dependencies::with_clock(&environment, system.clock.clone());
    let dependencies = dependencies.expect("the system's settings are right");
    let settings = ManagementSettings::read(&environment, &dependencies).expect("they are");
    let management = management::Management::new(&dependencies, settings);
    let domain = [
        ("DomainName", "signup.example.com"),
        ("CertificateArn", "arn:aws:acm:eu-north-1:123456789012:certificate/a"),
    ];
    for (given, host) in
        [(&[][..], "<Api>.execute-api.eu-north-1.amazonaws.com"), (&domain, "signup.example.com")]
    {
        let mut parameters = required();
        parameters.extend(values(given));
        let stack = template().deploy(&parameters).expect("the template deploys");
        let schedule = &stack.properties("ManagementFunction")["Events"]["EveryHour"]["Properties"];
        assert_eq!(schedule["Schedule"], "rate(1 hour)");
        let event = text(&schedule["Input"]).expect("a text");
        assert_eq!(json(&event)["requestContext"]["domainName"], host);
        let answered = answer(&management, Access::Signed, &event).await;
        assert_eq!(answered.status_code, 200, "{event}");
        let answered = serde_json::to_value(answered).expect("it is JSON");
        let found = json(answered["body"].as_str().expect("a text"));
        assert!(found["checks"].as_array().is_some_and(|checks| checks.len() > 11), "{found}");
        let mut request = Request::default();
        *request.uri_mut() = "/doctor/last".parse().expect("a path");
        let kept = management.handle(request).await;
        assert_eq!(json(std::str::from_utf8(kept.body()).expect("text")), found);
        assert_eq!(found["host"], host);
    }
}
