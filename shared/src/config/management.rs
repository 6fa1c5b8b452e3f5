//! What the publisher's API needs beside [`Dependencies`].

use std::sync::Arc;

use super::{Dependencies, delivery, table};
use crate::host::environment::{ConfigError, Environment};
use crate::store::{AnnotationStore, IdempotencyStore, Outbox, Target};

pub struct ManagementSettings {
    /// The `source` of every event, as in the delivery.
    pub source: String,
    /// The receivers of the delivery.
    pub targets: Vec<Target>,
    pub outbox: Arc<dyn Outbox>,
    pub idempotency: Arc<dyn IdempotencyStore>,
    pub annotations: Arc<dyn AnnotationStore>,
}

impl ManagementSettings {
    /// Reads the delivery's settings, without its keys.
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
        Ok(Self {
            source,
            targets,
            outbox: table.clone(),
            idempotency: table.clone(),
            annotations: table,
        })
    }
}
