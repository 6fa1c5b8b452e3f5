//! An examination ends in time.

use std::sync::Mutex;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use jiff::{SignedDuration, Timestamp};
use shared::host::deadline::{CALLER_TIME, DeadlineTransport, with_deadline};
use shared::host::environment::Environment;
use shared::host::http_client::SendError;
use shared::publisher::receiver::ReceiverSettings;
use uuid::Uuid;

use super::*;

/// No peer ever answers.
#[derive(Debug)]
struct Hanging;

#[async_trait]
impl Transport for Hanging {
    async fn send(
        &self,
        _: Request<Bytes>,
        timeout: Duration,
    ) -> Result<Response<Bytes>, SendError> {
        tokio::time::sleep(timeout).await;
        Err(SendError::NoAnswer("timed out".into()))
    }
}

/// The runtime's own time, which a paused runtime moves at once.
#[derive(Debug)]
struct Paused(tokio::time::Instant);

#[async_trait]
impl Clock for Paused {
    fn now(&self) -> Timestamp {
        let passed = SignedDuration::try_from(self.0.elapsed()).expect("a short time");
        "2026-03-10T12:00:00Z".parse::<Timestamp>().expect("a timestamp") + passed
    }

    async fn sleep(&self, pause: Duration) {
        tokio::time::sleep(pause).await;
    }

    fn new_id(&self) -> Uuid {
        Uuid::new_v4()
    }
}

fn doctor(environment: &Environment, clock: Arc<dyn Clock>) -> Doctor {
    let transport: Arc<dyn Transport> = Arc::new(DeadlineTransport::new(Hanging, clock.clone()));
    let table = shared::config::table(environment, &transport, clock.clone()).expect("settings");
    let dependencies = Dependencies {
        microsoft: Microsoft::read(environment, &transport).expect("settings"),
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
    let settings = ManagementSettings {
        source: "urn:saas-fulfillment".to_owned(),
        receivers: vec![ReceiverSettings::of_all(Target::Endpoint)],
        receiver_states: table.clone(),
        outbox: table.clone(),
        idempotency: table.clone(),
        annotations: table.clone(),
        attempts: table.clone(),
        inspection: table.clone(),
        examinations: table.clone(),
        overview: table.clone(),
        offers: table.clone(),
        erasures: table,
        starter: None,
        end: None,
        bytes: 1000,
    };
    Doctor::new(&dependencies, &settings)
}

fn environment() -> Environment {
    Environment::from_fn(|name| {
        Some(match name {
            "ENTRA_TENANT_ID" | "ENTRA_CLIENT_ID" => Uuid::from_u128(1).to_string(),
            "ENTRA_CLIENT_SECRET_ARN" => {
                "arn:aws:secretsmanager:eu-north-1:123456789012:secret:a-AbCdEf".to_owned()
            }
            "TABLE_NAME" => "subscriptions".to_owned(),
            "DELIVERY_ENDPOINT" => "https://product.example/events".to_owned(),
            "AWS_REGION" => "eu-north-1".to_owned(),
            "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => "local".to_owned(),
            _ => return None,
        })
    })
}

#[tokio::test(start_paused = true)]
async fn an_examination_ends_within_twenty_seconds_if_no_peer_ever_answers() {
    let begun = tokio::time::Instant::now();
    let clock = Arc::new(Paused(begun));
    let doctor = doctor(&environment(), clock.clone());
    let gateway = GatewayHost("signup.example.com".to_owned());
    let found = doctor.examine(Some(&gateway));
    let found = with_deadline(clock.now() + CALLER_TIME, found).await;
    assert!(begun.elapsed() <= Duration::from_secs(20), "{:?}", begun.elapsed());
    let found = found.checks;
    let with = |outcome| -> Vec<&str> {
        let found = found.iter().filter(|finding| finding.outcome == outcome);
        found.map(|finding| finding.check.as_str()).collect()
    };
    assert_eq!(with(CheckOutcome::Failed), ["token", "table", "indexes", "secrets"], "{found:?}");
    assert_eq!((with(CheckOutcome::Ok), found.len()), (vec!["settings", "credential"], 14));
}

/// What is kept, and whether it can be read.
#[derive(Default)]
struct Kept {
    last: Option<Examination>,
    is_unreadable: bool,
    saved: Mutex<Vec<Examination>>,
}

#[async_trait]
impl Examinations for Kept {
    async fn last_examination(&self) -> Result<Option<Examination>, StoreError> {
        match self.is_unreadable {
            true => Err(StoreError::unavailable("by the test")),
            false => Ok(self.last.clone()),
        }
    }

    async fn save_examination(&self, examination: &Examination) -> Result<(), StoreError> {
        self.saved.lock().expect("no test panicked").push(examination.clone());
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn an_examination_without_the_gateway_keeps_the_host_or_is_not_kept() {
    const HOST: &str = "signup.example.com";
    let last = Examination {
        examined_at: "2026-03-10T11:00:00Z".parse().expect("a timestamp"),
        version: "0.2.0".to_owned(),
        host: Some(HOST.to_owned()),
        checks: Vec::new(),
    };
    let unreadable = Kept { is_unreadable: true, ..Kept::default() };
    let readable = Kept { last: Some(last), ..Kept::default() };
    for (kept, hosts) in [(readable, vec![HOST]), (unreadable, vec![])] {
        let kept = Arc::new(kept);
        let clock = Arc::new(Paused(tokio::time::Instant::now()));
        let doctor = Doctor { examinations: kept.clone(), ..doctor(&environment(), clock.clone()) };
        with_deadline(clock.now() + CALLER_TIME, doctor.examine(None)).await;
        let saved = kept.saved.lock().expect("no test panicked");
        let saved: Vec<_> = saved.iter().map(|saved| saved.host.as_deref()).collect();
        assert_eq!(saved, hosts.into_iter().map(Some).collect::<Vec<_>>());
    }
}
