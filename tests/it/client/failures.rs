//! Every error body with every status, and unreadable answers (T-5).

use emulator::ErrorForm;

use super::*;

/// The kinds of error that callers tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Refused,
    NotFound,
    Conflict,
    Unauthorized,
    Misaddressed,
    Unavailable,
    Malformed,
}

fn kind(error: &FulfillmentError) -> Kind {
    match error {
        FulfillmentError::Refused(_) => Kind::Refused,
        FulfillmentError::NotFound(_) => Kind::NotFound,
        FulfillmentError::Conflict(_) => Kind::Conflict,
        FulfillmentError::Unauthorized(_) => Kind::Unauthorized,
        FulfillmentError::Misaddressed(_) => Kind::Misaddressed,
        FulfillmentError::Unavailable { .. } | FulfillmentError::Unreachable { .. } => {
            Kind::Unavailable
        }
        FulfillmentError::Malformed(_) => Kind::Malformed,
        FulfillmentError::Token(error) => panic!("there is a token: {error}"),
    }
}

const STATUSES: [(u16, Kind); 14] = [
    (400, Kind::Refused),
    (401, Kind::Unauthorized),
    (403, Kind::Unauthorized),
    (404, Kind::NotFound),
    (405, Kind::Misaddressed),
    (415, Kind::Misaddressed),
    (408, Kind::Unavailable),
    (409, Kind::Conflict),
    (418, Kind::Refused),
    (429, Kind::Unavailable),
    (500, Kind::Unavailable),
    (502, Kind::Unavailable),
    (503, Kind::Unavailable),
    (504, Kind::Unavailable),
];

#[tokio::test]
async fn t_5_every_status_has_one_meaning_in_every_form_of_error_body() {
    let wire = Wire::new().await;
    for (status, expected) in STATUSES {
        for form in ErrorForm::ALL {
            wire.fault(Call::ListSubscriptions, FaultKind::Status(status, form), Times::Always);
            let error = wire.make(&Made::List).await.expect_err("an error");
            // F-ERR-5: the list itself exists, and Microsoft's own 404 has a code.
            let has_code =
                !matches!(form, ErrorForm::BareString | ErrorForm::Empty | ErrorForm::Html);
            let expected = if status == 404 && !has_code { Kind::Misaddressed } else { expected };
            assert_eq!(kind(&error), expected, "{status} {form:?}");
            let text = error.to_string();
            assert!(!text.contains("unexpected error occurred"), "Microsoft's sentence: {text}");
            wire.world(|world| world.faults_mut().clear());
        }
    }
}

#[tokio::test]
async fn t_5_every_call_maps_statuses_alike_and_400_means_no_such_operation() {
    let wire = Wire::new().await;
    for call in Made::ALL {
        for (status, expected) in STATUSES {
            let fault = FaultKind::Status(status, ErrorForm::Nested);
            wire.fault(call.call(), fault, Times::Always);
            let error = wire.make(&call).await.expect_err("an error");
            wire.world(|world| world.faults_mut().clear());
            // F-OPG-3, F-OPU-3.
            let about_operation = matches!(call, Made::GetOperation | Made::UpdateOperation);
            let expected = if about_operation && status == 400 { Kind::NotFound } else { expected };
            assert_eq!(kind(&error), expected, "{call:?} {status}");
        }
    }
}

#[tokio::test]
async fn an_unknown_operation_is_not_found_with_404_and_with_400() {
    for not_found_is_400 in [false, true] {
        let mut settings = Settings::default();
        settings.behaviour.not_found_is_400 = not_found_is_400;
        let wire = Wire::with(settings, RetryPolicy::INTERACTIVE, &[]).await;
        let id = wire.active(Purchase::flat_rate("silver"));
        let unknown = OperationId::from(Uuid::from_u128(0x77));
        let got = wire.client.get_operation(id, &unknown).await.expect_err("unknown");
        assert_eq!(kind(&got), Kind::NotFound, "D-12");
        let success = Acknowledgement::Success;
        let put = wire.client.update_operation(id, &unknown, success).await.expect_err("unknown");
        assert_eq!(kind(&put), Kind::NotFound, "D-12");
    }
}

#[tokio::test]
async fn t_5_a_success_status_with_an_unreadable_body_is_malformed() {
    let wire = Wire::new().await;
    for garbage in ["<html>", "{", "7", "\"x\"", "null", "\u{feff}{", "{\"id\":"] {
        for call in [
            Made::Get,
            Made::GetOperation,
            Made::Resolve,
            Made::List,
            Made::Plans,
            Made::ListOperations,
        ] {
            wire.fault(call.call(), FaultKind::Garbage(garbage.into()), Times::Once);
            wire.take_sent();
            let error = wire.make(&call).await.expect_err("unusable");
            assert_eq!(kind(&error), Kind::Malformed, "{call:?} {garbage}");
            assert_eq!(wire.take_sent().len(), 1, "{call:?}: a malformed answer is not retried");
        }
    }
    for call in [Made::Get, Made::GetOperation, Made::Resolve] {
        wire.fault(call.call(), FaultKind::Garbage(String::new()), Times::Once);
        let error = wire.make(&call).await.expect_err("no body");
        assert_eq!(kind(&error), Kind::Malformed, "{call:?}");
    }
}

#[tokio::test]
async fn an_answer_about_another_subscription_or_operation_is_malformed() {
    let wire = Wire::new().await;
    let id = wire.active(Purchase::flat_rate("silver"));
    let other = wire.active(Purchase::flat_rate("gold"));
    let about_other = format!(r#"{{"id":"{other}","saasSubscriptionStatus":"Suspended"}}"#);
    wire.fault(Call::GetSubscription, FaultKind::Garbage(about_other), Times::Once);
    let error = wire.client.get_subscription(id).await.expect_err("another subscription");
    assert_eq!(kind(&error), Kind::Malformed);
    let foreign = format!(r#"{{"id":"{other}","subscriptionId":"{other}","status":"Succeeded"}}"#);
    wire.fault(Call::GetOperation, FaultKind::Garbage(foreign), Times::Once);
    let error = wire
        .client
        .get_operation(id, &OperationId::from(id.0))
        .await
        .expect_err("another operation");
    assert_eq!(kind(&error), Kind::Malformed, "F-WHS-2");
    // An answer without an id is about the requested subscription.
    let without_id = r#"{"saasSubscriptionStatus":"Suspended"}"#.to_owned();
    wire.fault(Call::GetSubscription, FaultKind::Garbage(without_id), Times::Once);
    assert_eq!(wire.client.get_subscription(id).await.expect("an answer").id(), Some(id));
}
