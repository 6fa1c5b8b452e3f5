//! What the publisher's own API has beside the foundation.

use std::sync::Arc;

use super::{ConfigError, Environment, Foundation, delivery, table};
use crate::store::{Outbox, Requests, Target};

/// What the publisher's own API shows events as, has told again, and remembers.
pub struct ManagementSettings {
    /// The `source` of every event, as the delivery has it.
    pub source: String,
    /// Whom the delivery tells.
    pub targets: Vec<Target>,
    /// Where the delivery goes on.
    pub outbox: Arc<dyn Outbox>,
    /// Requests that are not carried out twice.
    pub requests: Arc<dyn Requests>,
}

impl ManagementSettings {
    /// Reads what the delivery is set to, without its keys.
    pub fn read(environment: &Environment, foundation: &Foundation) -> Result<Self, ConfigError> {
        let named =
            [(delivery::ENDPOINT, Target::Endpoint), (delivery::EVENT_BUS, Target::EventBus)];
        let targets = named.into_iter().filter(|(name, _)| environment.get(name).is_some());
        let targets = targets.map(|(_, target)| target).collect();
        let transport = foundation.microsoft.transport();
        let table = Arc::new(table(environment, transport, foundation.system.clone())?);
        let source = delivery::source(environment)?;
        Ok(Self { source, targets, outbox: table.clone(), requests: table })
    }
}
