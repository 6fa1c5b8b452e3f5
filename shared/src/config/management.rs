//! What the publisher's API needs beside [`Dependencies`].

use std::sync::Arc;

use super::credential_ends::entra_end;
use super::{Dependencies, delivery, table};
use crate::host::environment::{ConfigError, Environment};
use crate::microsoft::entra::EndingCredential;
use crate::store::{AnnotationStore, IdempotencyStore, Inspection, Outbox, Target};

pub struct ManagementSettings {
    /// The `source` of every event, as in the delivery.
    pub source: String,
    /// The receivers of the delivery.
    pub targets: Vec<Target>,
    pub outbox: Arc<dyn Outbox>,
    pub idempotency: Arc<dyn IdempotencyStore>,
    pub annotations: Arc<dyn AnnotationStore>,
    pub inspection: Arc<dyn Inspection>,
    /// Where the end of the app's credential is written; `None` if it has no end.
    pub end: Option<EndingCredential>,
    /// How many bytes Lambda counts for the settings that the process has read.
    pub bytes: usize,
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
        let end = entra_end(environment, transport)?;
        Ok(Self {
            source,
            targets,
            outbox: table.clone(),
            idempotency: table.clone(),
            annotations: table.clone(),
            inspection: table,
            end,
            bytes: environment.bytes(),
        })
    }
}
