//! The class of an error is in the log line, and tells the metric and the API's problem apart.

use std::collections::BTreeSet;
use std::time::Duration;

use emulator::{Call, ClientRefusal, ErrorForm, FaultKind, Purchase, Times, World};
use http::StatusCode;
use local::Options;
use serde_json::Value;

use crate::browser::Browser;
use crate::log_lines::Lines;
use crate::probe::Probe;
use crate::test_env::{TestEnv, is_problem};

/// What Entra's or Microsoft's refusal is called, with a part of the error's text.
const REFUSALS: [(Refusal, &str, &str); 6] = [
    (Refusal::Entra(ClientRefusal::SecretExpired), "credential", "AADSTS7000222: the secret has"),
    (
        Refusal::Entra(ClientRefusal::SecretWrong),
        "credential",
        "AADSTS7000215: the secret is wrong",
    ),
    (Refusal::Entra(ClientRefusal::ApplicationUnknown), "configuration", "AADSTS700016"),
    (Refusal::Entra(ClientRefusal::TenantUnknown), "configuration", "AADSTS90002"),
    (Refusal::Marketplace(401), "credential", "refused a fresh token with 401"),
    (Refusal::Marketplace(403), "credential", "refused a fresh token with 403"),
];

#[derive(Clone, Copy, Debug)]
enum Refusal {
    Entra(ClientRefusal),
    Marketplace(u16),
}

impl Refusal {
    fn begins(self, env: &TestEnv) {
        match self {
            Self::Entra(refusal) => {
                // The cached token is over.
                env.advance(Duration::from_secs(2 * 60 * 60));
                env.microsoft().entra(|entra| entra.refuse_clients(Some(refusal)));
            }
            Self::Marketplace(status) => {
                for call in [Call::GetOperation, Call::ListAvailablePlans, Call::ListSubscriptions]
                {
                    let kind = FaultKind::Status(status, ErrorForm::BareString);
                    env.fault(call, kind, Times::Always);
                }
            }
        }
    }
}

fn lines_with(lines: &[Value], metric: &str) -> Vec<Value> {
    lines.iter().filter(|line| line["metric"] == metric).cloned().collect()
}

#[tokio::test]
async fn a_refused_credential_and_a_wrong_setting_are_told_apart_in_log_metric_and_problem() {
    for (refusal, class, text) in REFUSALS {
        let (lines, _guard) = Lines::collect("info");
        let env = TestEnv::new().await;
        let id = env.active(Purchase::per_seat("basic", 5)).await;
        refusal.begins(&env);
        env.world(|world| world.change_plan(id, "team")).expect("a change");
        lines.take();
        env.deliver().await;
        let written = lines.take();
        let [failed] = &lines_with(&written, "failed_call")[..] else { panic!("{written:?}") };
        assert_eq!(failed["class"], class, "{failed}");
        let counted = lines_with(&written, class);
        assert!(!counted.is_empty(), "{refusal:?}: {written:?}");
        for line in &counted {
            assert_eq!((&line["class"], &line["level"]), (&class.into(), &"ERROR".into()));
            assert!(line["error"].as_str().is_some_and(|error| error.contains(text)), "{line}");
        }
        let metrics: BTreeSet<_> =
            written.iter().filter_map(|line| line["metric"].as_str()).collect();
        assert_eq!(metrics, BTreeSet::from(["failed_call", class]), "{refusal:?}");

        env.system.reconcile().await.expect_err("the list can't be read");
        let written = lines.take();
        let stopped = written.iter().find(|line| {
            line["message"] == "the reconciliation stopped early; the next run continues"
        });
        assert_eq!(stopped.expect("a line")["class"], class);

        let plans = env.get(&format!("/subscriptions/{id}/plans")).await;
        is_problem(&plans, StatusCode::INTERNAL_SERVER_ERROR, class);
    }
}

#[tokio::test]
async fn a_refusal_of_the_landing_pages_app_is_told_apart_too() {
    for (refusal, class, text) in REFUSALS {
        let Refusal::Entra(entra_refusal) = refusal else { continue };
        // Entra has no tenant of the landing page's app to miss: buyers come from any.
        if entra_refusal == ClientRefusal::TenantUnknown {
            continue;
        }
        let (lines, _guard) = Lines::collect("info");
        let env = TestEnv::with(Options::default().with("LANDING_SIGN_IN", "entra")).await;
        let id = env.purchase(Purchase::flat_rate("silver"));
        let mut browser = Browser::new(&env);
        let entra = browser.arrive(id).await;
        let back = browser.pick(&entra, "adele@contoso.example").await;
        env.microsoft().entra(|entra| entra.refuse_clients(Some(entra_refusal)));
        lines.take();
        let answer = browser.come_back(&back).await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{refusal:?}");
        let written = lines.take();
        let [line] = &lines_with(&written, class)[..] else { panic!("{refusal:?}: {written:?}") };
        assert_eq!(line["class"], class);
        assert!(line["reason"].as_str().is_some_and(|reason| reason.contains(text)), "{line}");
    }
}

#[tokio::test]
async fn an_outage_of_microsoft_and_one_of_the_table_have_classes_and_no_metric_of_the_settings() {
    let (lines, _guard) = Lines::collect("info");
    let (env, probe) = Probe::env(Options::default()).await;
    let id = env.active(Purchase::per_seat("basic", 5)).await;
    env.world(|world| world.change_plan(id, "team")).expect("a change");
    lines.take();
    env.fault(Call::GetOperation, FaultKind::Status(500, ErrorForm::Html), Times::Always);
    env.deliver().await;
    env.world(|world| world.faults_mut().clear());
    probe.is_down.store(true, std::sync::atomic::Ordering::SeqCst);
    env.redeliver().await;
    let written = lines.take();
    let failed = lines_with(&written, "failed_call");
    let classes: Vec<_> = failed.iter().map(|line| &line["class"]).collect();
    assert_eq!(classes, ["microsoft_unavailable", "table"], "{failed:?}");
    let metrics: BTreeSet<_> = written.iter().filter_map(|line| line["metric"].as_str()).collect();
    assert_eq!(metrics, BTreeSet::from(["failed_call"]));
    let answer = env.get(&format!("/subscriptions/{id}")).await;
    is_problem(&answer, StatusCode::SERVICE_UNAVAILABLE, "table");
}

#[tokio::test]
async fn a_word_that_microsoft_adds_is_of_the_class_unknown_word() {
    let (lines, _guard) = Lines::collect("info");
    let env = TestEnv::new().await;
    let id = env.active(Purchase::flat_rate("silver")).await;
    lines.take();
    let body = format!(r#"{{"id":"{id}","subscriptionId":"{id}","action":"Transfer"}}"#);
    assert_eq!(env.signed(body).await.status, StatusCode::OK);
    let written = lines.take();
    let [line] = &lines_with(&written, "unknown_action")[..] else { panic!("{written:?}") };
    assert_eq!(line["class"], "unknown_word");
    // A body that can't be read is Microsoft's word, too: its sender has proved to be Microsoft.
    assert_eq!(env.signed("{").await.status, StatusCode::SERVICE_UNAVAILABLE);
    let written = lines.take();
    let [line] = &lines_with(&written, "failed_call")[..] else { panic!("{written:?}") };
    assert_eq!(line["class"], "unknown_word");
    env.world(World::lose_deliveries);
}
