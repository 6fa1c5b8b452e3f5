//! What reaches the logs of a life in which everything goes wrong once: the ids Microsoft's support
//! asks for (F-GEN-7), and never a token, a person's data or a body.

use std::io;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use emulator::{
    Call, CallRecord, Direction, ErrorForm, FaultKind, Forgery, Person, Purchase, Times,
    TokenVersion,
};
use http::StatusCode;
use local::Options;
use serde_json::{Value, json};
use shared::host::telemetry;
use tokio::sync::OnceCell;
use tracing::Dispatch;
use tracing::subscriber::NoSubscriber;
use tracing_subscriber::fmt::MakeWriter;
use uuid::Uuid;

use crate::browser::{Browser, SESSION, submit_token};
use crate::probe::overwrite;
use crate::scene::Scene;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What a name, an address and a body of this life hold, and no line may.
const PRIVATE: [&str; 15] = [
    "Zanzibar payroll",
    "Wilhelmina",
    "private.example",
    "adele@",
    "PUID-OF-WILHELMINA",
    "body-of-the-webhook",
    "body-of-the-form",
    "body-of-the-change",
    "body-of-the-record",
    "body-of-microsoft",
    "body-of-the-product",
    // Every key that we sign with begins so.
    "whsec_",
    "An unexpected error occurred",
    "emulated-client-secret",
    // Every token of Entra's begins so.
    "eyJ",
];

/// Lines kept in memory.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    /// Every line so far, as it was written.
    fn text(&self) -> String {
        let written = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        String::from_utf8(written).expect("lines of text")
    }
}

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// A purchase whose people and name are recognised anywhere.
fn purchase() -> Purchase {
    let person = Person {
        name: "Wilhelmina Whisper".to_owned(),
        email: "wilhelmina@private.example".to_owned(),
        puid: "PUID-OF-WILHELMINA".to_owned(),
        ..Person::adele()
    };
    Purchase::per_seat("basic", 10).named("Zanzibar payroll").by(person)
}

/// Lands, confirms, changes, fails, is refused, is asked and ends. Returns the purchase tokens used.
async fn a_life_full_of_trouble(scene: &Scene) -> Vec<String> {
    let id = scene.purchase(purchase());
    let tokens: Vec<String> =
        (0..6).map(|_| scene.world(|world| world.purchase_token(id))).collect();
    let visit = |token: &str| {
        let token = token.replace('+', "%2B");
        scene.send(scene.http.get(scene.url(&format!("/landing?token={token}"))))
    };
    // The landing page: refused, expired, away, and well.
    scene.fault(Call::Token, FaultKind::Status(401, ErrorForm::Object), Times::Once);
    visit(&tokens[0]).await;
    let half = "{\"access_token\":\"eyJhalf".to_owned();
    scene.fault(Call::Token, FaultKind::Garbage(half), Times::Once);
    visit(&tokens[0]).await;
    for kind in [
        FaultKind::Status(400, ErrorForm::Object),
        FaultKind::Status(401, ErrorForm::BareString),
        FaultKind::Status(500, ErrorForm::Nested),
        FaultKind::Garbage("{\"id\":\"body-of-microsoft\"}".to_owned()),
        FaultKind::Garbage("body-of-microsoft".to_owned()),
        FaultKind::DropBefore,
    ] {
        scene.fault(Call::Resolve, kind, Times::N(4));
        visit(&tokens[1]).await;
        scene.world(|world| world.faults_mut().clear());
    }
    visit(&tokens[2].replace('A', "B")).await;
    assert_eq!(visit(&tokens[2]).await.status, StatusCode::OK);
    let confirm = |token: &str| {
        let form = [("token", token), ("note", "body-of-the-form")];
        scene.send(scene.http.post(scene.url("/landing")).form(&form))
    };
    scene.fault(Call::Activate, FaultKind::Status(400, ErrorForm::Object), Times::Once);
    confirm(&tokens[3]).await;
    scene.fault(Call::Activate, FaultKind::LoseAnswer, Times::Once);
    confirm(&tokens[3]).await;
    assert_eq!(scene.record(id).await.expect("a record").status().as_str(), "Subscribed");

    // The webhook: forged, unreadable, unconfirmed, away, and well.
    for forgery in Forgery::ALL {
        for version in [TokenVersion::V1, TokenVersion::V2] {
            let forged = scene.microsoft().entra(|entra| entra.forge(forgery, version));
            let body = format!("{{\"note\":\"body-of-the-webhook\",\"subscriptionId\":\"{id}\"}}");
            let answer =
                scene.microsoft().deliver_raw(body, Some(format!("Bearer {forged}"))).await;
            assert_eq!(answer.expect("an answer").0, 401, "{forgery:?}");
        }
    }
    for body in [
        "body-of-the-webhook".to_owned(),
        json!({ "subscriptionId": "body-of-the-webhook", "action": "Suspend" }).to_string(),
        json!({ "subscriptionId": id, "purchaseToken": tokens[5], "action": "Suspend",
                "id": Uuid::from_u128(9), "note": "wilhelmina@private.example" })
        .to_string(),
        json!({ "subscriptionId": id, "action": "ChangePlan", "id": Uuid::from_u128(9),
                "planId": "body-of-the-webhook" })
        .to_string(),
        json!({ "subscriptionId": Uuid::from_u128(8), "action": "Suspend",
                "id": Uuid::from_u128(9) })
        .to_string(),
    ] {
        let good = scene.microsoft().entra(|entra| entra.webhook_token(TokenVersion::V2));
        let answer = scene.microsoft().deliver_raw(body, Some(format!("Bearer {good}"))).await;
        answer.expect("an answer");
    }
    scene.world(|world| world.change_plan(id, "team")).expect("a change");
    scene.fault(Call::GetOperation, FaultKind::Status(500, ErrorForm::Html), Times::N(3));
    scene.deliver().await;
    scene.advance(DAY / 24);
    scene.fault(Call::UpdateOperation, FaultKind::LoseAnswer, Times::N(2));
    scene.deliver().await;
    scene.advance(DAY / 24);
    scene.deliver().await;

    // The publisher's API.
    for body in ["body-of-the-change", "{\"planId\":\"body-of-the-change\",\"quantity\":1}"] {
        let request = scene.http.patch(scene.url(&format!("/subscriptions/{id}")));
        scene.send(request.body(body)).await;
    }
    scene.change(id, &json!({ "quantity": 9 })).await;
    scene.deliver().await;
    scene.fault(Call::UpdateSubscription, FaultKind::LoseAnswer, Times::Once);
    scene.change(id, &json!({ "quantity": 11 })).await;
    scene.deliver().await;
    for path in ["", "/events", "/plans", "/operations", "/x"] {
        scene.get(&format!("/subscriptions/{id}{path}")).await;
    }
    scene.get("/subscriptions?next=wilhelmina@private.example").await;
    scene.fault(
        Call::ListAvailablePlans,
        FaultKind::Status(403, ErrorForm::BareString),
        Times::N(2),
    );
    scene.get(&format!("/subscriptions/{id}/plans")).await;

    // The reconciliation, with records that can't be read and a list that can't.
    for part in ["body", "body.updatedAt", "body.version", "body.subscription.beneficiary"] {
        let other = scene.active(purchase()).await;
        let text = "body-of-the-record of wilhelmina@private.example";
        overwrite(scene, other, part, text).await;
        scene.get(&format!("/subscriptions/{other}")).await;
        scene.activate(other).await;
    }
    scene.get("/subscriptions").await;
    scene.world(|world| world.suspend(id)).expect("a suspension");
    scene.world(emulator::World::lose_deliveries);
    scene.advance(DAY);
    scene.stage.reconcile().await.expect("a run");
    let garbage = FaultKind::Garbage("{\"subscriptions\":\"body-of-microsoft\"}".to_owned());
    scene.fault(Call::ListSubscriptions, garbage, Times::Once);
    assert!(scene.stage.reconcile().await.is_err());
    visit(&tokens[4]).await;
    scene.world(|world| world.reinstate(id)).expect("a reinstatement");
    scene.deliver().await;
    scene.cancel(id).await;
    scene.deliver().await;
    assert_eq!(scene.record(id).await.expect("a record").status().as_str(), "Unsubscribed");
    tokens
}

/// Signs in, wrongly and well, and tells what is asked for. Returns what opens something.
async fn a_sign_in_full_of_trouble(scene: &Scene) -> Vec<String> {
    let id = scene.purchase(Purchase::flat_rate("silver"));
    let token = scene.world(|world| world.purchase_token(id));
    let mut stranger = Browser::new(scene);
    stranger.sign_in(id, "sven@elsewhere.example").await;
    assert_eq!(stranger.page().await.status, StatusCode::FORBIDDEN);
    let mut browser = Browser::new(scene);
    let entra = browser.arrive(id).await;
    let back = browser.pick(&entra, "adele@contoso.example").await;
    scene.fault(Call::Token, FaultKind::Garbage("{\"id_token\":\"eyJhalf".to_owned()), Times::Once);
    browser.come_back(&back).await;
    browser.sign_in(id, "adele@contoso.example").await;
    let session = browser.cookies[SESSION].clone();
    let submit = submit_token(&browser.page().await);
    for contact in ["wilhelmina@private.example body-of-the-form", "wilhelmina@private.example"] {
        let form =
            [("submit", submit.as_str()), ("contact", contact), ("note", "body-of-the-form")];
        browser.submit(&form).await;
    }
    let record = scene.record(id).await.expect("a record");
    assert_eq!(record.sign_up.expect("it is kept").fields["note"], "body-of-the-form");
    vec![token, session]
}

/// What is left of that life.
struct Lived {
    text: String,
    calls: Vec<CallRecord>,
    subscriptions: Vec<String>,
    tokens: Vec<String>,
}

impl Lived {
    /// Lives it, and keeps the lines of this thread, on which all of it runs.
    async fn at(level: &str) -> Self {
        // While there is one subscriber in all, a thread without it remembers every line that it
        // meets first as of interest to nobody. With a second one, all are asked.
        static SECOND: OnceLock<Dispatch> = OnceLock::new();
        SECOND.get_or_init(|| Dispatch::new(NoSubscriber::default()));
        let lines = Lines::default();
        let subscriber = telemetry::lines(level, lines.clone());
        let _until_the_end = tracing::subscriber::set_default(subscriber);
        let scene = Scene::with(Options::default()).await;
        // And those that were met at the very moment at which the subscriber came are asked anew.
        tracing::callsite::rebuild_interest_cache();
        let mut tokens = a_life_full_of_trouble(&scene).await;
        let options = Options::default().with("LANDING_SIGN_IN", "entra");
        let fields = r#"[{ "name": "note", "label": "Note" }]"#;
        let signing_in = Scene::with(options.with("LANDING_FIELDS", fields)).await;
        tokens.extend(a_sign_in_full_of_trouble(&signing_in).await);
        let decided = crate::decision_silence::a_product_full_of_trouble().await;
        let (calls, mut subscriptions): (_, Vec<_>) = scene.world(|world| {
            let ids = world.subscriptions().map(|known| known.id.to_string()).collect();
            (world.calls().to_vec(), ids)
        });
        subscriptions.extend(decided);
        Self { text: lines.text(), calls, subscriptions, tokens }
    }

    /// The same life for every test that reads the lines of our own crates.
    async fn ours() -> &'static Self {
        static LIVED: OnceCell<Lived> = OnceCell::const_new();
        LIVED.get_or_init(|| Self::at(OURS)).await
    }

    fn lines(&self) -> Vec<Value> {
        let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
        self.text.lines().map(parse).collect()
    }

    #[track_caller]
    fn keeps_secrets(&self) {
        assert!(self.text.lines().count() > 50, "there is something to look at");
        for line in self.text.lines() {
            for private in PRIVATE {
                assert!(!line.contains(private), "{private} in {line}");
            }
            for token in &self.tokens {
                // A part of a token says enough about the rest.
                let end = token.len();
                for part in [&token[..16], &token[40..56], &token[end - 24..end - 8]] {
                    assert!(!line.contains(part), "a purchase token in {line}");
                }
            }
        }
    }
}

const OURS: &str = "off,shared=trace,landing=trace,activation=trace,webhook=trace,management=trace,\
                    reconciliation=trace,azure_custom_handler=trace";

#[tokio::test]
async fn no_line_holds_a_token_a_person_or_a_body() {
    Lived::ours().await.keeps_secrets();
}

#[tokio::test]
async fn no_line_of_the_libraries_holds_one_either_while_debugging_or_tracing() {
    for level in ["debug", "trace", "debug,aws_smithy_runtime=trace"] {
        let lived = Lived::at(&format!("{level},emulator=off,tests=off,dynoxide=off")).await;
        lived.keeps_secrets();
    }
}

#[tokio::test]
async fn every_line_is_json_with_a_time_a_level_and_a_message() {
    let lines = Lived::ours().await.lines();
    for line in &lines {
        for field in ["timestamp", "level", "message", "target"] {
            assert!(line[field].is_string(), "{field} in {line}");
        }
    }
    for level in ["INFO", "WARN", "ERROR", "DEBUG"] {
        assert!(lines.iter().any(|line| line["level"] == level), "{level}");
    }
}

#[tokio::test]
async fn a_call_that_microsoft_does_not_confirm_is_logged_and_counted() {
    let lines = Lived::ours().await.lines();
    for what in ["subscription", "operation"] {
        let message = format!("Microsoft knows no such {what}; nothing was done");
        let is_it = |line: &Value| line["message"] == *message && line["level"] == "ERROR";
        let found: Vec<_> = lines.iter().filter(|line| is_it(line)).collect();
        assert!(!found.is_empty(), "{message}");
        assert!(found.iter().all(|line| line["metric"] == "unconfirmed_call"), "{found:?}");
    }
}

#[tokio::test]
async fn f_gen_7_every_call_is_logged_with_the_ids_microsofts_support_asks_for() {
    let lived = Lived::ours().await;
    let lines = lived.lines();
    let entra = [Call::Token, Call::Discovery, Call::Keys, Call::Authorize];
    let calls = lived
        .calls
        .iter()
        .filter(|made| made.direction == Direction::ToMicrosoft && !entra.contains(&made.call));
    let (answered, silent): (Vec<_>, Vec<_>) = calls.partition(|made| made.status.is_some());
    assert!(answered.len() > 40 && silent.len() > 3, "{} {}", answered.len(), silent.len());
    for made in answered {
        let line = lines
            .iter()
            .find(|line| line["request_id"].as_str() == made.request_id.as_deref())
            .unwrap_or_else(|| panic!("{made:?} is in no line"));
        assert_eq!(line["correlation_id"].as_str(), made.correlation_id.as_deref(), "{line}");
        assert!(line["activity_id"].as_str().is_some_and(|id| !id.is_empty()), "{line}");
        assert!(line["duration_ms"].is_number(), "{line}");
        assert_eq!(line["status"].as_u64(), made.status.map(u64::from), "{line}");
    }
    let unanswered: Vec<_> =
        lines.iter().filter(|line| line["message"] == "Microsoft gave no answer").collect();
    assert_eq!(unanswered.len(), silent.len());
    for line in unanswered {
        for field in ["request_id", "correlation_id"] {
            let id = line[field].as_str().unwrap_or_default();
            assert!(Uuid::try_parse(id).is_ok(), "{field} in {line}");
        }
    }
}

#[tokio::test]
async fn a_line_about_a_subscription_names_it() {
    let lived = Lived::ours().await;
    let (lines, known) = (lived.lines(), &lived.subscriptions);
    for (message, but_for) in [
        ("recorded an event", ""),
        ("activating", ""),
        ("requesting a change", ""),
        ("decided about a change", ""),
        ("the product gave no decision", ""),
        ("Microsoft refused an activation", ""),
        ("an activation failed", ""),
        ("could not ask Microsoft", ""),
        ("could not use the table", ""),
        // An unreadable body names no subscription.
        ("a webhook call failed; Microsoft will retry", "in a body"),
    ] {
        let said: Vec<_> = lines.iter().filter(|line| line["message"] == message).collect();
        assert!(!said.is_empty(), "{message}");
        for line in said {
            let reason = line["reason"].as_str().unwrap_or_default();
            if !but_for.is_empty() && reason.contains(but_for) {
                continue;
            }
            let id = line["subscription.id"].as_str().or(line["span"]["subscription.id"].as_str());
            assert!(known.iter().any(|known| Some(known.as_str()) == id), "{line}");
        }
    }
}
