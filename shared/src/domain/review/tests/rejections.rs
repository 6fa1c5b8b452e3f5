//! What a rejection records, and when Microsoft has received it.

use super::*;

fn id() -> OperationId {
    OperationId::from(Uuid::from_u128(7))
}

fn ruling() -> Ruling {
    Ruling::new(Verdict::Reject, DecidedBy::Product, "not this year")
}

fn rejected(record: &Record, asked: Value) -> Decision {
    reject(record, &id(), &operation(asked), &Cause::Landing, &ruling(), Timestamp::UNIX_EPOCH)
}

#[test]
fn a_rejection_is_recorded_with_both_values_and_its_reason_and_changes_nothing() {
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
        assert_eq!(event.ruling, Some(ruling()));
        assert_eq!(event.before.as_ref(), Some(&event.subscription));
        assert_eq!(written.record.subscription, record.subscription);
        assert_eq!(written.record.version, record.version + 1);
        let text = serde_json::to_value(event).expect("JSON");
        assert_eq!(serde_json::from_value::<crate::domain::Event>(text).ok().as_ref(), Some(event));
    }
}

#[test]
fn a_rejection_ends_the_wait_for_its_operation() {
    let Decision::Commit(waiting) =
        record(json!(10)).await_operation(&id(), &Action::ChangePlan, Timestamp::UNIX_EPOCH)
    else {
        panic!("the record waits for the operation")
    };
    let asked = json!({ "action": "ChangePlan", "planId": "gold" });
    let Decision::Commit(written) = rejected(&waiting.record, asked) else { panic!("no event") };
    assert_eq!(written.record.pending_operation, None);
}

/// A record that answered a change and waits for its outcome.
fn answered(ruling: &Ruling) -> Record {
    let now = Timestamp::UNIX_EPOCH;
    match record(json!(10)).await_answered(&id(), &Action::ChangePlan, ruling, now) {
        Decision::Commit(change) => change.record,
        other => panic!("the record waits for the operation: {other:?}"),
    }
}

/// The rejection that Microsoft has received, if the operation has this status.
fn confirmed(record: &Record, id: OperationId, status: &str) -> Option<Ruling> {
    let asked = json!({ "action": "ChangePlan", "planId": "gold", "status": status });
    rejected_before(record, &id, &operation(asked)).cloned()
}

#[test]
fn a_recorded_answer_is_repeated_without_asking_the_product() {
    let accepted = Ruling::new(Verdict::Accept, DecidedBy::Product, "fine");
    for ruling in [ruling(), accepted] {
        let waiting = answered(&ruling);
        for asked in [
            json!({ "id": id(), "action": "ChangePlan", "planId": "gold" }),
            // Neither a new value in force nor another source changes the answer.
            json!({ "id": id(), "action": "ChangePlan", "planId": "silver", "operationRequestSource": "Azure" }),
        ] {
            for policy in [ChangePolicy::Accept, ChangePolicy::Reject] {
                let again = reviewed(&waiting, asked.clone(), policy);
                assert_eq!(again, Review::Settled(ruling.clone()), "{asked}");
            }
        }
    }
}

#[test]
fn a_rejection_reached_microsoft_only_if_the_operation_failed() {
    let waiting = answered(&ruling());
    assert_eq!(confirmed(&waiting, id(), "Failed"), Some(ruling()));
    for status in ["Succeeded", "Conflict", "InProgress", "NotStarted", "Expired"] {
        assert_eq!(confirmed(&waiting, id(), status), None, "{status}");
    }
    assert_eq!(confirmed(&answered(&Ruling::accept(DecidedBy::Policy)), id(), "Failed"), None);
    let other = OperationId::from(Uuid::from_u128(8));
    assert_eq!(confirmed(&waiting, other, "Failed"), None);
    assert_eq!(confirmed(&record(json!(10)), id(), "Failed"), None);
}

#[test]
fn no_event_follows_the_end_of_a_subscription() {
    let ended: Observation = serde_json::from_value(json!({
        "id": Uuid::from_u128(1), "saasSubscriptionStatus": "Unsubscribed",
    }))
    .expect("an observation");
    let record = record(json!(10));
    let over = observe(Some(&record), &ended, &Cause::Reconciliation, Timestamp::UNIX_EPOCH);
    let Ok(Decision::Commit(over)) = over else { panic!("the subscription ends") };
    let asked = json!({ "action": "ChangePlan", "planId": "gold" });
    assert_eq!(rejected(&over.record, asked), Decision::Unchanged);
}
