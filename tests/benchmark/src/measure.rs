//! Measures one change, from a cold start.

use std::path::Path;
use std::time::Duration;

use emulator::{Call, Fault, FaultKind, Purchase, Times, TokenVersion};
use http::StatusCode;
use jiff::Timestamp;
use local::decider::{Decider, Reply};
use local::{LocalSystem, Options};
use runtime::{Event, Lambda, Live};
use serde_json::json;
use uuid::Uuid;

use crate::scenario::{Product, Scenario};

/// Times since the start of the process.
pub(crate) struct Measured {
    /// When Microsoft received the acknowledgement.
    pub acknowledged: Duration,
    /// When the caller received the HTTP answer.
    pub answered: Duration,
}

/// Starts the webhook cold, sends it a change, and checks that the change was rejected.
pub(crate) async fn measure(binary: &Path, scenario: &Scenario) -> Result<Measured, String> {
    let decider = Decider::start().await.map_err(|error| error.to_string())?;
    let settings = match scenario.product {
        Product::None => [("CHANGE_POLICY".to_owned(), "reject".to_owned())].into(),
        Product::Rejects | Product::Hangs => {
            let mut settings = decider.settings();
            settings.insert("DECISION_FALLBACK".to_owned(), "reject".to_owned());
            settings
        }
    };
    decider.reply_with(match scenario.product {
        Product::None | Product::Rejects => Reply::Reject("not now".to_owned()),
        Product::Hangs => Reply::Never,
    });
    let mut options = Options { variables: settings.clone(), ..Options::default() };
    options.emulator.live = true;
    let system = LocalSystem::start(options).await.map_err(|error| error.to_string())?;
    let emulator = system.emulator().ok_or("the system has no emulator")?;

    let id = active(&system).await?;
    let operation = emulator.world(|world| world.change_plan(id, "gold"));
    let operation = operation.map_err(|refused| format!("no change: {refused:?}"))?;
    let signed = emulator.entra(|entra| entra.webhook_token(TokenVersion::V1));
    let live = Live { signed: Some(signed), ..Live::operation(id, operation) };
    let event = Event::load("webhook", "change-plan", &live);
    emulator.world(|world| {
        world.clear_calls();
        for call in scenario.slow {
            let kind = FaultKind::Delay(scenario.by);
            world.faults_mut().add(Fault { call: *call, kind, times: Times::Always });
        }
    });

    let mut webhook = Lambda::start_with(binary, "webhook", &system, &settings).await;
    let started = webhook.started();
    let answer = webhook.invoke(&event).await;
    let answered = since(started, Timestamp::now());
    webhook.end().await;

    let answer = answer.map_err(|error| format!("the webhook failed: {error}"))?;
    if answer.status != StatusCode::BAD_REQUEST.as_u16() {
        return Err(format!("the change was answered with {}", answer.status));
    }
    let acknowledged = emulator.world(|world| {
        let made = world.calls().iter().rfind(|made| made.call == Call::UpdateOperation);
        made.filter(|made| made.request_body == Some(json!({ "status": "Failure" })))
            .map(|made| made.at)
    });
    // Without our rejection, Microsoft would have accepted the change.
    let status = emulator.world(|world| world.operation(operation).status);
    match acknowledged {
        Some(at) if status == "Failed" => {
            Ok(Measured { acknowledged: since(started, at), answered })
        }
        _ => Err(format!("the change is {status}, and was acknowledged at {acknowledged:?}")),
    }
}

/// Buys a subscription and confirms it on the landing page.
async fn active(system: &LocalSystem) -> Result<Uuid, String> {
    let emulator = system.emulator().ok_or("the system has no emulator")?;
    let id = emulator.world(|world| world.purchase(Purchase::flat_rate("silver")));
    let token = emulator.world(|world| world.purchase_token(id));
    let landing = format!("{}/landing", system.url());
    let button =
        shared::host::http_client::client().post(landing).form(&[("token", token)]).send().await;
    match button.map(|answer| answer.status()) {
        Ok(StatusCode::OK) => Ok(id),
        other => Err(format!("the purchase was not confirmed: {other:?}")),
    }
}

fn since(begun: Timestamp, at: Timestamp) -> Duration {
    Duration::try_from(at.duration_since(begun)).unwrap_or_default()
}
