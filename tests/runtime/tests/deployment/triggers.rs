//! The triggers: the schedule's state machine and the table's stream.

use std::collections::BTreeSet;

use runtime::deployment::{required, template, tested, values};
use saasctl::template::{elements, text};

use serde_json::Value;

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
    let recorded = json(include_str!("../../../../events/delivery/recorded.json"));
    for record in recorded["Records"].as_array().expect("records") {
        let sort = record["dynamodb"]["Keys"]["sk"]["S"].as_str().expect("a sort key");
        let passes = record["eventName"] == "INSERT" && sort.starts_with("EVENT#");
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
        assert_eq!(schedules, 2);
        let invoked = &stack.properties("DeliveryFunction")["EventInvokeConfig"];
        assert_eq!(invoked["MaximumRetryAttempts"], 0);
    }
}
