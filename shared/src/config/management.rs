//! What the publisher's own API has beside the foundation.

use std::sync::Arc;

use super::{Dependencies, delivery, table};
use crate::host::environment::{ConfigError, Environment};
use crate::store::{IdempotencyStore, Outbox, Target};

/// What the publisher's own API shows events as, has told again, and remembers.
pub struct ManagementSettings {
    /// The `source` of every event, as the delivery has it.
    pub source: String,
    /// Whom the delivery tells.
    pub targets: Vec<Target>,
    /// Where the delivery goes on.
    pub outbox: Arc<dyn Outbox>,
    /// Requests that are not carried out twice.
    pub idempotency: Arc<dyn IdempotencyStore>,
}

impl ManagementSettings {
    /// Reads what the delivery is set to, without its keys.
    pub fn read(
        environment: &Environment,
        dependencies: &Dependencies,
    ) -> Result<Self, ConfigError> {
        let named =
            [(delivery::ENDPOINT, Target::Endpoint), (delivery::EVENT_BUS, Target::EventBus)];
        let targets = named.into_iter().filter(|(name, _)| environment.get(name).is_some());
        let targets = targets.map(|(_, target)| target).collect();
        let Dependencies { transport, clock, .. } = dependencies;
        let table = table(environment, transport, clock.clone())?;
        let source = delivery::source(environment)?;
        Ok(Self { source, targets, outbox: table.clone(), idempotency: table })
    }
}
