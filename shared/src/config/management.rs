//! What the publisher's API needs beside [`Dependencies`].

use std::sync::Arc;

use super::aws::Aws;
use super::credential_ends::entra_end;
use super::{Dependencies, delivery, table};
use crate::host::environment::{ConfigError, Environment};
use crate::host::step_functions::RunStarter;
use crate::microsoft::entra::EndingCredential;
use crate::publisher::receiver::ReceiverSettings;
use crate::store::{
    AnnotationStore, Attempts, Erasures, Examinations, IdempotencyStore, Inspection, OfferSettings,
    Outbox, Overview, Receivers, Target,
};

#[derive(Clone)]
pub struct ManagementSettings {
    /// The `source` of every event, as in the delivery.
    pub source: String,
    /// The receivers of the delivery.
    pub receivers: Vec<ReceiverSettings>,
    /// What the table knows about them.
    pub receiver_states: Arc<dyn Receivers>,
    pub outbox: Arc<dyn Outbox>,
    pub idempotency: Arc<dyn IdempotencyStore>,
    pub annotations: Arc<dyn AnnotationStore>,
    pub attempts: Arc<dyn Attempts>,
    pub inspection: Arc<dyn Inspection>,
    pub examinations: Arc<dyn Examinations>,
    /// For pages that people read.
    pub overview: Arc<dyn Overview>,
    pub offers: Arc<dyn OfferSettings>,
    /// Starts runs of the reconciliation; `None` where only the schedule does.
    pub starter: Option<Arc<dyn RunStarter>>,
    pub erasures: Arc<dyn Erasures>,
    /// Where the end of the app's credential is written; `None` if it has no end.
    pub end: Option<EndingCredential>,
    /// How many bytes Lambda counts for the settings that the process has read.
    pub bytes: usize,
}

impl ManagementSettings {
    /// The receivers' names.
    pub fn targets(&self) -> Vec<Target> {
        self.receivers.iter().map(|receiver| receiver.target).collect()
    }

    /// Reads the delivery's settings, without its keys.
    pub fn read(
        environment: &Environment,
        dependencies: &Dependencies,
    ) -> Result<Self, ConfigError> {
        let receivers = delivery::receivers(environment)?;
        let Dependencies { transport, clock, .. } = dependencies;
        let table = table(environment, transport, clock.clone())?;
        let source = delivery::source(environment)?;
        let end = entra_end(environment, transport)?;
        Ok(Self {
            source,
            receivers,
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
            end,
            bytes: environment.bytes(),
        })
    }

    /// The same with what starts runs on AWS: the state machine that the template names.
    pub fn read_on_aws(
        environment: &Environment,
        dependencies: &Dependencies,
    ) -> Result<Self, ConfigError> {
        let settings = Self::read(environment, dependencies)?;
        let starter: Option<Arc<dyn RunStarter>> = match environment.get("RECONCILIATION_RUN_ARN") {
            None => None,
            Some(arn) => {
                let aws = Aws::read(environment, &dependencies.transport)?;
                Some(Arc::new(aws.state_machine(environment, arn)?))
            }
        };
        // Counted again, with the settings read since.
        Ok(Self { starter, bytes: environment.bytes(), ..settings })
    }
}
