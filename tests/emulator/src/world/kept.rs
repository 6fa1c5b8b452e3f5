//! What one run of the emulator leaves to the next one, as JSON.
//!
//! It leaves subscriptions, operations, purchase tokens, webhooks that are under way, and the clock.
//! The log of calls, the faults and Entra's sessions end with the run.

use super::operation::OperationState;
use super::state::{StoredSubscription, World};
use super::timer::Timer;
use super::webhook_queue::WebhookQueue;
use crate::settings::Settings;
use jiff::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;
use uuid::Uuid;

/// The only version so far. Members are only added to it.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Kept {
    version: u32,
    now: Timestamp,
    ahead: Duration,
    subscriptions: Vec<StoredSubscription>,
    operations: Vec<OperationState>,
    tokens: HashMap<String, (Uuid, Timestamp)>,
    timers: BTreeSet<(Timestamp, u64, Timer)>,
    timers_set: u64,
    webhooks: WebhookQueue,
}

impl World {
    /// What the next run continues from.
    pub fn to_json(&self) -> String {
        let kept = Kept {
            version: VERSION,
            now: self.now,
            ahead: self.ahead,
            subscriptions: self.subscriptions.clone(),
            operations: self.operations.clone(),
            tokens: self.tokens.clone(),
            timers: self.timers.clone(),
            timers_set: self.timers_set,
            webhooks: self.webhooks.clone(),
        };
        serde_json::to_string(&kept).expect("text, numbers and maps by text are JSON")
    }

    /// A world that continues from what [`World::to_json`] returned. Its clock starts where the
    /// earlier run's ended. The settings need another seed: the same one would repeat ids.
    ///
    /// # Errors
    /// If the text is anything else.
    pub fn from_json(settings: Settings, json: &str) -> Result<Self, serde_json::Error> {
        let kept: Kept = serde_json::from_str(json)?;
        if kept.version != VERSION {
            let problem = format!("version {} is not known here", kept.version);
            return Err(serde_json::Error::custom(problem));
        }
        let mut world = Self::new(settings);
        world.ahead = kept.ahead;
        world.timers = kept.timers;
        world.timers_set = kept.timers_set;
        world.tokens = kept.tokens;
        world.webhooks = kept.webhooks;
        world.subscription_places = places(kept.subscriptions.iter().map(|one| one.state().id));
        world.subscriptions = kept.subscriptions;
        world.operation_places = places(kept.operations.iter().map(|one| one.id));
        world.operations = kept.operations;
        world.set_now(kept.now);
        Ok(world)
    }
}

fn places(ids: impl Iterator<Item = Uuid>) -> HashMap<Uuid, usize> {
    ids.enumerate().map(|(place, id)| (id, place)).collect()
}
