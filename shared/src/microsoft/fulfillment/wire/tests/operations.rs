//! Operations, acknowledgements, and the operation of an accepted change (F-OP, F-CHP-5).

use super::*;
use crate::domain::{Action, OperationSource, OperationStatus};

const OPERATION: &str = "74dfb4db-c193-4891-827d-eb05fbdc64b0";

#[test]
fn operations_are_read_from_an_object_an_array_or_an_empty_body() {
    let one = json!({ "id": OPERATION, "action": "ChangePlan", "status": "InProgress" });
    for (body, expected) in [
        (json!({ "operations": [one] }).to_string(), 1),
        (json!([one, one]).to_string(), 2),
        ("[]".to_owned(), 0),
        ("{}".to_owned(), 0),
        (r#"{"operations":null}"#.to_owned(), 0),
        (String::new(), 0),
        (" \n".to_owned(), 0),
    ] {
        let read = operations(body.as_bytes()).expect("an answer (F-OPL-2)");
        assert_eq!(read.len(), expected, "{body}");
        assert!(read.iter().all(|operation| operation.action == Some(Action::ChangePlan)));
    }
    assert!(operations(b"<html>").is_none());
}

#[test]
fn an_entry_that_is_no_operation_costs_no_other() {
    let one = json!({ "id": OPERATION, "action": "ChangePlan", "status": "InProgress" });
    let body = json!({ "operations": [null, one, 7, [one]] }).to_string();
    assert_eq!(operations(body.as_bytes()).expect("a list").len(), 1);
}

fn operation(body: Value) -> Operation {
    serde_json::from_value(body).expect("an operation")
}

#[test]
fn an_operation_is_read_in_the_documented_form() {
    let read = operation(json!({
        "id": OPERATION, "activityId": ID, "subscriptionId": ID, "publisherId": "fabrikam",
        "offerId": "o", "planId": "gold", "quantity": 20, "action": "ChangePlan",
        "timeStamp": "2026-03-15T23:06:06.9852975Z", "status": "InProgress",
        "operationRequestSource": "Azure", "errorStatusCode": "", "errorMessage": "",
    }));
    assert_eq!(read.id, OperationId::new(OPERATION));
    assert_eq!(read.subscription_id.map(|id| id.to_string()).as_deref(), Some(ID));
    assert_eq!(read.action, Some(Action::ChangePlan));
    assert_eq!(read.status, Some(OperationStatus::InProgress));
    assert_eq!((read.plan_id.as_deref(), read.quantity), (Some("gold"), Some(20)));
    assert_eq!(read.operation_request_source, Some(OperationSource::Azure));
    assert_eq!(read.time_stamp, Some(time("2026-03-15T23:06:06.9852975Z")));
    assert!(!read.is_settled());
}

#[test]
fn the_source_of_an_operation_is_read_under_both_spellings() {
    // F-EMU-3. An absent source is normal (F-WHP-4).
    for name in ["operationRequestSource", "operationRequestedSource"] {
        let read = operation(json!({ name: " partner " }));
        assert_eq!(read.operation_request_source, Some(OperationSource::Partner), "{name}");
    }
    assert_eq!(operation(json!({})).operation_request_source, None);
}

#[test]
fn an_operation_with_the_misspelt_id_of_the_docs_matches_the_requested_one() {
    // F-OP-3.
    let read = operation(json!({ "id  ": OPERATION, "status": "Succeeded" }));
    let (ours, other) = (ID.parse().expect("an id"), OperationId::new(OPERATION).expect("an id"));
    assert!(read.is(ours, &other));
    let foreign = operation(json!({ "id": ID }));
    assert!(!foreign.is(ours, &other), "another operation");
    let strange = operation(json!({ "id": OPERATION, "subscriptionId": OPERATION }));
    assert!(!strange.is(ours, &other), "another subscription");
}

#[test]
fn both_spellings_of_a_final_status_are_read_and_unknown_ones_are_not_final() {
    use OperationStatus::{Conflict, Failed, InProgress, NotStarted, Other, Succeeded};
    for (sent, expected, settled) in [
        ("NotStarted", NotStarted, false),
        ("InProgress", InProgress, false),
        ("In Progress", InProgress, false),
        ("Succeeded", Succeeded, true),
        ("Succeed", Succeeded, true),
        ("Success", Succeeded, true),
        (" failed ", Failed, true),
        ("Conflict", Conflict, true),
        // F-CHP-6: unknown statuses mean keep polling.
        ("Queued", Other("Queued".into()), false),
    ] {
        let read = operation(json!({ "status": sent }));
        assert_eq!(read.status, Some(expected), "{sent}");
        assert_eq!(read.is_settled(), settled, "{sent}");
    }
    assert!(!operation(json!({})).is_settled());
}

#[test]
fn t_15_an_acknowledgement_is_spelt_as_f_opu_2_says() {
    assert_eq!(Acknowledgement::Success.as_str(), "Success");
    assert_eq!(Acknowledgement::Failure.as_str(), "Failure");
}

#[test]
fn the_id_of_an_accepted_operation_is_found_in_any_form_of_its_headers() {
    let id = OperationId::new(OPERATION);
    let base = format!("/api/saas/subscriptions/{ID}/operations/{OPERATION}");
    for location in [
        format!("https://marketplaceapi.microsoft.com{base}?api-version=2018-08-31"),
        format!("https://main.prod.marketplaceapi.azure.example{base}"),
        format!("https://m.example{base}/?api-version=2018-08-31"),
        format!("https://m.example{base}#x"),
        base.clone(),
        base.to_uppercase().replace("/OPERATIONS/", "/operations/"),
    ] {
        assert_eq!(accepted(None, Some(&location)).id, id, "{location}");
    }
    assert_eq!(accepted(Some(&format!(" {OPERATION} ")), None).id, id, "Operation-Id alone");
    let useless = "https://m.example/api/operations/?api-version=2018-08-31";
    assert_eq!(accepted(Some(OPERATION), Some(useless)).id, id);
    for nothing in [None, Some(""), Some("https://m.example/"), Some(useless)] {
        assert_eq!(accepted(None, nothing).id, None, "{nothing:?}");
        assert_eq!(accepted(Some(" "), nothing).id, None, "{nothing:?}");
    }
    // An id that is no GUID, as it is in one header and escaped in the other.
    let other = OperationId::new("change 1/%");
    assert_eq!(accepted(Some("change 1/%"), None).id, other);
    let location = "https://m.example/api/operations/change%201%2F%25?api-version=2018-08-31";
    assert_eq!(accepted(None, Some(location)).id, other);
    // `Operation-Location` wins over `Operation-Id` (F-CHP-5).
    let location = format!("https://m.example{base}");
    assert_eq!(accepted(Some(ID), Some(&location)).id, id);
}

#[test]
fn an_operation_with_both_names_of_its_source_is_read() {
    let twice = json!({ "id": OPERATION, "operationRequestSource": "Partner", "operationRequestedSource": "Azure" });
    let read = operations(json!([twice, { "id": ID }]).to_string().as_bytes());
    let read = read.expect("a list (F-GEN-10)");
    assert_eq!(read[0].operation_request_source, Some(OperationSource::Partner));
    assert_eq!(read.len(), 2);
}
