//! Measures the webhook's own processor time, from a cold start to the first answer and for each warm
//! call.

use std::path::Path;
use std::time::Duration;

use emulator::{Purchase, TokenVersion};
use local::Options;
use local::test_env::TestEnv;
use runtime::{Credential, Event, Lambda, Live};

/// How many warm calls one process answers.
const CALLS: u32 = 100;

/// The processor time of one process.
#[derive(Clone)]
pub(crate) struct Cpu {
    /// From its start to its first answer.
    pub cold: Duration,
    /// For each of the calls after it.
    pub warm: Duration,
}

/// Starts the webhook cold, and calls it with a change of plan, again and again.
pub(crate) async fn cpu(binary: &Path, credential: Option<Credential>) -> Result<Cpu, String> {
    let mut options = Options::default();
    options.emulator.live = true;
    let env = TestEnv::with(options).await;
    let settings = credential.map(|credential| credential.settings(&env)).unwrap_or_default();
    let id = env.active(Purchase::flat_rate("silver")).await;
    let operation = env.world(|world| world.change_plan(id, "gold"));
    let operation = operation.map_err(|refused| format!("no change: {refused:?}"))?;
    let signed = env.microsoft().entra(|entra| entra.webhook_token(TokenVersion::V1));
    let live = Live { signed: Some(signed), ..Live::operation(id, operation) };
    let event = Event::load("webhook", "change-plan", &live);

    let mut webhook = Lambda::start_with(binary, "webhook", &env.system, &settings).await;
    let mut spent = Vec::new();
    for _ in 0..=CALLS {
        let answer = webhook.invoke(&event).await;
        let answer = answer.map_err(|error| format!("the webhook failed: {error}"))?;
        if answer.status != 200 {
            return Err(format!("the change was answered with {}", answer.status));
        }
        spent.push(webhook.cpu_time().ok_or("the system doesn't tell a process's time")?);
    }
    webhook.end().await;
    let (first, last) = (spent[0], spent[spent.len() - 1]);
    Ok(Cpu { cold: first, warm: (last - first) / CALLS })
}
