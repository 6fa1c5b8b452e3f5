//! What last happened in a deployment: Microsoft's calls, the schedules, and events on their way.

use emulator::{Call, FaultKind, Purchase, Times};
use jiff::SignedDuration;
use shared::domain::{Position, SubscriptionId};
use shared::store::{
    Cursor, CursorState, Outbox as _, Pause, ReceiverState, Receivers as _, Sighting, Target,
    Trouble,
};

use crate::doctor_env::{DoctorEnv, Fault, OWN_HOST, settings, webhook};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

#[tokio::test]
async fn schedules_that_are_silent_are_failures_with_their_parameters() {
    let doctor = DoctorEnv::at_work().await;
    doctor.env.pass(14 * MINUTE);
    doctor.examine().await.has("sweep", "ok", &["14 minutes ago"]);
    doctor.env.pass(2 * MINUTE);
    let found = doctor.examine().await;
    assert_eq!(found.with("failed"), ["sweep"]);
    found.has("sweep", "failed", &["16 minutes ago", "DeliverySchedule and Schedules"]);
    doctor.env.system.sweep().await.expect("a sweep");
    doctor.examine().await.has("sweep", "ok", &["less than a minute ago"]);

    doctor.env.pass(5 * HOUR);
    doctor.examine().await.has("reconciliation", "ok", &["5 hours ago"]);
    doctor.env.pass(HOUR);
    let found = doctor.examine().await;
    let words = ["6 hours ago", "ReconciliationRun", "ReconciliationSchedule and Schedules"];
    found.has("reconciliation", "failed", &words);
    doctor.env.system.reconcile().await.expect("a run");
    doctor.examine().await.has("reconciliation", "ok", &["less than a minute ago"]);
}

#[tokio::test]
async fn a_run_that_begins_or_fails_does_not_forget_the_last_full_round() {
    let doctor = DoctorEnv::at_work().await;
    doctor.env.pass(HOUR);
    let garbage = FaultKind::Garbage("{".to_owned());
    doctor.env.fault(Call::ListSubscriptions, garbage, Times::Always);
    doctor.env.system.reconcile().await.expect_err("the list can't be read");
    doctor.env.world(|world| world.faults_mut().clear());
    doctor.examine().await.has("reconciliation", "ok", &["1 hour ago"]);
}

#[tokio::test]
async fn the_last_webhook_call_is_told_with_its_host() {
    const DAY: i64 = 24 * 60 * 60;
    let asked_at = |gateway| Fault { gateway: Some(gateway), ..Fault::default() };
    let doctor = DoctorEnv::new().await;
    doctor.seen(webhook(OWN_HOST), 2 * DAY).await;
    let found = doctor.examine_with(asked_at(OWN_HOST)).await;
    found.has("webhook", "ok", &["2 days ago", OWN_HOST]);
    // The domain answers, and Partner Center doesn't name it.
    let found = doctor.examine_with(asked_at("signup.example.com")).await;
    let words = ["2 days ago", OWN_HOST, "not signup.example.com", "Connection webhook"];
    found.has("webhook", "warning", &words);

    doctor.seen(webhook("signup.example.com"), 3600).await;
    for gateway in [OWN_HOST, "signup.example.com"] {
        let found = doctor.examine_with(asked_at(gateway)).await;
        let words =
            ["1 hour ago, on signup.example.com", OWN_HOST, "2 days ago", "DefaultEndpoint"];
        found.has("webhook", "ok", &words);
    }
    doctor.seen(webhook(OWN_HOST), 60).await;
    let found = doctor.examine_with(asked_at(OWN_HOST)).await;
    found.has("webhook", "warning", &["1 minute ago", "not signup.example.com"]);
}

#[tokio::test]
async fn an_examination_without_a_gateway_compares_with_the_host_of_the_one_before() {
    let doctor = DoctorEnv::new().await;
    doctor.seen(webhook(OWN_HOST), 60).await;
    doctor.examine().await.has("webhook", "ok", &[OWN_HOST]);
    let domain = Fault { gateway: Some("signup.example.com"), ..Fault::default() };
    doctor.examine_with(domain).await;
    for _ in 0..2 {
        let found = doctor.examine().await;
        found.has("webhook", "warning", &["not signup.example.com"]);
        found.has("settings", "ok", &["4096 bytes that Lambda allows"]);
        assert_eq!(found.0["host"], "signup.example.com");
    }
}

#[tokio::test]
async fn microsofts_calls_are_noted_and_a_strangers_are_not() {
    let doctor = DoctorEnv::new().await;
    let env = &doctor.env;
    let id = env.active(Purchase::per_seat("basic", 5)).await;
    let forged =
        env.microsoft().deliver_raw("{}".to_owned(), Some("Bearer x.y.z".to_owned())).await;
    assert_eq!(forged.expect("an answer").0, 401);
    doctor.examine().await.has("webhook", "warning", &["has not called"]);
    // A call never waits for its note, and the next one writes it.
    for seats in 6.. {
        env.world(|world| world.change_quantity(id, seats)).expect("a change");
        assert_eq!(env.deliver_statuses().await, [200]);
        if doctor.examine().await.with("warning") == ["sweep", "reconciliation"] {
            break;
        }
        env.pass(2 * MINUTE);
    }
    doctor.examine().await.has("webhook", "ok", &["ago, on 127.0.0.1:"]);
}

fn trouble(since: jiff::Timestamp) -> Trouble {
    Trouble { since, attempts: 5, last: "answered 500".to_owned() }
}

#[tokio::test]
async fn events_that_the_product_refuses_are_counted_waiting_and_parked() {
    let doctor = DoctorEnv::at_work().await;
    let now = doctor.env.system.clock.now();
    let id = |number| SubscriptionId(uuid::Uuid::from_u128(number));
    let at = now + SignedDuration::from_mins(40);
    let save = async |number, revision, state| {
        let cursor =
            Cursor { revision, delivered: Position::default(), state, ..Cursor::default() };
        doctor.table().save_cursor(id(number), Target::Endpoint, &cursor).await.expect("saved");
    };
    let since = |minutes| Some(trouble(now - SignedDuration::from_mins(minutes)));
    save(1, 1, CursorState::Due { at, trouble: since(20) }).await;
    let words = ["1 subscription wait", "20 minutes ago", "fails after 30 minutes"];
    doctor.examine().await.has("events", "ok", &words);
    save(2, 1, CursorState::Due { at, trouble: since(31) }).await;
    save(3, 1, CursorState::Due { at, trouble: since(300) }).await;
    let found = doctor.examine().await;
    assert_eq!(found.with("failed"), ["events"]);
    found.has("events", "failed", &["3 subscriptions", "5 hours ago", "DeliveryEndpoint"]);
    save(3, 2, CursorState::Parked { at: now, trouble: trouble(now) }).await;
    let words = ["1 subscription are parked", "saasctl recover --parked", "DeliveryEndpoint"];
    doctor.examine().await.has("events", "failed", &words);
}

#[tokio::test]
async fn a_pause_of_more_than_a_day_is_a_warning_and_what_waits_for_it_is_none() {
    let doctor = DoctorEnv::at_work().await;
    let pause = |hours| {
        let since = doctor.env.system.clock.now() - SignedDuration::from_hours(hours);
        Some(Pause { since, note: "it moves".to_owned(), by: None })
    };
    let state = |revision, paused| ReceiverState { revision, paused, ..ReceiverState::default() };
    let save = async |state| {
        doctor.table().save_receiver(Target::Endpoint, &state).await.expect("saved");
    };
    save(state(1, pause(23))).await;
    let due = CursorState::Due { at: doctor.env.system.clock.now(), trouble: None };
    let cursor = Cursor { revision: 1, state: due, ..Cursor::default() };
    let id = SubscriptionId(uuid::Uuid::from_u128(1));
    doctor.table().save_cursor(id, Target::Endpoint, &cursor).await.expect("saved");
    doctor.examine().await.has("events", "ok", &["No delivery to your product is failing"]);
    save(state(2, pause(25))).await;
    let found = doctor.examine().await;
    found.has("events", "warning", &["endpoint", "1 day ago", "saasctl resume-receiver endpoint"]);
    save(state(3, None)).await;
    doctor.examine().await.has("events", "ok", &["1 subscription wait"]);
}

#[tokio::test]
async fn events_that_no_delivery_looks_at_are_a_failed_stream() {
    let doctor = DoctorEnv::at_work().await;
    doctor.env.active(Purchase::flat_rate("silver")).await;
    doctor.env.pass(2 * MINUTE + 30);
    doctor.examine().await.has("stream", "ok", &["3 minutes"]);
    doctor.env.pass(MINUTE);
    let found = doctor.examine().await;
    assert_eq!(found.with("failed"), ["stream"]);
    found.has("stream", "failed", &["2 events", "dead letters", "DeliverySchedule"]);
    doctor.env.system.sweep().await.expect("a sweep");
    doctor.examine().await.has("stream", "ok", &[]);
}

#[tokio::test]
async fn without_a_receiver_nothing_is_expected_of_the_delivery() {
    let doctor = DoctorEnv::at_work().await;
    doctor.env.active(Purchase::flat_rate("silver")).await;
    doctor.env.pass(HOUR);
    let found = doctor.examine_with(settings(&[("DELIVERY_ENDPOINT", "")])).await;
    for check in ["stream", "sweep", "events"] {
        found.has(check, "ok", &["No receiver"]);
    }
}

#[tokio::test]
async fn a_sweep_is_noted_every_five_minutes() {
    let doctor = DoctorEnv::at_work().await;
    let noted = async || {
        let seen = shared::store::Sightings::sightings(&*doctor.table()).await.expect("a read");
        seen.into_iter().find(|(sighting, _)| *sighting == Sighting::Sweep).expect("noted").1
    };
    let first = noted().await;
    for (minutes, is_noted) in [(1, false), (3, false), (1, true)] {
        doctor.env.pass(minutes * MINUTE);
        doctor.env.system.sweep().await.expect("a sweep");
        assert_eq!(noted().await > first, is_noted, "{minutes}");
    }
}
