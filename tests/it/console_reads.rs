//! What each page of the console reads of the table, with a thousand and with a hundred thousand
//! subscriptions.
//!
//! A read is one page of an index or of a partition, or one batch of up to a hundred items. An index that is
//! spread over several partition keys is asked at all of them at the same time, which is one read. Lists of
//! one index that are asked for at the same time count as one read together.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use azure_custom_handler::Functions;
use bytes::Bytes;
use emulator::Purchase;
use http::{Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use local::Options;
use memory_dynamodb::{Behaviour, DynamoDb, Item, Value};
use serde_json::json;
use shared::config::{Dependencies, Microsoft, table};
use shared::domain::{
    Annotations, Cause, Decision, Event, EventKind, NextVersion, Observation, Record,
    SubscriptionId, observe,
};
use shared::host::clock::Clock;
use shared::host::environment::Environment;
use shared::host::http::{Handler, Request};
use shared::host::http_client::{HttpClient, SendError, Transport};
use shared::store::{
    AnnotationStore, Checkpoint, Checkpoints, Commit, Cursor, CursorState, Difference,
    DynamoDbStore, FirstStart, Inspection, Outbox, Outcome, ReceiverState, Receivers, Run, RunEnd,
    Runs, Store, Target, Trouble,
};
use uuid::Uuid;

use crate::console_env::{ADMIN, Desk};
use crate::delivery_product::KEY;
use crate::test_env::TestEnv;

const FEW: usize = 1_000;
const MANY: usize = 100_000;

/// More than any page shows.
const SHOWN: usize = 45;

/// The bytes of a hundred entries under each partition key, and of the records that these name.
const FULL_PAGES: usize = 400_000;

/// The most reads of a page.
const MOST_READS: usize = 3;

/// A request to the table.
struct Asked {
    /// What it reads: a batch, an index with the kind of its entries, or a kind of items.
    list: String,
    /// The partition key that it asks.
    key: String,
    bytes: usize,
}

/// The way to Microsoft, and to a table in memory.
struct Counted {
    table: Mutex<DynamoDb>,
    asked: Mutex<Vec<Asked>>,
    beyond: HttpClient,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Counted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Counted")
    }
}

#[async_trait]
impl Transport for Counted {
    async fn send(
        &self,
        request: http::Request<Bytes>,
        timeout: Duration,
    ) -> Result<http::Response<Bytes>, SendError> {
        let Some(target) = request.headers().get("x-amz-target") else {
            return self.beyond.send(request, timeout).await;
        };
        let operation = target.to_str().expect("text").rsplit('.').next().expect("a name");
        let now = self.clock.now();
        let answer = self.table.lock().expect("no test panicked").answer(&request, now, true);
        assert_eq!(answer.wrong, None, "{:?}", request.body());
        let bytes = answer.looked_at.max(answer.body.len());
        let asked = asked(operation, request.body(), bytes);
        self.asked.lock().expect("no test panicked").push(asked);
        Ok(http::Response::builder().status(answer.status).body(answer.body)?)
    }
}

/// Groups lists of one index that a page asks for at the same time into one read: the work and the parked
/// deliveries of `by-due`, for Needs you.
fn asked(operation: &str, body: &Bytes, bytes: usize) -> Asked {
    let body: serde_json::Value = serde_json::from_slice(body).expect("JSON");
    let value = |name: &str| {
        let value = &body["ExpressionAttributeValues"][name]["S"];
        value.as_str().unwrap_or_default().to_owned()
    };
    let kind = |text: &str| text.split('#').next().unwrap_or_default().to_owned();
    let (list, key) = match (operation, body["IndexName"].as_str()) {
        ("Query", Some("by-due")) if kind(&value(":key")) == "WORK" => {
            ("by-due PARKED".to_owned(), value(":key"))
        }
        // Each text has a key of its own.
        ("Query", Some("by-search")) => ("by-search".to_owned(), value(":key")),
        ("Query", Some(index)) => (format!("{index} {}", kind(&value(":key"))), value(":key")),
        ("Query", None) => (kind(&value(":from")), value(":pk")),
        (other, index) => (format!("{other} {}", index.unwrap_or_default()), String::new()),
    };
    Asked { list, key, bytes }
}

/// What a page has read.
#[derive(Debug, PartialEq)]
struct Cost {
    /// How many reads of each list.
    reads: BTreeMap<String, usize>,
    requests: usize,
    bytes: usize,
}

impl Cost {
    fn of(asked: &[Asked]) -> Self {
        let mut by_key = BTreeMap::<_, usize>::new();
        for asked in asked {
            *by_key.entry((&asked.list, &asked.key)).or_default() += 1;
        }
        let mut reads = BTreeMap::new();
        for ((list, _), times) in by_key {
            let most = reads.entry(list.clone()).or_default();
            *most = times.max(*most);
        }
        let bytes = asked.iter().map(|asked| asked.bytes).sum();
        Self { reads, requests: asked.len(), bytes }
    }

    /// Each list as often as it was read.
    fn lists(&self) -> Vec<&str> {
        let lists = self.reads.iter();
        lists.flat_map(|(list, times)| std::iter::repeat_n(list.as_str(), *times)).collect()
    }

    fn reads(&self) -> usize {
        self.reads.values().sum()
    }
}

/// The console beside a table in memory.
struct Desktop {
    console: Arc<dyn Handler>,
    wire: Arc<Counted>,
    cookies: String,
    host: String,
}

impl Desktop {
    /// `cookies`: those of a session at the environment's own console.
    fn new(env: &TestEnv, cookies: String) -> (Self, Arc<DynamoDbStore>) {
        let variables = env.system.variables.clone();
        let name = variables["TABLE_NAME"].clone();
        let clock = env.system.clock.clone();
        let wire = Arc::new(Counted {
            table: Mutex::new(DynamoDb::new(&name, Behaviour::default(), 0)),
            asked: Mutex::default(),
            beyond: HttpClient::default(),
            clock: clock.clone(),
        });
        let environment = Environment::from_fn(move |name| variables.get(name).cloned());
        let transport: Arc<dyn Transport> = wire.clone();
        let table = table(&environment, &transport, clock.clone()).expect("settings");
        let dependencies = Dependencies {
            microsoft: Microsoft::read(&environment, &transport).expect("settings"),
            store: table.clone(),
            checkpoints: table.clone(),
            due_work: table.clone(),
            runs: table.clone(),
            refusals: table.clone(),
            sightings: table.clone(),
            erasures: table.clone(),
            outbox: table.clone(),
            receiver_states: table.clone(),
            annotations: table.clone(),
            offer_settings: table.clone(),
            transport,
            clock,
        };
        let functions = Functions::new(&environment, &dependencies).expect("settings");
        let console = functions.console.expect("a console");
        let host = env.system.console_url().expect("a console").to_owned();
        (Self { console, wire, cookies, host }, table)
    }

    async fn cost_of(&self, path: &str) -> Cost {
        self.wire.asked.lock().expect("no test panicked").clear();
        let request = http::Request::builder()
            .method(Method::GET)
            .uri(format!("{}{path}", self.host))
            .header("cookie", &self.cookies);
        let request: Request = request.body(Bytes::new()).expect("a request");
        let answer = self.console.handle(request).await;
        let body = String::from_utf8_lossy(answer.body()).into_owned();
        assert_eq!(answer.status(), StatusCode::OK, "{path}: {body}");
        assert!(!body.contains("can't be read"), "{path}: {body}");
        Cost::of(&self.wire.asked.lock().expect("no test panicked"))
    }
}

/// The subscriptions that pages show have the lowest ids, the others follow.
fn id(number: usize) -> SubscriptionId {
    SubscriptionId(Uuid::from_u128(number as u128 + 1))
}

fn observed(id: SubscriptionId, status: &str, seats: u64) -> Observation {
    let observed = json!({
        "id": id, "offerId": "per-seat-1", "planId": "team", "quantity": seats, "name": "Fleet",
        "saasSubscriptionStatus": status, "beneficiary": { "emailId": "adele@contoso.example" },
        "term": { "endDate": "2026-04-01T00:00:00Z" },
    });
    serde_json::from_value(observed).expect("an observation")
}

fn change(current: Option<&Record>, observed: &Observation, now: Timestamp) -> NextVersion {
    match observe(current, observed, &Cause::Reconciliation, now) {
        Ok(Decision::Commit(change)) => change,
        other => panic!("nothing to commit: {other:?}"),
    }
}

async fn commit(store: &dyn Store, change: &NextVersion) {
    let commit = Commit { next: Some(change.clone()), mark: None };
    store.commit(change.record.id(), &commit).await.expect("committed");
}

/// Items as the index of what they are in holds them, behind those that pages show. A page reads none of their
/// records.
fn filler(number: usize, now: Timestamp) -> [Item; 2] {
    let id = Uuid::from_u128((0xf << 124) + number as u128);
    let shard = number % 8;
    let last = |at: Timestamp| format!("{at:.9}#{id}");
    let text = |value: &str| Value::S(value.to_owned());
    let key = |sort: &str| {
        [("pk", text(&format!("SUB#{id}"))), ("sk", text(sort))]
            .map(|(name, value)| (name.to_owned(), value))
    };
    let due = |kind: &str, sort: &str| {
        let at = now - SignedDuration::from_mins(1);
        let at = at.strftime("%Y-%m-%dT%H:%M:%SZ");
        [
            ("outbox", text(&format!("{kind}#{shard}"))),
            ("due_at", text(&format!("{at}#{id}#{sort}"))),
        ]
        .map(|(name, value)| (name.to_owned(), value))
    };
    // A fifth of them each waits for its activation, has work, waits for a receiver, or is parked.
    let kind = number / 8 % 5;
    let status = if kind == 0 { "PendingFulfillmentStart" } else { "Subscribed" };
    let mut record = Item::from(key("RECORD"));
    for (name, value) in [
        ("status", status.to_owned()),
        ("offer_id", "per-seat-1".to_owned()),
        ("subscription_id", id.to_string()),
        ("listed", format!("RECORD#{shard}")),
        ("last_change", last(now - SignedDuration::from_hours(24 * 300))),
        ("term_end", last(now + SignedDuration::from_hours(24 * 300))),
    ] {
        record.insert(name.to_owned(), Value::S(value));
    }
    let mut cursor = Item::from(key("DELIVERY#endpoint"));
    match kind {
        1 => record.extend(due("WORK", "RECORD")),
        2 => cursor.extend(due("DUE", "DELIVERY#endpoint")),
        3 => cursor.extend(due("PARKED", "DELIVERY#endpoint")),
        _ => {}
    }
    [record, cursor]
}

/// What the pages show. Returns the id of a test event.
async fn fill(store: &DynamoDbStore, subject: SubscriptionId, now: Timestamp) -> String {
    let long_ago = now - SignedDuration::from_hours(24 * 20);
    let crm = "crm".parse().expect("a name");
    let added = ReceiverState::added(long_ago, Some(long_ago));
    store.save_receiver(crm, &added).await.expect("saved");
    for number in 0..SHOWN {
        let since = long_ago + SignedDuration::from_mins(i64::try_from(number).expect("few"));
        let trouble = Trouble { since, attempts: 9, last: "answered 503".to_owned() };
        let pending =
            |number| change(None, &observed(id(number), "PendingFulfillmentStart", 5), since);
        commit(store, &pending(number)).await;
        let overdue = pending(100 + number);
        commit(store, &overdue).await;
        let Decision::Commit(begun) = overdue.record.begin_activation(since) else {
            panic!("an activation begins")
        };
        commit(store, &begun).await;
        for (number, state) in [
            (200 + number, CursorState::Parked { at: since, trouble: trouble.clone() }),
            (300 + number, CursorState::Due { at: since, trouble: Some(trouble) }),
        ] {
            commit(store, &change(None, &observed(id(number), "Subscribed", 5), since)).await;
            store.settle(id(number), &BTreeSet::from([1])).await.expect("settled");
            let cursor = Cursor { revision: 1, state, ..Cursor::default() };
            store.save_cursor(id(number), Target::Endpoint, &cursor).await.expect("saved");
        }
    }
    let mut current = change(None, &observed(subject, "Subscribed", 1), long_ago);
    commit(store, &current).await;
    for seats in 2..=120 {
        let at = long_ago + SignedDuration::from_hours(i64::try_from(seats).expect("few"));
        current = change(Some(&current.record), &observed(subject, "Subscribed", seats), at);
        commit(store, &current).await;
    }
    let noted = Annotations {
        reference: Some("C-4711".to_owned()),
        ..serde_json::from_value(json!({ "revision": 1, "referenceRevision": 1, "changedAt": now }))
            .expect("annotations")
    };
    store.save_annotations(subject, &noted).await.expect("saved");
    let mut checkpoint = Checkpoint::default();
    checkpoint.begin(now);
    for number in 0..SHOWN {
        let difference = Difference::new(id(number), None).ended(Outcome::Left, "settling");
        checkpoint.findings.add(difference);
        checkpoint.left += 1;
        let begun_at = now - SignedDuration::from_hours(1 + i64::try_from(number).expect("few"));
        let run = Run::of(&checkpoint, RunEnd::List, false, begun_at);
        store.save_run(&Run { begun_at, ..run }).await.expect("saved");
    }
    checkpoint.revision = 1;
    store.save_dry_run(&checkpoint).await.expect("saved");
    store.save_checkpoint(&checkpoint).await.expect("saved");
    let first = FirstStart { started_at: now, imported_at: None };
    store.save_first_start(&first).await.expect("saved");
    let test = Event::test(EventKind::Test, None, None, now);
    store.record_test(&test).await.expect("recorded");
    test.id()
}

/// Every page, with what it reads.
fn pages(subject: SubscriptionId, test_event: &str) -> Vec<(String, &'static [&'static str])> {
    const BATCH: &str = "BatchGetItem ";
    let one = format!("/console/subscriptions/{subject}");
    let list = |query: &str| format!("/console/subscriptions{query}");
    let mut pages = vec![
        ("/console".to_owned(), &["by-status PendingFulfillmentStart", "by-due PARKED", BATCH][..]),
        ("/console/health".to_owned(), &["GetItem "]),
        (list(""), &["Scan by-status", BATCH]),
        (list("?status=Subscribed"), &["by-status Subscribed", BATCH]),
        (list("?offer=per-seat-1"), &["by-offer per-seat-1", BATCH]),
        (list("?sort=lastChange"), &["by-change RECORD", BATCH]),
        (list("?sort=termEnd"), &["by-term-end RECORD", BATCH]),
        (list("?search=adele"), &["by-search", BATCH]),
        (list("?delivery=parked"), &["by-due PARKED", BATCH, BATCH]),
        (list("?delivery=waiting"), &["by-due DUE", BATCH, BATCH]),
        (one.clone(), &["EVENT", "ATTEMPT", BATCH]),
        (format!("{one}?until=20"), &["EVENT", "ATTEMPT", BATCH]),
        ("/console/deliveries".to_owned(), &["by-due PARKED", "by-due DUE", BATCH]),
        (format!("/console/deliveries/test-events/{test_event}"), &["EVENT", "ATTEMPT", BATCH]),
        ("/console/reconciliation".to_owned(), &["ROUND", BATCH]),
        ("/console/offers".to_owned(), &["by-change RECORD", BATCH]),
    ];
    for act in ["decline", "cancel", "refresh", "redeliver", "reference", "note"] {
        pages.push((format!("{one}/{act}"), &["GetItem "; 2]));
    }
    // Microsoft isn't asked for the plans of a subscription that has ended.
    for act in ["change-plan", "change-seats"] {
        pages.push((format!("{one}/{act}"), &["GetItem "; 3]));
    }
    for act in ["recover-parked", "recover-since", "pause?receiver=crm", "test-event"] {
        pages.push((format!("/console/deliveries/{act}"), &[]));
    }
    for act in ["run", "dry-run", "pause", "resume"] {
        pages.push((format!("/console/reconciliation/{act}"), &[]));
    }
    pages
}

#[tokio::test]
async fn a_page_is_at_most_three_reads_which_do_not_grow_with_the_subscriptions() {
    let options = Options::default()
        .with("DELIVERY_ENDPOINT", "http://127.0.0.1:9/events")
        .with("DELIVERY_SIGNING_KEY", KEY)
        .with("DELIVERY_ENDPOINTS", r#"[{"name":"crm","url":"http://127.0.0.1:9/crm"}]"#)
        .with("DELIVERY_SIGNING_KEYS", &json!({ "crm": KEY }).to_string());
    let env = TestEnv::with(options).await;
    let subject = SubscriptionId(env.active(Purchase::per_seat("team", 12)).await);
    let cookies = Desk::of(&env, ADMIN).await.cookies;
    let cookies: Vec<_> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let (desktop, store) = Desktop::new(&env, cookies.join("; "));
    let now = env.system.clock.now();
    let test_event = fill(&store, subject, now).await;

    let mut before = BTreeMap::new();
    let mut filled = 0;
    for subscriptions in [FEW, MANY] {
        {
            let mut table = desktop.wire.table.lock().expect("no test panicked");
            table.fill((filled..subscriptions).flat_map(|number| filler(number, now)));
        }
        filled = subscriptions;
        for (path, expected) in pages(subject, &test_event) {
            let cost = desktop.cost_of(&path).await;
            let mut lists = expected.to_vec();
            lists.sort_unstable();
            assert_eq!(cost.lists(), lists, "{path}");
            assert!(cost.reads() <= MOST_READS, "{path}: {cost:?}");
            if let Some(few) = before.insert(path.clone(), (cost.requests, cost.bytes)) {
                let many = (cost.requests, cost.bytes);
                // A page of a hundred under each partition key, which a thousand subscriptions don't fill.
                let few = if path.contains("?delivery=") { (few.0, FULL_PAGES) } else { few };
                assert!(many.0 <= few.0 && many.1 <= few.1, "{path}: {few:?}, then {many:?}");
            }
        }
    }
    // A filter under an order looks at a thousand entries of each of eight partition keys at the most.
    let filtered = "/console/subscriptions?sort=lastChange&status=Suspended";
    let cost = desktop.cost_of(filtered).await;
    assert_eq!(cost.lists(), ["by-change RECORD"], "none is suspended");
    assert!(cost.requests == 8 && cost.bytes <= 8 * 1000 * 400, "{cost:?}");
}
