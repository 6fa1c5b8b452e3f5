//! Faults of the functions: each is injected into a run of the functions that ship, and the log lines that
//! they write are the data points.

use std::time::Duration;

use emulator::{Action, Call, ErrorForm, FaultKind, Forgery, Purchase, Times, TokenVersion, World};
use jiff::SignedDuration;
use serde_json::json;
use shared::store::Pause;
use uuid::Uuid;

use super::Observed;
use crate::credential_ends;
use crate::delivery_env::DeliveryEnv;
use crate::delivery_product::Behaviour;
use crate::doctor_env::DoctorEnv;
use crate::log_lines::Lines;
use crate::test_env::{TestEnv, go_on_at};
use crate::token::WebhookEnv;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Microsoft's API fails while the webhook confirms calls; Microsoft repeats each so many times.
async fn failing_calls(repetitions: i64) -> Observed {
    let (lines, _guard) = Lines::collect("info");
    let env = TestEnv::new().await;
    let id = env.active(Purchase::per_seat("basic", 5)).await;
    env.world(|world| world.change_plan(id, "team")).expect("a change");
    env.fault(Call::GetOperation, FaultKind::Status(500, ErrorForm::Html), Times::Always);
    lines.take();
    let mut observed = Observed::default();
    for repetition in 0..=repetitions {
        match repetition {
            0 => drop(env.deliver().await),
            _ => drop(env.redeliver().await),
        }
        observed.add(&lines.take(), repetition * 6);
    }
    observed
}

pub(super) async fn one_call_fails() -> Observed {
    failing_calls(0).await
}

pub(super) async fn calls_keep_failing() -> Observed {
    failing_calls(1).await
}

async fn forged(times: usize) -> Observed {
    let (lines, _guard) = Lines::collect("info");
    let env = TestEnv::new().await;
    let forged = env.microsoft().entra(|entra| entra.forge(Forgery::ALL[0], TokenVersion::V2));
    let body = json!({ "subscriptionId": Uuid::from_u128(1), "action": "Suspend" }).to_string();
    let answer = env.call(body, Some(&format!("Bearer {forged}"))).await;
    assert_eq!(answer.status, 401);
    let line = lines.take();
    let mut observed = Observed::default();
    for _ in 0..times {
        observed.add(&line, 0);
    }
    observed
}

pub(super) async fn strangers_call() -> Observed {
    forged(500).await
}

pub(super) async fn strangers_flood() -> Observed {
    forged(501).await
}

async fn unknown_keys(failing: usize) -> Observed {
    let (lines, _guard) = Lines::collect("info");
    let webhook = WebhookEnv::new().await;
    let claims = webhook.claims(TokenVersion::V1).to_string();
    lines.take();
    // Five are looked up in a minute, and refused.
    for number in 0..failing + 5 {
        let header = json!({ "alg": "RS256", "kid": format!("unknown-{number}") }).to_string();
        let token = webhook.env.microsoft().entra(|entra| entra.sign_text(&header, &claims));
        webhook.call_with(&token).await;
    }
    Observed::of(&lines.take())
}

pub(super) async fn a_few_unknown_keys() -> Observed {
    unknown_keys(20).await
}

pub(super) async fn many_unknown_keys() -> Observed {
    unknown_keys(21).await
}

pub(super) async fn a_signed_call_that_microsoft_does_not_confirm() -> Observed {
    let (lines, _guard) = Lines::collect("info");
    let env = TestEnv::new().await;
    let (_, operation) = env.about_to(&Action::ChangePlan).await;
    let mut body = env.body_of(operation);
    body["planId"] = json!("gold");
    body["timeStamp"] = json!(env.world(|world| world.now()) - SignedDuration::from_mins(16));
    lines.take();
    assert_eq!(env.signed(body.to_string()).await.status, 200);
    Observed::of(&lines.take())
}

pub(super) async fn an_unknown_word() -> Observed {
    let (lines, _guard) = Lines::collect("info");
    let env = TestEnv::new().await;
    let (_, operation) = env.about_to(&Action::ChangePlan).await;
    let mut body = env.body_of(operation);
    body["action"] = json!("Teleport");
    lines.take();
    assert_eq!(env.signed(body.to_string()).await.status, 200);
    Observed::of(&lines.take())
}

pub(super) async fn the_marketplaces_address_is_wrong() -> Observed {
    let (lines, _guard) = Lines::collect("info");
    let env = TestEnv::new().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    env.fault(Call::Resolve, FaultKind::Status(405, ErrorForm::Empty), Times::Always);
    env.visit(id).await;
    Observed::of(&lines.take())
}

pub(super) async fn microsoft_refuses_our_app() -> Observed {
    let (lines, _guard) = Lines::collect("info");
    let env = TestEnv::new().await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    env.fault(Call::Resolve, FaultKind::Status(403, ErrorForm::BareString), Times::Always);
    env.visit(id).await;
    Observed::of(&lines.take())
}

pub(super) async fn a_secret_ends_in(days: i64) -> Observed {
    let (lines, _guard) = Lines::collect("info");
    let env = credential_ends::env(Some(days), None).await;
    env.system.reconcile().await.expect("a run");
    Observed::of(&lines.take())
}

async fn list_restarts(times: i64) -> Observed {
    let (lines, _guard) = Lines::collect("info");
    let env = TestEnv::new().await;
    let mut observed = Observed::default();
    for number in 0..times {
        go_on_at(&env, "long ago").await;
        env.system.reconcile().await.expect("a run");
        observed.add(&lines.take(), number * 50);
    }
    observed
}

pub(super) async fn the_list_restarts_once() -> Observed {
    list_restarts(1).await
}

pub(super) async fn the_list_restarts_again() -> Observed {
    list_restarts(2).await
}

pub(super) async fn a_call_is_missed() -> Observed {
    let (lines, _guard) = Lines::collect("info");
    let env = TestEnv::new().await;
    let id = env.active(Purchase::flat_rate("silver")).await;
    env.world(|world| world.suspend(id)).expect("a suspension");
    env.world(World::lose_deliveries);
    env.advance(DAY);
    lines.take();
    env.system.reconcile().await.expect("a run");
    Observed::of(&lines.take())
}

pub(super) async fn a_purchase_lapses_soon() -> Observed {
    let (lines, _guard) = Lines::collect("info");
    let env = TestEnv::new().await;
    env.purchase(Purchase::flat_rate("silver"));
    env.advance(24 * DAY);
    env.system.reconcile().await.expect("a run");
    Observed::of(&lines.take())
}

/// Each hour, the reconciliation runs over this page of the list, and the state machine repeats a slice that
/// fails. The last full round was an hour before the first run.
async fn hourly_lists(page: Option<&str>, hours: i64) -> Observed {
    let (lines, _guard) = Lines::collect("info");
    let env = TestEnv::new().await;
    let kind = match page {
        Some(page) => FaultKind::Garbage(page.to_owned()),
        None => FaultKind::Status(500, ErrorForm::Nested),
    };
    env.fault(Call::ListSubscriptions, kind, Times::Always);
    let mut observed = Observed { replaces: &["full_round"], ..Observed::default() };
    for hour in 0..=hours {
        let mut failed = 0;
        while env.system.reconcile().await.is_err() {
            failed += 1;
        }
        assert_eq!(failed, if page.is_some() { 0 } else { 2 }, "{hour}");
        observed.add(&lines.take(), hour * 60);
        observed.end = hour * 60;
        env.advance(Duration::from_secs(60 * 60));
    }
    observed
}

const CIRCLE: &str = r#"{ "subscriptions": [],
    "@nextLink": "https://elsewhere.example/api/saas/subscriptions?continuationToken=t" }"#;

pub(super) async fn the_list_never_ends_for_five_hours() -> Observed {
    hourly_lists(Some(CIRCLE), 4).await
}

pub(super) async fn the_list_never_ends_for_seven_hours() -> Observed {
    hourly_lists(Some(CIRCLE), 6).await
}

pub(super) async fn the_list_fails_for_seven_hours() -> Observed {
    hourly_lists(None, 6).await
}

/// Microsoft refuses a page of the list whose token is fresh.
pub(super) async fn a_page_is_refused_twice() -> Observed {
    let (lines, _guard) = Lines::collect("info");
    let env = TestEnv::new().await;
    env.world(|world| {
        world.settings_mut().behaviour.page_size = 1;
        world.settings_mut().behaviour.failing_page = Some(1);
        world.settings_mut().behaviour.failing_page_status = 400;
        for _ in 0..2 {
            world.purchase(Purchase::flat_rate("silver"));
        }
        world.lose_deliveries();
    });
    assert!(env.system.reconcile().await.expect("a run").finished);
    Observed::of(&lines.take())
}

pub(super) async fn the_reconciliation_is_paused_for_seven_hours() -> Observed {
    let (lines, _guard) = Lines::collect("info");
    let env = TestEnv::new().await;
    let pause = Pause { since: env.system.clock.now(), note: "why".to_owned(), by: None };
    env.system.runs.save_pause(Some(&pause)).await.expect("a write");
    let mut observed = Observed { replaces: &["full_round"], ..Observed::default() };
    for hour in 0..=6 {
        env.system.reconcile().await.expect("a run");
        observed.add(&lines.take(), hour * 60);
        observed.end = hour * 60;
        env.advance(Duration::from_secs(60 * 60));
    }
    observed
}

/// The deployment is examined after so many minutes without a sweep.
async fn examined(minutes: u64) -> Observed {
    let doctor = DoctorEnv::at_work().await;
    let (lines, _guard) = Lines::collect("info");
    doctor.env.pass(60 * minutes);
    doctor.examine().await;
    Observed::of(&lines.take())
}

pub(super) async fn an_examination_finds_nothing() -> Observed {
    examined(1).await
}

pub(super) async fn an_examination_finds_a_fault() -> Observed {
    examined(16).await
}

const SWEPT: &[&str] = &["waiting_subscriptions", "oldest_waiting_seconds", "parked_subscriptions"];

/// The product refuses events for so many minutes, and accepts them for so many more.
async fn refused(minutes: i64, accepted: i64) -> Observed {
    let (lines, _guard) = Lines::collect("info");
    let env = DeliveryEnv::new();
    env.product.behaves(|_| Behaviour::Answers(500));
    let events = env.record(1, 10).await;
    env.stream(&events).await;
    let mut observed = Observed { replaces: SWEPT, ..Observed::default() };
    for minute in 0..minutes + accepted {
        if minute == minutes {
            env.product.behaves(|_| Behaviour::Accepts);
        }
        env.sweep_for_minutes(1).await;
        observed.add(&lines.take(), minute);
    }
    observed
}

pub(super) async fn the_product_is_down_for_half_an_hour() -> Observed {
    refused(30, 0).await
}

pub(super) async fn the_product_is_down_for_longer() -> Observed {
    refused(34, 0).await
}

pub(super) async fn the_product_is_back() -> Observed {
    refused(40, 70).await
}

/// A week, an hour until the next attempt, and five minutes.
pub(super) async fn the_product_is_down_for_a_week() -> Observed {
    const HOURS: i64 = 7 * 24 + 2;
    let (lines, _guard) = Lines::collect("info");
    let env = DeliveryEnv::new();
    env.product.behaves(|_| Behaviour::Answers(500));
    let events = env.record(1, 10).await;
    env.stream(&events).await;
    let mut observed = Observed { replaces: SWEPT, ..Observed::default() };
    for hour in 0..HOURS {
        env.clock.advance(SignedDuration::from_hours(1));
        env.sweep().await;
        observed.add(&lines.take(), hour * 60);
    }
    for minute in 1..=5 {
        env.sweep_for_minutes(1).await;
        observed.add(&lines.take(), (HOURS - 1) * 60 + minute);
    }
    observed
}
