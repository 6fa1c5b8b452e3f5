//! The triggers: the schedule's state machine and the table's stream.

use std::collections::BTreeSet;

use runtime::Template;
use runtime::template::{elements, mapping, scalar};

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
    let template = Template::read();
    let slice = template.resource(&[
        "ReconciliationRun",
        "Properties",
        "Definition",
        "States",
        "Slice",
        "ResultSelector",
    ]);
    let read: BTreeSet<String> = mapping(slice).filter_map(|(_, path)| scalar(path)).collect();
    assert_eq!(read, reported);
    assert_eq!(report["finished"], true);
}

#[test]
fn the_stream_invokes_the_delivery_for_new_events_only() {
    let template = Template::read();
    let mapped = template.resource(&["DeliveryFunction", "Properties", "Events", "Recorded"]);
    let properties = &mapped["Properties"];
    let text = |value: &serde_yaml_ng::Value| scalar(value).expect("a text");
    assert_eq!(text(&properties["Stream"]), "Table.StreamArn");
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
