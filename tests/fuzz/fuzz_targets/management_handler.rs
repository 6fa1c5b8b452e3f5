//! The management API, while the table and Microsoft work. The parts of an input: the request (a
//! line with method and address, headers, a body), and words that describe the subscription: a
//! status, `unrecorded`, `flat` (a flat rate), `reseller`, `busy` (an operation in progress),
//! `moved` (the plan has changed at Microsoft), `nobody` (events have no receiver).
#![no_main]

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use fuzz::schema::{Call, objection};
use fuzz::table::{Items, Table, is_write};
use fuzz::{
    ACCESS_TOKEN, DYNAMODB, ENTRA, MARKETPLACE, Message, OPERATION, SUBSCRIPTION, TENANT, Wire,
    assert_sent_to_the_marketplace_alone, dependencies, now, parts, run, status, store,
};
use http::header::{ALLOW, CONTENT_TYPE, ETAG, IF_MATCH, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri};
use jiff::SignedDuration;
use libfuzzer_sys::fuzz_target;
use management::Management;
use serde_json::{Map, Value, json};
use shared::config::ManagementSettings;
use shared::domain::{Cause, Decision, SubscriptionId, observe};
use shared::host::http::Handler;
use shared::publisher::receiver::ReceiverSettings;
use shared::store::{Commit, Store, Target};
use uuid::Uuid;

const KEY: &str = "idempotency-key";

struct Function {
    wire: Arc<Wire>,
    management: Management,
}

/// The function, with or without receivers of events.
fn function(has_receivers: bool) -> &'static Function {
    static FUNCTIONS: [OnceLock<Function>; 2] = [OnceLock::new(), OnceLock::new()];
    FUNCTIONS[usize::from(has_receivers)].get_or_init(|| {
        let wire = Wire::answering(status(StatusCode::OK));
        let (_, dependencies) = dependencies(&wire, |_| None);
        let settings = ManagementSettings {
            source: "urn:saas-fulfillment".to_owned(),
            receivers: Target::UNNAMED
                .into_iter()
                .filter(|_| has_receivers)
                .map(ReceiverSettings::of_all)
                .collect(),
            receiver_states: Arc::new(store(&wire)),
            outbox: Arc::new(store(&wire)),
            idempotency: Arc::new(store(&wire)),
            annotations: Arc::new(store(&wire)),
            attempts: Arc::new(store(&wire)),
            inspection: Arc::new(store(&wire)),
            examinations: Arc::new(store(&wire)),
            overview: Arc::new(store(&wire)),
            offers: Arc::new(store(&wire)),
            starter: None,
            erasures: Arc::new(store(&wire)),
            end: None,
            bytes: 0,
        };
        Function { management: Management::new(&dependencies, settings), wire }
    })
}

/// The state of the subscription.
struct Setup {
    subscription: Value,
    moved: Value,
    busy: bool,
    recorded: bool,
}

impl Setup {
    fn read(words: &str) -> Self {
        let words: BTreeSet<_> = words.split_whitespace().collect();
        let statuses = ["PendingFulfillmentStart", "Suspended", "Unsubscribed", "Subscribed"];
        let status = statuses.iter().find(|status| words.contains(**status));
        let mut subscription = json!({
            "id": SUBSCRIPTION, "publisherId": "northwind", "offerId": "northwind-crm",
            "name": "Sales team", "planId": "silver", "quantity": 10,
            "saasSubscriptionStatus": status.unwrap_or(&"Subscribed"),
            "term": { "termUnit": "P1M", "startDate": "2026-11-01T00:00:00Z", "endDate": "2026-11-30T00:00:00Z" },
            "beneficiary": { "emailId": "ann@buyer.example", "tenantId": TENANT },
            "allowedCustomerOperations": ["Delete", "Read", "Update"],
        });
        if words.contains("flat") {
            subscription["quantity"] = Value::Null;
        }
        if words.contains("reseller") {
            subscription["allowedCustomerOperations"] = json!(["Read"]);
        }
        let mut moved = subscription.clone();
        if words.contains("moved") {
            moved["planId"] = json!("gold");
        }
        let recorded = !words.contains("unrecorded");
        Self { subscription, moved, busy: words.contains("busy"), recorded }
    }

    /// The table's items, recorded an hour ago.
    fn items(&self) -> Items {
        if !self.recorded {
            return Items::default();
        }
        let observed = serde_json::from_value(self.subscription.clone()).expect("a subscription");
        let then = now() - SignedDuration::from_hours(1);
        let Ok(Decision::Commit(next)) = observe(None, &observed, &Cause::Landing, then) else {
            panic!("a new subscription makes a record")
        };
        let table = Arc::new(Table::default());
        let wire = {
            let table = table.clone();
            Wire::new(Box::new(move |request| table.answer(request)))
        };
        let commit = Commit { next: Some(next), mark: None };
        run(store(&wire).commit(SubscriptionId(SUBSCRIPTION), &commit)).expect("an empty table");
        table.items()
    }

    /// Microsoft's answers about the subscription.
    fn microsoft(&self) -> impl Fn(&Request<Bytes>) -> Response<Bytes> + use<> {
        let operation = json!({
            "id": OPERATION, "subscriptionId": SUBSCRIPTION, "action": "ChangeQuantity",
            "planId": "silver", "quantity": 20, "status": "InProgress",
            "operationRequestSource": "Azure", "timeStamp": "2026-11-22T11:59:58.9852975Z",
        });
        let plans = json!({ "plans": [
            { "planId": "silver", "displayName": "Silver", "minQuantity": 5, "maxQuantity": 50 },
            { "planId": "gold", "displayName": "Gold", "isPrivate": true },
        ]});
        let listed = if self.busy { vec![operation.clone()] } else { Vec::new() };
        let operations = json!({ "operations": listed });
        let subscription = self.moved.clone();
        move |request| {
            let own = format!("/api/saas/subscriptions/{SUBSCRIPTION}");
            let Some(rest) = request.uri().path().strip_prefix(&own) else {
                return status(StatusCode::NOT_FOUND);
            };
            let answer = match (request.method(), rest) {
                (&Method::GET, "") => &subscription,
                (&Method::GET, "/listAvailablePlans") => &plans,
                (&Method::GET, "/operations") => &operations,
                (&Method::GET, rest) if rest == format!("/operations/{OPERATION}") => &operation,
                (&Method::PATCH | &Method::DELETE, "") => return accepted(),
                _ => return status(StatusCode::NOT_FOUND),
            };
            Response::new(answer.to_string().into())
        }
    }
}

/// F-CHP-5.
fn accepted() -> Response<Bytes> {
    let mut answer = status(StatusCode::ACCEPTED);
    let location =
        format!("{MARKETPLACE}/saas/subscriptions/{SUBSCRIPTION}/operations/{OPERATION}");
    let location = HeaderValue::try_from(location).expect("text");
    answer.headers_mut().insert("operation-location", location);
    answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("10"));
    answer
}

/// A request to the API.
#[derive(Clone)]
struct ApiRequest {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
}

impl ApiRequest {
    fn read(text: &[u8]) -> Option<Self> {
        let Message { first, headers, body } = Message::read(text);
        let (method, address) = first.split_once(' ')?;
        let method = Method::from_bytes(method.as_bytes()).ok()?;
        let uri: Uri = address.parse().ok()?;
        uri.path().starts_with('/').then_some(Self { method, uri, headers, body })
    }

    /// The idempotency key, if it is valid.
    fn key(&self) -> Option<&str> {
        let mut values = self.headers.get_all(KEY).iter();
        let (value, None) = (values.next()?, values.next()) else { return None };
        let key = value.to_str().ok()?;
        let is_word =
            (1..=255).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
        is_word.then_some(key)
    }

    /// The body of the request to Microsoft; `None` if the change is invalid.
    fn change(&self) -> Option<Value> {
        let text = &self.body.trim_ascii_start();
        if !text.starts_with(b"{") {
            return None;
        }
        let body: Map<String, Value> = serde_json::from_slice(text).ok()?;
        let mut said = body.into_iter().filter(|(_, value)| !value.is_null());
        let (said, None) = (said.next()?, said.next()) else { return None };
        match (&*said.0, said.1) {
            ("planId", Value::String(plan)) => {
                let plan = plan.trim();
                (1..=100).contains(&plan.len()).then(|| json!({ "planId": plan }))
            }
            ("quantity", Value::Number(seats)) => {
                let seats = seats.as_f64().filter(|seats| seats.fract() == 0.0)?;
                (1.0..=1e6).contains(&seats).then(|| json!({ "quantity": seats as u64 }))
            }
            _ => None,
        }
    }
}

/// The answer, and its effects.
struct Answered {
    answer: Response<Bytes>,
    body: Value,
    to_microsoft: Vec<Request<Bytes>>,
    writes: usize,
}

impl Answered {
    fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    /// The change requests that reached Microsoft.
    fn done(&self) -> impl Iterator<Item = &Request<Bytes>> {
        self.to_microsoft.iter().filter(|request| request.method() != Method::GET)
    }
}

fn send(function: &Function, setup: &Setup, table: &Arc<Table>, asked: &ApiRequest) -> Answered {
    let (microsoft, items) = (setup.microsoft(), table.clone());
    function.wire.reset(Box::new(move |request| {
        let uri = request.uri().to_string();
        if uri.starts_with(DYNAMODB) {
            items.answer(request)
        } else if uri.starts_with(ENTRA) {
            let token = format!(r#"{{"access_token":"{ACCESS_TOKEN}","expires_in":"3599"}}"#);
            Response::new(token.into())
        } else {
            microsoft(request)
        }
    }));
    let mut request = Request::new(asked.body.clone());
    *request.method_mut() = asked.method.clone();
    *request.uri_mut() = asked.uri.clone();
    *request.headers_mut() = asked.headers.clone();
    let answer = run(function.management.handle(request));
    let (mut to_microsoft, mut writes) = (Vec::new(), 0);
    for request in function.wire.sent() {
        if request.uri().to_string().starts_with(MARKETPLACE) {
            to_microsoft.push(request);
        } else {
            writes += usize::from(is_write(&request));
        }
    }
    assert_sent_to_the_marketplace_alone(&to_microsoft);
    let body = serde_json::from_slice(answer.body()).expect("every answer is JSON");
    Answered { answer, body, to_microsoft, writes }
}

/// The OpenAPI description has this answer for this call.
fn assert_described(call: Option<Call<'_>>, answered: &Answered) {
    let Answered { answer, body, .. } = answered;
    let status = answer.status();
    assert!(!status.is_server_error(), "{status} although everything works: {body}");
    let Some(call) = call else {
        match status {
            StatusCode::METHOD_NOT_ALLOWED => assert!(answer.headers().contains_key(ALLOW)),
            _ => assert_eq!((status, answered.code()), (StatusCode::NOT_FOUND, "no_route")),
        }
        return;
    };
    let described = &call.described["responses"][status.as_str()];
    assert!(described.is_object(), "{} answers {status} {body}", call.name());
    let media_type = answer.headers()[CONTENT_TYPE].to_str().expect("text");
    let schema = &described["content"][media_type]["schema"];
    assert!(schema.is_object(), "{} answers {status} with {media_type}", call.name());
    assert_eq!(objection(schema, body, call.name()), None);
    if status.is_client_error() {
        assert_eq!(body["status"], status.as_u16());
        assert!(!body.to_string().contains(ACCESS_TOKEN));
    }
    if let Some(version) = body.get("version") {
        assert_eq!(answer.headers()[ETAG], format!("\"{version}\""));
    }
}

/// An invalid request or a read changes nothing.
fn assert_harmless(call: Option<Call<'_>>, asked: &ApiRequest, answered: &Answered) {
    let wrongly = [
        "no_route",
        "malformed_request",
        "invalid_change",
        "invalid_note",
        "idempotency_key_reused",
    ];
    if wrongly.contains(&answered.code()) {
        assert!(answered.to_microsoft.is_empty(), "{}: Microsoft was asked", answered.code());
        assert_eq!(answered.writes, 0, "{}: the table was written", answered.code());
    }
    if asked.method == Method::GET {
        assert_eq!((answered.done().count(), answered.writes), (0, 0));
    }
    let id = call.and_then(|call| call.id).map(Uuid::try_parse);
    if let Some(Ok(id)) = id {
        for request in &answered.to_microsoft {
            let own = format!("/api/saas/subscriptions/{id}");
            assert!(request.uri().path().starts_with(&own), "{}", request.uri());
        }
    } else {
        assert!(answered.to_microsoft.is_empty(), "not a subscription id");
        assert!(id.is_none() || answered.answer.status() == StatusCode::BAD_REQUEST);
    }
}

/// An accepted change reaches Microsoft once, unaltered, and only if its `If-Match` allows it.
fn assert_passed_on(asked: &ApiRequest, answered: &Answered, versions: [u64; 2]) {
    let done: Vec<_> = answered.done().collect();
    assert_eq!(
        done.len(),
        usize::from(answered.answer.status() == StatusCode::ACCEPTED && is_change(asked))
    );
    let [request] = done[..] else { return };
    assert_eq!(request.method(), asked.method);
    assert!(asked.key().is_some() || !asked.headers.contains_key(KEY), "the key is invalid");
    if asked.method == Method::PATCH {
        let body: Value = serde_json::from_slice(request.body()).expect("JSON");
        assert_eq!(Some(body), asked.change());
    } else {
        assert!(request.body().is_empty());
    }
    let mut named = asked.headers.get_all(IF_MATCH).iter().peekable();
    if named.peek().is_some() {
        let named: String = named.map(|tags| tags.to_str().expect("read")).collect();
        let is_named = |version| named.contains(&format!("\"{version}\""));
        assert!(named.contains('*') || (versions[0]..=versions[1]).any(is_named), "{named}");
    }
}

fn is_change(asked: &ApiRequest) -> bool {
    matches!(asked.method, Method::PATCH | Method::DELETE)
}

/// A request with an idempotency key is carried out once (F-ERR-2), and its key fits no other
/// request.
fn assert_once(
    function: &Function,
    setup: &Setup,
    table: &Arc<Table>,
    asked: &ApiRequest,
    first: &Answered,
) {
    let again = send(function, setup, table, asked);
    assert_eq!(again.done().count(), 0, "asked twice under one key");
    assert_eq!((again.answer.status(), &again.body), (first.answer.status(), &first.body));
    assert_eq!(again.answer.headers()["idempotency-replayed"], "true");
    let mut other = asked.clone();
    if asked.method == Method::DELETE {
        (other.method, other.body) = (Method::PATCH, Bytes::from_static(br#"{"planId":"gold"}"#));
    } else {
        (other.method, other.body) = (Method::DELETE, Bytes::new());
    }
    let refused = send(function, setup, table, &other);
    assert_eq!(refused.code(), "idempotency_key_reused");
    assert!(refused.to_microsoft.is_empty());
}

fn version(table: &Table) -> u64 {
    let key = [format!("SUB#{SUBSCRIPTION}"), "RECORD".to_owned()];
    let items = table.items();
    let version = items.get(&key).and_then(|item| item["version"]["N"].as_str());
    version.map_or(0, |version| version.parse().expect("a version"))
}

fuzz_target!(|input: &[u8]| {
    let [call, words] = parts(input);
    let Some(asked) = ApiRequest::read(call) else { return };
    // An examination asks Microsoft about no subscription, and a test event is written for none.
    if asked.uri.path().starts_with("/doctor") {
        return;
    }
    let words = String::from_utf8_lossy(words);
    let setup = Setup::read(&words);
    let function = function(!words.contains("nobody"));
    let before = setup.items();
    let table = Arc::new(Table::of(before.clone()));
    let earlier = version(&table);
    let call = Call::of(&asked.method, asked.uri.path());
    let answered = send(function, &setup, &table, &asked);
    assert_described(call, &answered);
    assert_harmless(call, &asked, &answered);
    assert_passed_on(&asked, &answered, [earlier, version(&table)]);
    let own =
        [format!("SUB#{SUBSCRIPTION}"), format!("REQUEST#{}", asked.key().unwrap_or_default())];
    let after = table.items();
    let written = after.iter().filter(|(key, item)| before.get(*key) != Some(item));
    for ([partition, _], _) in written {
        assert!(own.contains(partition), "{partition}");
    }
    if asked.key().is_some() && answered.done().next().is_some() {
        assert_once(function, &setup, &table, &asked, &answered);
    }
});
