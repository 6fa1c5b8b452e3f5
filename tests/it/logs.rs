//! The logs of lives in which every kind of fault strikes. They hold the ids that Microsoft's
//! support asks for (F-GEN-7), and no token, no person's data and no body.

use emulator::{Call, CallRecord, Direction};
use local::Options;
use serde_json::Value;
use shared::host::error_class::ErrorClass;
use shared::host::version::version;
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::log_lines::Lines;
use crate::logs_lives::{life_with_faults, sign_in_with_faults};
use crate::test_env::TestEnv;

/// Texts from the names, addresses and bodies of these lives. No line may hold one.
const PRIVATE: [&str; 20] = [
    "Zanzibar payroll",
    "zanzibar payroll",
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
    // The prefix of our signing keys.
    "whsec_",
    // The search keys of "zan", "zanzibar", "wilhelmi" and "private.example".
    "d6bdb7c3e5a7898117db4ac6c1d429fc",
    "8874cad5961bfcfc10e3215346bc033d",
    "c8ed961bed14262b8c5721f4e76cda48",
    "b2d7fe9d18e1d6eb093831a8018968aa",
    "An unexpected error occurred",
    "emulated-client-secret",
    // The prefix of Entra's tokens.
    "eyJ",
];

/// The log lines of the lives, and the calls, ids and tokens in them.
struct Logged {
    text: String,
    calls: Vec<CallRecord>,
    subscriptions: Vec<String>,
    tokens: Vec<String>,
}

impl Logged {
    /// Runs the lives and collects the lines of this thread, on which everything runs.
    async fn at(level: &str) -> Self {
        let (lines, _guard) = Lines::collect(level);
        let env = TestEnv::with(Options::default()).await;
        // Callsites that were reached while the subscriber was being installed are asked again.
        tracing::callsite::rebuild_interest_cache();
        let mut tokens = life_with_faults(&env).await;
        let options = Options::default().with("LANDING_SIGN_IN", "entra");
        let fields = r#"[{ "name": "note", "label": "Note" }]"#;
        let sign_in_env = TestEnv::with(options.with("LANDING_FIELDS", fields)).await;
        tokens.extend(sign_in_with_faults(&sign_in_env).await);
        let decision_ids = crate::decision_fallback::run_decisions().await;
        let (calls, mut subscriptions): (_, Vec<_>) = env.world(|world| {
            let ids = world.subscriptions().map(|known| known.id.to_string()).collect();
            (world.calls().to_vec(), ids)
        });
        subscriptions.extend(decision_ids);
        Self { text: lines.text(), calls, subscriptions, tokens }
    }

    /// The lines of our own crates, collected once for all tests.
    async fn ours() -> &'static Self {
        static LOGGED: OnceCell<Logged> = OnceCell::const_new();
        LOGGED.get_or_init(|| Self::at(OURS)).await
    }

    fn lines(&self) -> Vec<Value> {
        let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
        self.text.lines().map(parse).collect()
    }

    #[track_caller]
    fn assert_no_secrets(&self) {
        assert!(self.text.lines().count() > 50, "enough lines");
        for line in self.text.lines() {
            for private in PRIVATE {
                assert!(!line.contains(private), "{private} in {line}");
            }
            for token in &self.tokens {
                // A part of a token is as secret as the whole.
                let end = token.len();
                for part in [&token[..16], &token[40..56], &token[end - 24..end - 8]] {
                    assert!(!line.contains(part), "a purchase token in {line}");
                }
            }
        }
    }
}

const OURS: &str = "off,shared=trace,landing=trace,activation=trace,webhook=trace,management=trace,\
                    reconciliation=trace,delivery=trace,azure_custom_handler=trace";

#[tokio::test]
async fn no_line_holds_a_token_a_person_or_a_body() {
    Logged::ours().await.assert_no_secrets();
}

#[tokio::test]
async fn no_library_line_holds_a_secret_at_debug_or_trace_level() {
    for level in ["debug", "trace", "debug,aws_smithy_runtime=trace"] {
        let logged = Logged::at(&format!("{level},emulator=off,tests=off,dynoxide=off")).await;
        logged.assert_no_secrets();
    }
}

/// Texts of what the kinds of credential are made of.
const CREDENTIALS: [&str; 5] =
    ["eyJ", "PRIVATE KEY", "MIIE", "stand-in-", crate::credentials::COOKIE_KEY];

#[tokio::test]
async fn no_line_holds_an_assertion_a_key_or_a_secret_of_any_kind_of_credential() {
    let (lines, _guard) = Lines::collect("trace,emulator=off,tests=off,dynoxide=off");
    for kind in crate::credentials::KINDS {
        let register = crate::credentials::register;
        let env = crate::credentials::system_with(Options::default(), kind, register).await;
        tracing::callsite::rebuild_interest_cache();
        life_with_faults(&env).await;
        let sent = env.microsoft().entra(|entra| entra.assertions().len());
        assert!(sent > 0, "{kind} sends assertions");
        let fields = r#"[{ "name": "note", "label": "Note" }]"#;
        let options =
            Options::default().with("LANDING_SIGN_IN", "entra").with("LANDING_FIELDS", fields);
        let env = crate::credentials::system_with(options, kind, register).await;
        sign_in_with_faults(&env).await;
    }
    let text = lines.text();
    assert!(text.lines().count() > 150, "enough lines");
    for line in text.lines() {
        for secret in CREDENTIALS {
            assert!(!line.contains(secret), "{secret} in {line}");
        }
    }
}

#[tokio::test]
async fn every_line_is_json_with_a_time_a_level_a_message_and_the_version() {
    let lines = Logged::ours().await.lines();
    for line in &lines {
        for field in ["timestamp", "level", "message", "target"] {
            assert!(line[field].is_string(), "{field} in {line}");
        }
        assert_eq!(line["service.version"], version(), "{line}");
        assert_eq!(line["service"], "everything", "{line}");
    }
    for level in ["INFO", "WARN", "ERROR", "DEBUG"] {
        assert!(lines.iter().any(|line| line["level"] == level), "{level}");
    }
}

#[tokio::test]
async fn every_error_has_a_class() {
    let classes = ErrorClass::ALL.map(ErrorClass::name);
    let lines = Logged::ours().await.lines();
    let errors: Vec<_> = lines.iter().filter(|line| line["level"] == "ERROR").collect();
    assert!(errors.len() > 20, "{}", errors.len());
    for line in errors {
        assert!(line["class"].as_str().is_some_and(|class| classes.contains(&class)), "{line}");
    }
    // An error's own text comes with its class on every level but the one that only explains.
    for line in lines.iter().filter(|line| line["level"] == "WARN" && line["error"].is_string()) {
        assert!(line["class"].is_string(), "{line}");
    }
}

/// Texts of a value's `Debug`, which no program can read.
const DEBUG_TEXT: [&str; 5] = ["Some(", "None", "Ok(", "Err(", " { "];

#[tokio::test]
async fn no_line_holds_an_empty_field_or_the_debug_text_of_a_value() {
    for line in Logged::ours().await.lines() {
        for (name, value) in line.as_object().expect("an object") {
            assert!(!value.is_null() && value != "", "{name} is empty in {line}");
            let text = value.as_str().unwrap_or_default();
            let debug = DEBUG_TEXT.iter().find(|debug| text.contains(**debug));
            assert_eq!(debug, None, "{name} in {line}");
        }
    }
}

#[tokio::test]
async fn a_line_with_a_metric_is_one_of_cloudwatchs_metrics() {
    let lines = Logged::ours().await.lines();
    let mut counted = 0;
    for line in lines {
        let Some(name) = line["metric"].as_str() else { continue };
        let made = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(made["Namespace"], "publisher", "{line}");
        assert_eq!(made["Metrics"][0]["Name"], name, "{line}");
        assert!(line[name].is_number(), "{line}");
        counted += 1;
    }
    assert!(counted > 5, "{counted}");
}

#[tokio::test]
async fn a_webhook_call_that_microsoft_does_not_confirm_is_logged_and_counted() {
    let lines = Logged::ours().await.lines();
    for kind in ["subscription", "operation"] {
        let message = format!("Microsoft knows no such {kind}; nothing was done");
        let matches = |line: &Value| line["message"] == *message && line["level"] == "ERROR";
        let found: Vec<_> = lines.iter().filter(|line| matches(line)).collect();
        assert!(!found.is_empty(), "{message}");
        assert!(found.iter().all(|line| line["metric"] == "unconfirmed_call"), "{found:?}");
    }
}

#[tokio::test]
async fn f_gen_7_every_call_is_logged_with_the_ids_microsofts_support_asks_for() {
    let logged = Logged::ours().await;
    let lines = logged.lines();
    let entra = [Call::Token, Call::Discovery, Call::Keys, Call::Authorize];
    let calls = logged
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
async fn an_app_that_microsoft_does_not_accept_is_an_error_with_its_metric() {
    // F-ERR-5, F-AUTH-12.
    let lines = Logged::ours().await.lines();
    let found: Vec<_> = lines.iter().filter(|line| line["metric"] == "credential").collect();
    for call in ["resolve", "list_available_plans"] {
        let line = found.iter().find(|line| line["call"] == call);
        let line = line.unwrap_or_else(|| panic!("{call}: {found:?}"));
        assert_eq!(line["level"], "ERROR", "{line}");
        assert!(
            line["error"].as_str().is_some_and(|text| text.contains("403") || text.contains("401")),
            "{line}"
        );
    }
}

#[tokio::test]
async fn a_line_about_a_subscription_names_it() {
    let logged = Logged::ours().await;
    let (lines, known) = (logged.lines(), &logged.subscriptions);
    for (message, exception) in [
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
        ("a webhook call failed; Microsoft will retry", "in the body"),
    ] {
        let found: Vec<_> = lines.iter().filter(|line| line["message"] == message).collect();
        assert!(!found.is_empty(), "{message}");
        for line in found {
            let reason = line["reason"].as_str().unwrap_or_default();
            if !exception.is_empty() && reason.contains(exception) {
                continue;
            }
            let id = line["subscription.id"].as_str().or(line["span"]["subscription.id"].as_str());
            assert!(known.iter().any(|known| Some(known.as_str()) == id), "{line}");
        }
    }
}
