//! What the golden items of today's version hold: every member there is, and as few as possible.

use shared::domain::{Account, Annotations, Event, EventKind, Position, Record};
use shared::store::{
    Attempt, CatchUp, CheckOutcome, Checkpoint, Cursor, CursorState, Erasure, EventFilter,
    FilterInUse, FirstStart, IdempotencyRecord, IdempotencyStore, LeftOpen, Part, Pause, QuietRuns,
    ReceiverState, Refusals as _, Refused, Round, Run, RunEnd, SentRequest, Sighting, StoredOffers,
    StoredResponse, Target, Trouble,
};

use super::*;
use crate::delivery_schemas::every_kind;
use crate::store::examinations::examination;
use crate::store::idempotency::dynamodb;
use crate::store::runs::findings;

/// A restore at noon.
const EPOCH: u64 = 1_773_144_000_123;

const NOON: &str = "2026-03-10T12:00:00.1234567Z";

/// Writes items of every kind, through every port of the table.
pub(super) async fn write(table: &Table) {
    let events = every_kind().into_iter().enumerate();
    let events = events.map(|(index, kind)| complete_event(index, &kind)).collect();
    // The digest of the values below is another one, so their search items are written.
    let complete = NextVersion::of(read(complete_record()), events);
    let bare = NextVersion::of(read(bare_record()), vec![read(bare_event())]);
    let outcomes = [
        OperationOutcome::Accepted,
        OperationOutcome::Rejected,
        OperationOutcome::Followed,
        OperationOutcome::Noticed,
    ];
    let mut marks = (1..).zip(outcomes).map(|(number, outcome)| Mark { outcome, ..mark(number) });
    commit(table, id(1), &marked(Some(&complete), &marks.next().expect("four"))).await;
    commit(table, id(2), &unmarked(&bare)).await;
    commit(table, id(3), &unmarked(&NextVersion::of(read(ended_record()), Vec::new()))).await;
    let tombstone = NextVersion::of(read(tombstone()), Vec::new());
    commit(table, id(4), &unmarked(&tombstone)).await;
    let erasure = Erasure { subscription: id(4), erased_at: noon() };
    table.erasures.list_erasure(&erasure).await.expect("the erasure is listed");
    for mark in marks {
        commit(table, id(1), &marked(None, &mark)).await;
    }
    for (number, target, cursor) in cursors() {
        let saved = table.outbox.save_cursor(id(number), target, &cursor).await;
        saved.expect("the cursor is saved");
    }
    for (number, annotations) in annotations() {
        let saved = table.annotations.save_annotations(id(number), &annotations).await;
        saved.expect("the annotations are saved");
    }
    for (number, attempt) in attempts() {
        let saved = table.attempts.save_attempt(id(number), &attempt).await;
        saved.expect("the attempt is saved");
    }
    let requests = dynamodb(table);
    for (key, request) in requests_with_keys() {
        let begun = IdempotencyRecord { response: None, ..request.clone() };
        requests.begin(key, &begun).await.expect("the key is free");
        if request.response.is_some() {
            requests.complete(key, &request).await.expect("the request is stored");
        }
    }
    let checkpoint = Checkpoint {
        next: Some(r#"[{"token":"+RID:x==","range":{"min":"","max":"FF"}}]"#.to_owned()),
        pages: 7,
        landmark: Some("token".to_owned()),
        examined: 613,
        repaired: 2,
        failed: 1,
        stuck: 1,
        left: 3,
        due: 5,
        due_after: Some("2026-03-10T12:02:00Z#key SUB#id RECORD".to_owned()),
        begun_at: Some(noon()),
        last_round: Some(Round { begun_at: noon(), ended_at: noon() }),
        revision: 1,
        saved_by: Some(Uuid::from_u128(5)),
        part: Some(Part::List),
        begun_anew: true,
        unseen: 17,
        unlisted: 4,
        unseen_after: Some(format!("lastChange 2026-03-10T12:00:00.000000000Z#{}", id(1))),
        findings: findings(),
        quiet_runs: Some(QuietRuns {
            count: 3,
            since: noon(),
            last_begun_at: noon(),
            last_ended_at: noon(),
        }),
        left_open: Some(LeftOpen { since: noon(), differences: findings().differences, more: 7 }),
    };
    table.checkpoints.save_checkpoint(&checkpoint).await.expect("the checkpoint is saved");
    table.checkpoints.note_compared(&[id(1)], noon()).await.expect("the note is stored");
    table.runs.save_dry_run(&checkpoint).await.expect("the dry run is saved");
    for dry_run in [true, false] {
        let run = Run::of(&checkpoint, RunEnd::List, dry_run, noon());
        table.runs.save_run(&run).await.expect("the run is saved");
    }
    let by = Some("arn:aws:iam::123456789012:role/ops".to_owned());
    let pause = Pause { since: noon(), note: "Microsoft repairs its list".to_owned(), by };
    table.runs.save_pause(Some(&pause)).await.expect("the pause is saved");
    let account = Account { tenant_id: Uuid::from_u128(10), object_id: Some(Uuid::from_u128(1)) };
    for refused in
        [Refused::purchase_token(&account, "a token"), Refused::sign_in_code("a state", "a code")]
    {
        requests.remember(&refused, noon()).await.expect("the refusal is stored");
    }
    table.restoration.begin_epoch(EPOCH).await.expect("the first epoch");
    let webhook = Sighting::Webhook { host: "signup.example.com".to_owned() };
    for sighting in [webhook, Sighting::Sweep] {
        table.sightings.note(&sighting, noon()).await.expect("a note");
    }
    let first = FirstStart { started_at: noon(), imported_at: Some(noon()) };
    table.checkpoints.save_first_start(&first).await.expect("there was none");
    for (target, length) in Target::UNNAMED.into_iter().zip([1, 3_600_000_000_001]) {
        let length = SignedDuration::from_nanos(length);
        let reserved = table.pacing.reserve(target, noon(), Timestamp::MAX, length).await;
        assert_eq!(reserved.expect("the table answers"), Some(noon()));
    }
    for (target, state) in receivers() {
        table.receivers.save_receiver(target, &state).await.expect("the receiver is new");
    }
    let offers = crate::offers::complete().as_object().expect("an object").clone();
    table.offers.save_offers(&StoredOffers { revision: 1, offers }).await.expect("the first ones");
    let examination = examination(CheckOutcome::Warning);
    table.examinations.save_examination(&examination).await.expect("saved");
    let test = Event::test(
        EventKind::Test,
        Some("arn:aws:iam::123456789012:role/ops".to_owned()),
        None,
        noon(),
    );
    let test = Event { only_receiver: Some("crm".to_owned()), ..test };
    table.inspection.record_test(&test).await.expect("a test event");
}

async fn commit(table: &Table, id: SubscriptionId, commit: &Commit) {
    table.store.commit(id, commit).await.expect("committed");
}

fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("it can be read")
}

fn complete_subscription() -> Value {
    let party = |number: u128| {
        json!({
            "emailId": format!("person{number}@contoso.example"), "puid": format!("1003{number}"),
            "objectId": Uuid::from_u128(number), "tenantId": Uuid::from_u128(10),
        })
    };
    json!({
        "id": id(1), "publisherId": "fabrikam", "offerId": "per-seat-1", "name": "Fabrikam Cloud",
        "saasSubscriptionStatus": "Subscribed", "planId": "team", "quantity": 40,
        "term": { "termUnit": "P1Y", "startDate": "2026-03-04T00:00:00Z",
                  "endDate": "2027-03-03T00:00:00Z", "chargeDuration": "P1M" },
        "beneficiary": party(1), "purchaser": party(2), "autoRenew": true, "isFreeTrial": false,
        "isTest": true, "allowedCustomerOperations": ["Read", "Update", "Delete"],
        "created": "2026-03-04T09:30:00.1234567Z",
    })
}

fn sign_up() -> Value {
    let fields = json!({ "company": "Contoso AB" });
    json!({ "contactEmail": "orders@contoso.example", "fields": fields, "language": "sv" })
}

fn ruling() -> Value {
    json!({ "verdict": "reject", "by": "product", "reason": "40 seats are too many for that plan" })
}

fn requester() -> Value {
    let account = json!({ "tenantId": Uuid::from_u128(10), "objectId": Uuid::from_u128(1) });
    json!({ "by": "buyer", "account": account })
}

fn operation(number: u128) -> Uuid {
    Uuid::from_u128(0x0b00 + number)
}

fn complete_record() -> Value {
    json!({
        "subscription": complete_subscription(), "version": EPOCH + 1,
        "epoch": EPOCH, "unconfirmed": true, "updatedAt": NOON, "changedAt": NOON,
        "statusSince": NOON, "activation": { "state": "awaitsMicrosoft", "since": NOON },
        "pendingOperation": { "id": operation(1), "action": "ChangePlan", "since": NOON,
                              "decision": ruling() },
        "ownRequests": [
            { "action": "ChangePlan", "planId": "team", "requester": requester(),
              "decision": ruling(), "at": NOON, "operationId": operation(1) },
            { "action": "ChangeQuantity", "quantity": 40, "at": NOON,
              "requester": { "by": "publisher", "principal": "arn:aws:iam::123456789012:role/shop" } },
        ],
        "deadlineAnnounced": true,
        "bound": { "role": "purchaser", "rule": "tenantAndObject", "at": NOON },
        "decision": { "verdict": "accept", "by": "publisher", "reason": "a known customer",
                      "principal": "arn:aws:iam::123456789012:role/staff", "at": NOON },
        "claim": { "state": "claimed", "role": "purchaser", "rule": "tenantAndObject", "at": NOON,
                   "account": { "tenantId": Uuid::from_u128(4), "objectId": Uuid::from_u128(3) } },
        "signUp": sign_up(),
        "seenPlan": { "planId": "basic", "displayName": "Basic", "isOfPrivateOffer": true },
        "superseded": [{ "at": NOON, "held": {
            "status": "Suspended", "planId": "basic", "quantity": 30,
            "termStart": "2026-03-04T00:00:00Z", "termEnd": "2026-04-03T00:00:00Z",
        } }],
        "settled": [{ "id": operation(2), "seenAt": NOON }],
        "searchDigest": "of-other-values",
    })
}

/// A purchase of which Microsoft says as little as it may.
fn bare_record() -> Value {
    json!({
        "subscription": { "id": id(2), "offerId": "flat-rate-1", "planId": "silver",
                          "saasSubscriptionStatus": "PendingFulfillmentStart" },
        "version": 1, "updatedAt": NOON,
        "activation": { "state": "awaitsPublisher", "since": NOON },
    })
}

fn ended_record() -> Value {
    json!({
        "subscription": { "id": id(3), "offerId": "flat-rate-1", "planId": "silver",
                          "saasSubscriptionStatus": "Unsubscribed" },
        "version": 1, "updatedAt": NOON, "changedAt": NOON,
    })
}

/// A record without people.
fn tombstone() -> Value {
    json!({
        "subscription": { "id": id(4), "offerId": "flat-rate-1", "planId": "silver",
                          "saasSubscriptionStatus": "Unsubscribed", "term": {}, "beneficiary": {},
                          "purchaser": {}, "isFreeTrial": false },
        "version": 1, "updatedAt": NOON, "changedAt": NOON, "deadlineAnnounced": false,
        "erasedAt": NOON, "erasing": true,
    })
}

fn bare_event() -> Value {
    json!({
        "subscriptionId": id(2), "version": 1, "index": 0, "type": "Purchased",
        "cause": { "by": "reconciliation" }, "recordedAt": NOON,
        "subscription": bare_record()["subscription"],
    })
}

fn complete_event(index: usize, kind: &EventKind) -> Event {
    let mut event = json!(kind);
    let causes = [
        json!({ "by": "landing" }),
        json!({ "by": "activation", "principal": "arn:aws:iam::123456789012:role/shop" }),
        json!({ "by": "webhook", "action": "ChangePlan", "operationId": operation(1),
                "source": "Azure", "requester": requester() }),
        json!({ "by": "management", "principal": "arn:aws:iam::123456789012:role/shop" }),
        json!({ "by": "reconciliation" }),
    ];
    let common = json!({
        "subscriptionId": id(1), "version": 1, "index": index, "recordedAt": NOON,
        "cause": causes[index % causes.len()], "before": complete_subscription(),
        "subscription": complete_subscription(), "signUp": sign_up(), "decision": ruling(),
        "unclaimed": true, "correlationId": Uuid::from_u128(5),
    });
    for (name, value) in common.as_object().expect("an object") {
        event[name] = value.clone();
    }
    read(event)
}

fn crm() -> Target {
    "crm".parse().expect("a name")
}

fn receivers() -> [(Target, ReceiverState); 2] {
    let paused = Pause { since: noon(), note: "it moves".to_owned(), by: Some("ann".to_owned()) };
    let catch_up = CatchUp { due_at: noon(), since: noon(), next: Some("a place".to_owned()) };
    let words = |word: &str| Some([word.to_owned()].into());
    let filter = EventFilter {
        event_types: words("saas-fulfillment.subscription.renewed.v1"),
        offers: words("per-seat-1"),
    };
    let complete = ReceiverState {
        missing_since: Some(noon()),
        catch_up: Some(catch_up),
        paused: Some(paused),
        filters: vec![FilterInUse { until: Some(noon()), ..FilterInUse::new(filter, noon()) }],
        ..ReceiverState::added(noon(), None)
    };
    let bare = ReceiverState { revision: 1, ..ReceiverState::default() };
    [(crm(), complete), (Target::EventBus, bare)]
}

fn cursors() -> [(usize, Target, Cursor); 5] {
    let at = noon();
    let trouble = Trouble { since: at, attempts: 3, last: "503 Service Unavailable".to_owned() };
    let cursor = |state| Cursor {
        revision: 1,
        delivered: Position { version: 1, index: 2 },
        state,
        ..Cursor::default()
    };
    let due = |trouble| cursor(CursorState::Due { at, trouble });
    [
        (1, Target::Endpoint, due(Some(trouble.clone()))),
        (1, Target::EventBus, cursor(CursorState::Flowing)),
        (2, Target::Endpoint, cursor(CursorState::Parked { at, trouble })),
        (2, Target::EventBus, due(None)),
        (2, crm(), Cursor { receiver_added_at: Some(at), saved_at: Some(at), ..due(None) }),
    ]
}

fn attempts() -> [(usize, Attempt); 3] {
    let refused = Attempt {
        at: noon(),
        receiver: "endpoint".to_owned(),
        event_id: format!("{}-1-0", id(1)),
        event_type: "saas-fulfillment.subscription.purchased.v1".to_owned(),
        status: Some(503),
        latency_ms: 118,
        reason: Some("answered 503".to_owned()),
        class: Some("product".to_owned()),
        answer: Some("the queue is full".to_owned()),
        request: None,
    };
    let unanswered = Attempt {
        receiver: "event-bus".to_owned(),
        status: None,
        reason: Some("the bus: no answer".to_owned()),
        answer: None,
        ..refused.clone()
    };
    let headers = [("webhook-id".to_owned(), "1".to_owned())].into();
    let accepted = Attempt {
        status: Some(204),
        reason: None,
        class: None,
        answer: None,
        request: Some(SentRequest { headers, body: "{}".to_owned() }),
        ..refused.clone()
    };
    [(1, refused), (2, unanswered), (3, accepted)]
}

fn complete_annotations() -> Value {
    json!({
        "reference": "C-4711", "metadata": { "region": "eu-north", "seller": "Adele" },
        "notes": [{
            "id": "0b0c0d0e-0000-8000-8000-000000000001", "at": NOON, "text": "Renewal talks in May",
            "by": "console: Olof Operator (8f4b3c1e-0000-4000-8000-000000000002)",
        }],
        "revision": 1, "referenceRevision": 1, "changedAt": NOON, "changedBy": "arn:aws:iam::123456789012:role/shop",
    })
}

fn annotations() -> [(usize, Annotations); 2] {
    [(1, read(complete_annotations())), (2, read(json!({ "revision": 1, "changedAt": NOON })))]
}

fn requests_with_keys() -> [(&'static str, IdempotencyRecord); 2] {
    let request = format!("DELETE {}", id(1));
    let begun = IdempotencyRecord { request, begun_at: noon(), response: None };
    let response = StoredResponse {
        status: 202,
        headers: vec![("retry-after".to_owned(), "10".to_owned())],
        body: r#"{"operationId":null}"#.to_owned(),
    };
    let completed = IdempotencyRecord { response: Some(response), ..begun.clone() };
    [("begun", begun), ("completed", completed)]
}

/// The bodies in the files are what these values are.
#[test]
fn the_complete_values_lack_no_member() {
    let record = complete_record();
    assert_eq!(json!(read::<Record>(record.clone())), record);
    assert_eq!(json!(read::<Record>(tombstone())), tombstone());
    let annotations = complete_annotations();
    assert_eq!(json!(read::<Annotations>(annotations.clone())), annotations);
    for (index, kind) in every_kind().iter().enumerate() {
        let event = json!(complete_event(index, kind));
        for member in ["before", "signUp", "decision", "correlationId"] {
            assert!(event[member].is_object() || event[member].is_string(), "{member}");
        }
    }
}
