//! After an erasure, neither the table nor the API holds a word of the person, whatever the subscription
//! went through.

use emulator::{Person, Purchase};
use http::header::ACCEPT;
use http::{Method, StatusCode};
use local::Options;
use local::decider::{Decider, Reply};
use local::receiver::Receiver;
use serde_json::json;
use shared::domain::{Position, SubscriptionId};
use shared::store::{Attempt, Attempts as _, Cursor, CursorState, Outbox as _, Target, Trouble};
use uuid::Uuid;

use crate::browser::{Browser, submit_token};
use crate::erasure_env::{DAY, end, erased, find, items};
use crate::landing_manage::submit;
use crate::test_env::{TestEnv, table};

const FIELDS: &str =
    r#"[{"name": "company", "label": "Company"}, {"name": "name", "label": "Name"}]"#;

/// A word of each kind of personal data.
fn words() -> Vec<(&'static str, String)> {
    let adele = Person::adele();
    let owned = str::to_owned;
    vec![
        ("address", adele.email),
        ("object id", adele.object_id.to_string()),
        ("tenant", adele.tenant_id.to_string()),
        ("puid", adele.puid),
        ("chosen name", owned("Fleet of Vance")),
        ("contact", owned("it@vance.example")),
        ("company", owned("Vance Ltd")),
        ("name", owned("Adele M Vance")),
        ("reason", owned("too many for Vance")),
        ("reference", owned("C-4711-V")),
        ("metadata", owned("met Adele in Lund")),
        ("words about a failure", owned("the endpoint of Vance")),
        ("answer of a receiver", owned("the tenant of Vance")),
    ]
}

struct Everything {
    env: TestEnv,
    product: Receiver,
    _decider: Decider,
    id: Uuid,
}

impl Everything {
    /// A subscription that went through everything, and ended eight days ago.
    async fn new() -> Self {
        let product = Receiver::start().await.expect("the product starts");
        let decider = Decider::start().await.expect("the product starts");
        let mut options = Options { variables: decider.settings(), ..Options::default() };
        for (name, value) in [
            ("LANDING_SIGN_IN", "entra"),
            ("LANDING_FIELDS", FIELDS),
            ("DELIVERY_ENDPOINT", product.url()),
            ("DELIVERY_SIGNING_KEY", product.key()),
        ] {
            options = options.with(name, value);
        }
        let env = TestEnv::with(options).await;
        let id = env.purchase(Purchase::per_seat("basic", 10).named("Fleet of Vance"));
        let mut browser = Browser::new(&env);
        browser.sign_in(id, "adele@contoso.example").await;
        let token = submit_token(&browser.page().await);
        let form = [
            ("contact", "it@vance.example"),
            ("company", "Vance Ltd"),
            ("name", "Adele M Vance"),
            ("submit", &token),
        ];
        assert_eq!(browser.submit(&form).await.status, StatusCode::SEE_OTHER);

        // The buyer's own change, one that the product rejects, and one of the publisher's.
        decider.reply_with(Reply::Accept);
        let form = [("want", "seats"), ("seats", "42"), ("confirmed", "yes")];
        submit(&env, &mut browser, &form).await;
        assert_eq!(env.deliver_statuses().await, [200]);
        env.advance(DAY);
        decider.reply_with(Reply::Reject("too many for Vance".to_owned()));
        env.world(|world| world.change_quantity(id, 77)).expect("a change");
        assert_eq!(env.deliver_statuses().await, [400]);
        env.advance(DAY);
        let everything = Self { env, product, _decider: decider, id };
        let keyed = everything.ask(Method::PATCH, "", r#"{"planId":"team"}"#, Some("key-1")).await;
        assert_eq!(keyed.0, StatusCode::ACCEPTED, "{}", keyed.1);
        let Self { env, .. } = &everything;
        assert_eq!(env.deliver_statuses().await, [200]);
        let noted = json!({ "reference": "C-4711-V", "metadata": { "note": "met Adele in Lund" } });
        assert_eq!(env.change(id, &noted).await.status, StatusCode::OK);
        everything.fail_at_a_former_receiver().await;
        end(env, id).await;
        env.advance(8 * DAY);
        env.system.sweep().await.expect("a sweep");
        everything
    }

    /// A receiver that is no longer configured has left words about its last failure, and its answer.
    async fn fail_at_a_former_receiver(&self) {
        let table = table(&self.env);
        let at = self.env.system.clock.now();
        let trouble = Trouble { since: at, attempts: 3, last: "the endpoint of Vance".to_owned() };
        let state = CursorState::Parked { at, trouble };
        let cursor =
            Cursor { revision: 1, delivered: Position::default(), state, ..Cursor::default() };
        let id = SubscriptionId(self.id);
        table.save_cursor(id, Target::EventBus, &cursor).await.expect("saved");
        let attempt = Attempt {
            at,
            receiver: Target::EventBus.name().to_owned(),
            event_id: format!("{id}-1-0"),
            event_type: "saas-fulfillment.subscription.purchased.v1".to_owned(),
            status: Some(500),
            latency_ms: 118,
            reason: Some("answered 500".to_owned()),
            class: Some("product".to_owned()),
            answer: Some("nobody knows the tenant of Vance".to_owned()),
            request: None,
        };
        table.save_attempt(id, &attempt).await.expect("saved");
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: &'static str,
        key: Option<&str>,
    ) -> (StatusCode, String) {
        let request = self
            .env
            .http
            .request(method, self.env.url(&format!("/subscriptions/{}{path}", self.id)));
        let request = request.header("idempotency-key", key.unwrap_or("another"));
        let answer = self.env.send(request.body(body)).await;
        (answer.status, answer.body)
    }

    /// Every answer of the API, in lower case.
    async fn answers(&self) -> Vec<String> {
        let Self { env, id, .. } = self;
        let mut answers = Vec::new();
        for path in ["", "/events", "/plans", "/operations", "/deliveries", "/attempts"] {
            answers.push(self.ask(Method::GET, path, "", None).await);
        }
        let batch = env.http.get(env.url(&format!("/subscriptions/{id}/events")));
        let batch = env.send(batch.header(ACCEPT, "application/cloudevents-batch+json")).await;
        assert!(batch.body.starts_with('['), "{}", batch.body);
        answers.push((batch.status, batch.body));
        answers.push(self.ask(Method::POST, "/observe", "", None).await);
        for list in
            ["", "?status=Unsubscribed", "?offer=per-seat-1", "?sort=lastChange", "?sort=termEnd"]
        {
            let listed = env.get(&format!("/subscriptions{list}")).await;
            assert!(listed.body.contains(&id.to_string()), "{list}: {}", listed.body);
            answers.push((listed.status, listed.body));
        }
        for state in ["waiting", "parked"] {
            let deliveries = env.get(&format!("/deliveries?state={state}")).await;
            assert_eq!(deliveries.status, StatusCode::OK, "{}", deliveries.body);
            answers.push((deliveries.status, deliveries.body));
        }
        answers.push(self.ask(Method::PATCH, "", r#"{"planId":"team"}"#, Some("key-1")).await);
        answers.into_iter().map(|(_, body)| body.to_lowercase()).collect()
    }

    /// How many subscriptions are found by this text.
    async fn found(&self, text: &str) -> usize {
        let text = text.replace(' ', "%20").replace('@', "%40");
        let found = self.env.get(&format!("/subscriptions?search={text}")).await;
        assert_eq!(found.status, StatusCode::OK, "{}", found.body);
        found.json()["subscriptions"].as_array().expect("a list").len()
    }
}

#[tokio::test]
async fn no_item_and_no_answer_holds_a_word_of_the_person_after_an_erasure() {
    let everything = Everything::new().await;
    let Everything { env, product, id, .. } = &everything;
    let words = words();
    let (table, answers) = (items(env).await, everything.answers().await);
    for (kind, word) in &words {
        assert!(find(&table, &[word]).is_some(), "no {kind} in the table before");
        // It belongs to a receiver that is no longer configured.
        let is_shown = *kind != "words about a failure";
        assert!(!is_shown || find(&answers, &[word]).is_some(), "no {kind} in the answers before");
    }
    let searched = ["adele@contoso", "Fleet of", "it@vance", "Vance Ltd", "Adele M", "C-4711"];
    for text in searched {
        assert_eq!(everything.found(text).await, 1, "{text}");
    }
    let (names, told) = (env.event_names(*id).await, product.events().len());
    let before = env.record(*id).await.expect("a record");

    erased(env, *id).await;
    let words: Vec<&str> = words.iter().map(|(_, word)| word.as_str()).collect();
    let assert_is_erased = async || {
        let (table, answers) = (items(env).await, everything.answers().await);
        assert_eq!(find(&table, &words), None);
        assert_eq!(find(&answers, &words), None);
        for text in searched {
            assert_eq!(everything.found(text).await, 0, "{text}");
        }
        assert_eq!(everything.found(&id.to_string()).await, 1);
    };
    assert_is_erased().await;
    let mut expected = names.clone();
    expected.push("PersonalDataErased");
    assert_eq!(env.event_names(*id).await, expected, "the history stays a history");
    let record = env.record(*id).await.expect("a record");
    assert!(record.is_erased() && !record.is_erasing());
    let (after, before) = (record.subscription, before.subscription);
    assert_eq!(
        (after.plan_id, after.quantity, after.term, after.created),
        (before.plan_id, before.quantity, before.term, before.created)
    );

    // The product is told, with nobody in it.
    env.system.deliver_events().await.expect("delivered");
    let events = product.events();
    assert_eq!((events.len(), product.complaints()), (told + 1, Vec::new()));
    let event = events.last().expect("an event");
    assert_eq!(event["type"], "saas-fulfillment.subscription.personal-data-erased.v1");
    assert_eq!(find(&[event.to_string().to_lowercase()], &words), None);

    // Microsoft's list still shows all of it.
    for _ in 0..2 {
        let report = env.system.reconcile().await.expect("a round");
        assert_eq!((report.examined, report.failed), (1, 0));
        env.advance(DAY);
        assert_is_erased().await;
    }
    assert_eq!(env.event_names(*id).await, expected);
}
