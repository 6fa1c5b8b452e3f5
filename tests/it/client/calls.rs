//! The headers, path and body of each call (T-3, T-6, T-7, T-12, T-15).

use std::collections::BTreeSet;

use serde_json::{Value, json};
use shared::domain::{OperationSource, OperationStatus};
use shared::host::correlation;
use tracing::Span;

use super::*;

fn body(request: &Request<Bytes>) -> Value {
    serde_json::from_slice(request.body()).unwrap_or(Value::Null)
}

#[tokio::test]
async fn t_3_every_call_carries_version_bearer_content_type_and_tracking_ids() {
    let wire = Wire::new().await;
    let mut request_ids = BTreeSet::new();
    for call in Made::ALL {
        wire.take_sent();
        wire.make(&call).await.unwrap_or_else(|error| panic!("{call:?}: {error}"));
        for request in wire.take_sent() {
            let query = request.uri().query().expect("a query");
            let versions: Vec<_> =
                query.split('&').filter(|pair| pair.starts_with("api-version=")).collect();
            assert_eq!(versions, ["api-version=2018-08-31"], "{call:?}: F-GEN-2");
            let bearer = header(&request, "authorization");
            assert!(bearer.strip_prefix("Bearer ").is_some_and(|t| t.len() > 100), "{call:?}");
            assert_eq!(header(&request, "content-type"), "application/json", "{call:?}: F-GEN-5");
            for name in ["x-ms-requestid", "x-ms-correlationid"] {
                let id = header(&request, name);
                assert!(id.len() == 36 && Uuid::try_parse(id).is_ok(), "{call:?} {name}: {id}");
            }
            assert!(
                request_ids.insert(header(&request, "x-ms-requestid").to_owned()),
                "{call:?}: unique per request"
            );
            let has_purchase_token = request.headers().contains_key("x-ms-marketplace-token");
            assert_eq!(has_purchase_token, call == Made::Resolve, "{call:?}");
        }
    }
    assert_eq!(request_ids.len(), Made::ALL.len(), "one request for each call");
    assert_eq!(wire.token_requests(), 1, "one token for all of them (F-AUTH-6)");
}

#[tokio::test]
async fn t_3_the_calls_of_one_request_share_a_correlation_id_but_no_request_id() {
    let wire = Wire::new().await;
    let correlation_id = Uuid::from_u128(0x1234_5678_9abc_4def_8123_4567_89ab_cdef);
    wire.fault(Call::GetSubscription, FaultKind::RetryAfter(503, "1".into()), Times::Once);
    correlation::in_span(correlation_id, Span::none(), async {
        wire.make(&Made::Get).await.expect("the second attempt");
        wire.make(&Made::List).await.expect("a list");
    })
    .await;
    let sent = wire.take_sent();
    assert_eq!(sent.len(), 3, "a retry is another request");
    let mut request_ids = BTreeSet::new();
    for request in &sent {
        assert_eq!(header(request, "x-ms-correlationid"), correlation_id.to_string());
        assert!(request_ids.insert(header(request, "x-ms-requestid")));
    }
}

#[tokio::test]
async fn each_call_has_the_documented_method_path_and_body() {
    let wire = Wire::new().await;
    for (call, method, path, expected) in [
        (Made::Resolve, "POST", "/resolve", json!(null)),
        (Made::Activate, "POST", "/{id}/activate", json!({ "planId": "basic", "quantity": 10 })),
        (Made::List, "GET", "", json!(null)),
        (Made::Get, "GET", "/{id}", json!(null)),
        (Made::Plans, "GET", "/{id}/listAvailablePlans", json!(null)),
        // T-12: a plan or a quantity, never both (F-CHP-4). Seats are a number (F-CHQ-1).
        (Made::ChangePlan, "PATCH", "/{id}", json!({ "planId": "team" })),
        (Made::ChangeQuantity, "PATCH", "/{id}", json!({ "quantity": 20 })),
        (Made::Cancel, "DELETE", "/{id}", json!(null)),
        (Made::ListOperations, "GET", "/{id}/operations", json!(null)),
        (Made::GetOperation, "GET", "/{id}/operations/{operation}", json!(null)),
        // T-15: only the status, spelt exactly (F-OPU-1, F-OPU-2).
        (
            Made::UpdateOperation,
            "PATCH",
            "/{id}/operations/{operation}",
            json!({ "status": "Success" }),
        ),
    ] {
        wire.take_sent();
        wire.make(&call).await.unwrap_or_else(|error| panic!("{call:?}: {error}"));
        let request = wire.take_sent().pop().expect("a request");
        let latest = wire.world(|world| world.subscriptions().next_back().map(|last| last.id));
        let id = latest.map(|id| id.to_string()).unwrap_or_default();
        let operation = latest
            .and_then(|id| wire.world(|world| world.operations(id).last().copied()))
            .map(|operation| operation.to_string())
            .unwrap_or_default();
        let path = path.replace("{id}", &id).replace("{operation}", &operation);
        assert_eq!(request.method(), method, "{call:?}");
        let sent = request.uri().path().trim_end_matches('/');
        assert_eq!(sent, format!("/api/saas/subscriptions{path}"), "{call:?}");
        assert_eq!(body(&request), expected, "{call:?}");
        assert_eq!(request.body().is_empty(), expected.is_null(), "{call:?}");
    }
}

#[tokio::test]
async fn a_flat_rate_plan_is_activated_without_seats() {
    // F-ACT-2: the quantity is sent only if the subscription has one.
    let wire = Wire::new().await;
    let id = wire.pending(Purchase::flat_rate("silver"));
    let subscription = wire.subscription(id).await;
    wire.client.activate(&subscription).await.expect("an activation");
    let request = wire.take_sent().pop().expect("a request");
    assert_eq!(body(&request), json!({ "planId": "silver" }));
}

#[tokio::test]
async fn t_15_a_rejection_is_spelt_failure() {
    let wire = Wire::new().await;
    let id = wire.active(Purchase::per_seat("basic", 10));
    let operation = wire.plan_change(id);
    wire.client
        .update_operation(id, &operation, Acknowledgement::Failure)
        .await
        .expect("acknowledged");
    assert_eq!(body(&wire.take_sent()[0]), json!({ "status": "Failure" }));
    let after = wire.client.get_operation(id, &operation).await.expect("an operation");
    assert_eq!(
        after.status,
        Some(OperationStatus::Failed),
        "Microsoft writes the status differently than it reads it"
    );
}

#[tokio::test]
async fn t_15_acknowledging_a_settled_operation_is_a_conflict() {
    let wire = Wire::new().await;
    let id = wire.active(Purchase::per_seat("basic", 10));
    let operation = wire.plan_change(id);
    let success = Acknowledgement::Success;
    wire.client.update_operation(id, &operation, success).await.expect("acknowledged");
    wire.take_sent();
    let again = wire.client.update_operation(id, &operation, success).await;
    assert!(matches!(again, Err(FulfillmentError::Conflict(_))), "F-OPU-4: {again:?}");
    assert_eq!(wire.take_sent().len(), 1, "a 409 is not retried");
}

#[tokio::test]
async fn t_12_a_change_is_followed_from_not_started_to_succeeded() {
    let wire = Wire::new().await;
    let id = wire.active(Purchase::per_seat("basic", 10));
    let accepted = wire.client.change_plan(id, "team").await.expect("accepted");
    let operation = accepted.id.expect("the operation is named (F-CHP-5)");
    let get = || async { wire.client.get_operation(id, &operation).await.expect("an operation") };
    let first = get().await;
    assert_eq!(first.status, Some(OperationStatus::NotStarted), "F-CHP-6");
    assert_eq!(first.operation_request_source, Some(OperationSource::Partner));
    assert_eq!(get().await.status, Some(OperationStatus::InProgress));
    wire.client
        .update_operation(id, &operation, Acknowledgement::Success)
        .await
        .expect("acknowledged");
    let last = get().await;
    assert!(last.is_settled());
    assert_eq!(
        (last.status, last.plan_id.as_deref()),
        (Some(OperationStatus::Succeeded), Some("team"))
    );
}

#[tokio::test]
async fn t_6_the_token_of_a_landing_link_reaches_microsoft_decoded_once() {
    let wire = Wire::new().await;
    let id = wire.pending(Purchase::flat_rate("silver"));
    let link = wire.world(|world| world.landing_link(id.0));
    let (_, query) = link.split_once('?').expect("a query");
    assert!(query.contains('%'), "the token is encoded in the link");
    let token = PurchaseToken::from_query(query).expect("a token");
    let resolved = wire.client.resolve(&token).await.expect("a purchase");
    assert_eq!(resolved.id(), Some(id));
    let request = wire.take_sent().pop().expect("a request");
    let sent = header(&request, "x-ms-marketplace-token").to_owned();
    assert!(sent.contains('+') && !sent.contains('%') && !sent.contains(' '));

    // A proxy may have decoded the token once too often (F-RES-3).
    let blanks = PurchaseToken::new(&sent.replace('+', " ")).expect("a token");
    assert_eq!(wire.client.resolve(&blanks).await.expect("a purchase").id(), Some(id));
    assert!(request.headers()["x-ms-marketplace-token"].is_sensitive(), "F-RES-11");
    assert!(request.headers()["authorization"].is_sensitive());
}

#[tokio::test]
async fn t_7_an_expired_or_foreign_token_is_refused_and_never_quoted() {
    let wire = Wire::new().await;
    let id = wire.pending(Purchase::flat_rate("silver"));
    let expired = wire.token(id);
    wire.world(|world| world.advance(Duration::from_secs(24 * 60 * 60)));
    for token in [expired, PurchaseToken::new("bm90LWEtdG9rZW4=").expect("text")] {
        wire.take_sent();
        let error = wire.client.resolve(&token).await.expect_err("F-RES-8");
        assert!(matches!(&error, FulfillmentError::Refused(no) if no.status == 400), "{error}");
        assert!(!format!("{error} {error:?}").contains(token.expose()));
        assert_eq!(wire.take_sent().len(), 1, "a refused token is not retried");
    }
}

#[tokio::test]
async fn a_short_resolve_is_completed_by_get_subscription() {
    let mut settings = Settings::default();
    settings.oddities.short_resolve = true;
    let wire = Wire::with(settings, RetryPolicy::INTERACTIVE, &[]).await;
    let id = wire.pending(Purchase::per_seat("basic", 10));
    let resolved = wire.client.resolve(&wire.token(id)).await.expect("a purchase");
    assert_eq!(resolved.id(), Some(id));
    assert_eq!(resolved.status().map(|status| status.as_str()), Some("PendingFulfillmentStart"));
    assert_eq!(wire.take_sent().len(), 2, "F-RES-6");
}

#[tokio::test]
async fn t_11_plans_are_filtered_and_keep_their_digits() {
    let wire = Wire::new().await;
    let id = wire.active(Purchase::flat_rate("silver").private_offer());
    let plans = |filter| wire.client.list_available_plans(id, filter);
    let all = plans(None).await.expect("plans");
    assert!(all.iter().any(|plan| plan.plan_id.as_deref() == Some("silver")), "F-PLN-3");
    assert!(all.len() > 1 && all.iter().all(|plan| plan.source_offers.is_none()), "F-PLN-4");
    let text = serde_json::to_string(&all).expect("JSON");
    assert!(text.contains(r#""pricePerUnit":0.02"#) && text.contains(r#""units":"1000""#));

    let one = plans(Some("silver")).await.expect("plans");
    assert_eq!(one.len(), 1);
    assert!(one[0].source_offers.is_some(), "a filter by plan shows the private offer");
    assert_eq!(plans(Some("no such/plan&x=1")).await.expect("F-PLN-5").len(), 0);
    let query = wire.take_sent().pop().and_then(|r| r.uri().query().map(str::to_owned));
    assert!(query.is_some_and(|q| q.contains("planId=no%20such%2Fplan%26x%3D1")));

    let unknown = SubscriptionId(Uuid::from_u128(1));
    let error = wire.client.list_available_plans(unknown, None).await.expect_err("F-PLN-6");
    assert!(matches!(error, FulfillmentError::NotFound(_)), "{error}");
}
