//! What a rejection leaves behind.

use super::*;

fn id() -> OperationId {
    OperationId(Uuid::from_u128(7))
}

fn ruling() -> Ruling {
    Ruling::new(Verdict::Reject, Authority::Product, "not this year")
}

fn rejected(record: &Record, asked: Value) -> Decision {
    let cause =
        Cause::Webhook { action: Action::ChangePlan, operation_id: Some(id()), source: None };
    reject(record, id(), &operation(asked), &cause, &ruling(), Timestamp::UNIX_EPOCH)
}

#[test]
fn a_rejection_is_an_event_with_both_values_and_its_reason_and_changes_nothing_else() {
    let record = record(json!(10));
    for (asked, change) in [
        (
            json!({ "action": "ChangePlan", "planId": "gold", "operationRequestSource": "Azure" }),
            RequestedChange::Plan { from: "silver".to_owned(), to: Some("gold".to_owned()) },
        ),
        (
            json!({ "action": "ChangeQuantity", "quantity": 20, "operationRequestSource": "Azure" }),
            RequestedChange::Seats { from: Some(10), to: Some(20) },
        ),
    ] {
        let Decision::Commit(written) = rejected(&record, asked) else { panic!("no event") };
        let [event] = written.events.as_slice() else { panic!("{:?}", written.events) };
        assert_eq!(event.kind, EventKind::ChangeRejected { change });
        assert_eq!(event.decision, Some(ruling()));
        assert_eq!(event.before.as_ref(), Some(&event.subscription));
        assert_eq!(written.record.subscription, record.subscription);
        assert_eq!(written.record.version, record.version + 1);
        assert!(
            matches!(&event.cause, Cause::Webhook { source: Some(OperationSource::Azure), .. }),
            "{:?}",
            event.cause
        );
        let text = serde_json::to_value(event).expect("JSON");
        assert_eq!(serde_json::from_value::<crate::domain::Event>(text).ok().as_ref(), Some(event));
    }
}

#[test]
fn a_rejected_operation_is_not_waited_for_any_more() {
    let Decision::Commit(waiting) =
        record(json!(10)).await_operation(id(), &Action::ChangePlan, Timestamp::UNIX_EPOCH)
    else {
        panic!("it waits")
    };
    let asked = json!({ "action": "ChangePlan", "planId": "gold" });
    let Decision::Commit(written) = rejected(&waiting.record, asked) else { panic!("no event") };
    assert_eq!(written.record.pending_operation, None);
}

#[test]
fn nothing_follows_an_end() {
    let ended: Observation = serde_json::from_value(json!({
        "id": Uuid::from_u128(1), "saasSubscriptionStatus": "Unsubscribed",
    }))
    .expect("an observation");
    let record = record(json!(10));
    let over = observe(Some(&record), &ended, &Cause::Reconciliation, Timestamp::UNIX_EPOCH);
    let Ok(Decision::Commit(over)) = over else { panic!("it ends") };
    let asked = json!({ "action": "ChangePlan", "planId": "gold" });
    assert_eq!(rejected(&over.record, asked), Decision::Unchanged);
}
