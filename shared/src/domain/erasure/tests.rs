//! What an erasure leaves of records and events, and that nothing brings anything back.

use serde_json::{Value, json};
use uuid::{Uuid, uuid};

use super::super::observation::Observation;
use super::super::observe::observe;
use super::super::sign_up::SignUp;
use super::*;

/// What must not be found after an erasure.
const PERSONAL: [&str; 7] = [
    "adele@contoso.example",
    "0a0a0a0a-0000-0000-0000-000000000001",
    "0b0b0b0b-0000-0000-0000-000000000002",
    "Contoso Cloud",
    "Adele Vance",
    "1003BFFD",
    "because Adele said so",
];

fn now() -> Timestamp {
    "2026-03-10T12:00:00Z".parse().expect("a timestamp")
}

fn later(days: i64) -> Timestamp {
    now() + SignedDuration::from_hours(24 * days)
}

fn observation(status: &str) -> Observation {
    let party = json!({
        "emailId": PERSONAL[0], "objectId": PERSONAL[1], "tenantId": PERSONAL[2], "puid": PERSONAL[5],
    });
    serde_json::from_value(json!({
        "id": Uuid::from_u128(7), "offerId": "offer", "planId": "gold", "quantity": 5,
        "name": PERSONAL[3], "saasSubscriptionStatus": status, "beneficiary": party, "purchaser": party,
        "term": { "startDate": "2026-03-01", "endDate": "2026-04-01" },
    }))
    .expect("an observation")
}

fn observed(current: Option<&Record>, status: &str, at: Timestamp) -> Record {
    match observe(current, &observation(status), &Cause::Reconciliation, at) {
        Ok(Decision::Commit(next)) => next.record,
        other => panic!("nothing is committed: {other:?}"),
    }
}

/// A record with everything that a person may be in.
fn ended() -> Record {
    let mut record = observed(None, "PendingFulfillmentStart", now());
    let fields = [("name".to_owned(), PERSONAL[4].to_owned())].into();
    let sign_up =
        SignUp { contact_email: PERSONAL[0].to_owned(), fields, language: "sv".to_owned() };
    let Decision::Commit(next) = record.keep_sign_up(&sign_up, now()) else { panic!("kept") };
    record = observed(Some(&next.record), "Subscribed", now());
    let mut stored = json!(observed(Some(&record), "Unsubscribed", now()));
    let ruling = json!({ "verdict": "reject", "by": "product", "reason": PERSONAL[6] });
    stored["claim"] = json!({ "state": "claimed", "role": "purchaser", "rule": "tenant", "at": now(),
        "account": { "tenantId": PERSONAL[2], "objectId": PERSONAL[1] } });
    stored["bound"] = json!({ "role": "purchaser", "rule": "tenant", "at": now() });
    stored["ownRequests"] = json!([{ "action": "ChangePlan", "planId": "gold", "at": now(),
        "requester": { "by": "buyer", "account": { "tenantId": PERSONAL[2], "objectId": PERSONAL[1] } },
        "decision": ruling }]);
    stored["pendingOperation"] = json!({ "id": Uuid::from_u128(3), "action": "ChangePlan",
        "since": now(), "decision": ruling });
    serde_json::from_value(stored).expect("a record")
}

fn assert_has_no_people(value: &Value) {
    let text = value.to_string().to_lowercase();
    for person in PERSONAL {
        assert!(!text.contains(&person.to_lowercase()), "{person} is in {text}");
    }
}

fn erased() -> (Record, Record) {
    let before = ended();
    let cause = Cause::Management { principal: None };
    let Decision::Commit(next) = before.erase(&cause, later(8)) else { panic!("not erased") };
    assert!(next.has_new_search_terms);
    let [event] = &next.events[..] else { panic!("one event") };
    assert_eq!((&event.kind, &event.before), (&EventKind::PersonalDataErased, &None));
    assert_eq!(
        (event.version, &event.subscription),
        (next.record.version, &next.record.subscription)
    );
    assert_has_no_people(&json!(event));
    (before, next.record)
}

#[test]
fn an_erased_record_keeps_what_was_bought_and_no_people() {
    let (before, after) = erased();
    assert!(PERSONAL.iter().all(|person| json!(before).to_string().contains(person)), "{before:?}");
    assert_has_no_people(&json!(after));
    assert_eq!(after.version, before.version + 1);
    let kept = Subscription {
        name: before.subscription.name.clone(),
        beneficiary: before.subscription.beneficiary.clone(),
        purchaser: before.subscription.purchaser.clone(),
        ..after.subscription.clone()
    };
    assert_eq!(kept, before.subscription);
    assert_eq!((after.erased_at, after.is_erasing()), (Some(later(8)), true));
    assert_eq!(after.work_due(), Some(later(8)), "it has to be completed");
    let Decision::Commit(done) = after.finish_erasure(later(8)) else { panic!("not finished") };
    assert_eq!((done.record.is_erased(), done.record.is_erasing()), (true, false));
    assert_eq!(done.record.work_due(), None);
    assert_eq!((done.events.len(), done.has_new_search_terms), (0, false));
    let stored: Record = serde_json::from_value(json!(after)).expect("a record");
    assert_eq!(stored, after);
    assert_eq!(done.record.erase(&Cause::Reconciliation, later(9)), Decision::Unchanged);
    assert_eq!(done.record.finish_erasure(later(9)), Decision::Unchanged);
}

#[test]
fn no_observation_brings_anything_back() {
    let (_, after) = erased();
    for status in ["Unsubscribed", "Subscribed", "Suspended", "PendingFulfillmentStart", "New"] {
        let decided = observe(Some(&after), &observation(status), &Cause::Landing, later(9));
        assert_eq!(decided, Ok(Decision::Unchanged), "{status}");
    }
}

#[test]
fn data_is_erased_only_after_the_end_and_seven_days() {
    for status in ["PendingFulfillmentStart", "Subscribed", "Suspended"] {
        let record = observed(None, status, now());
        assert_eq!(record.may_be_erased(later(100)), Err(ErasureRefused::NotEnded), "{status}");
        let decided = record.erase(&Cause::Reconciliation, later(100));
        assert_eq!(decided, Decision::Stale(Staleness::Impossible), "{status}");
    }
    let record = ended();
    let possible_at = later(7);
    for early in [now(), possible_at - SignedDuration::from_secs(1)] {
        let refused = record.may_be_erased(early);
        assert_eq!(refused, Err(ErasureRefused::TooEarly { possible_at }), "{early}");
    }
    assert_eq!(record.may_be_erased(possible_at), Ok(()));
}

#[test]
fn an_event_keeps_what_happened_and_no_people() {
    let requester = json!({ "by": "buyer",
        "account": { "tenantId": PERSONAL[2], "objectId": PERSONAL[1] } });
    let stored = json!(ended());
    let event: Event = serde_json::from_value(json!({
        "subscriptionId": Uuid::from_u128(7), "version": 3, "index": 1,
        "type": "PlanChanged", "from": "silver", "to": "gold", "recordedAt": now(),
        "cause": { "by": "webhook", "action": "ChangePlan", "operationId": Uuid::from_u128(3),
                   "source": "Partner", "requester": requester },
        "before": stored["subscription"], "subscription": stored["subscription"],
        "signUp": stored["signUp"], "correlationId": Uuid::from_u128(9),
        "decision": { "verdict": "accept", "by": "product", "reason": PERSONAL[6] },
    }))
    .expect("an event");
    let kept = event.without_people();
    assert_has_no_people(&json!(kept));
    assert_eq!(kept.without_people(), kept);
    let mut expected = json!(event);
    for subscription in ["before", "subscription"] {
        let members = expected[subscription].as_object_mut().expect("an object");
        members.remove("name");
        for party in ["beneficiary", "purchaser"] {
            members.insert(party.to_owned(), json!({}));
        }
    }
    let members = expected.as_object_mut().expect("an object");
    members.remove("signUp");
    members["decision"].as_object_mut().expect("an object").remove("reason");
    members["cause"]["requester"]["account"] =
        json!({ "tenantId": uuid!("00000000-0000-0000-0000-000000000000") });
    assert_eq!(json!(kept), expected);
}

#[test]
fn an_erasure_is_repeated_in_a_table_that_has_forgotten_it() {
    let (_, tombstone) = erased();
    let again = |current: Option<&Record>| {
        Record::erase_again(current, &tombstone, &Cause::Reconciliation, later(20))
    };
    let active = observed(None, "Subscribed", now());
    for current in [None, Some(&active), Some(&ended())] {
        let Decision::Commit(next) = again(current) else { panic!("not erased") };
        assert_has_no_people(&json!(next.record));
        assert_has_no_people(&json!(next.events));
        assert_eq!(next.record.subscription, tombstone.subscription);
        assert_eq!(next.record.version, current.map_or(0, |record| record.version) + 1);
        assert_eq!((next.record.erased_at, next.record.is_erasing()), (Some(later(8)), true));
        assert_eq!(next.events.len(), 1);
        assert_eq!(again(Some(&next.record)), Decision::Unchanged);
    }
}

#[test]
fn erased_annotations_follow_any_and_hold_nothing() {
    let current: Annotations = serde_json::from_value(json!({
        "reference": PERSONAL[4], "metadata": { "contact": PERSONAL[0] }, "revision": 4,
        "referenceRevision": 2, "changedAt": now(), "changedBy": "arn:aws:iam::1:role/shop",
        "notes": [{ "id": Uuid::from_u128(1), "at": now(), "by": PERSONAL[4], "text": PERSONAL[6] }],
    }))
    .expect("annotations");
    for (current, revision) in [(None, 1), (Some(&current), 5)] {
        let erased = Annotations::erased(current, later(8));
        assert_has_no_people(&json!(erased));
        assert_eq!((erased.revision, erased.has_new_reference()), (revision, true));
        assert_eq!(erased.search_term(), None);
    }
}
