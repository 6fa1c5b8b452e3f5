//! The composition root: reads the settings and builds what a function stands on. It alone may
//! name every wing.

mod address;
mod aws;
mod azure_identity;
mod branding;
mod change_approval;
mod console_app;
mod credential;
mod credential_ends;
mod delivery;
mod endpoints;
mod guid;
mod handover;
mod landing_app;
mod management;
mod microsoft;
mod retention;
mod secret;
mod web_app;
mod web_identity_role;

use std::sync::Arc;

pub use aws::{dynamodb, table};
pub use branding::{
    ActivationMode, Branding, Field, LANGUAGES, Label, Logo, OfferBranding, Offers, OffersError,
    SignUpPage, Support, is_email, publisher_name,
};
pub use console_app::{CONSOLE_BASE_URL, alarms};
pub use credential_ends::{AppCredential, app_credentials, credential_ends};
pub use delivery::{DeliverySettings, EndpointSettings, EventBusSettings, RateLimit};
pub use handover::handover_keys;
pub use landing_app::LANDING_BASE_URL;
pub use management::ManagementSettings;
pub use microsoft::{MARKETPLACE_APP_ID, Microsoft};
pub use retention::Retention;

use crate::flows::erasure::ErasureFlow;
use crate::flows::ledger::Ledger;
use crate::host::clock::{Clock, SystemClock};
use crate::host::deadline::DeadlineTransport;
use crate::host::environment::{ConfigError, Environment};
use crate::host::http_client::{HttpClient, Transport};
use crate::store::{
    AnnotationStore, Checkpoints, DueWork, Erasures, OfferSettings, Outbox, Receivers, Refusals,
    Runs, Sightings, Store,
};

/// What every function that talks to Microsoft is built from.
pub struct Dependencies {
    /// The one HTTP client of the process, cut off at each request's deadline.
    pub transport: Arc<dyn Transport>,
    pub microsoft: Microsoft,
    pub store: Arc<dyn Store>,
    /// The same table, for the reconciliation.
    pub checkpoints: Arc<dyn Checkpoints>,
    /// The same table, for what is due about records.
    pub due_work: Arc<dyn DueWork>,
    /// The same table, for what the reconciliation's runs leave behind.
    pub runs: Arc<dyn Runs>,
    /// The same table, for the landing page.
    pub refusals: Arc<dyn Refusals>,
    /// The same table, for what a function sees beside its work.
    pub sightings: Arc<dyn Sightings>,
    /// The same table, for erasures, as are the next three.
    pub erasures: Arc<dyn Erasures>,
    pub outbox: Arc<dyn Outbox>,
    pub receiver_states: Arc<dyn Receivers>,
    pub annotations: Arc<dyn AnnotationStore>,
    /// The same table, for what single offers have of their own on the landing page.
    pub offer_settings: Arc<dyn OfferSettings>,
    pub clock: Arc<dyn Clock>,
}

impl Dependencies {
    /// Reads the settings that these functions have in common.
    pub fn read(environment: &Environment) -> Result<Self, ConfigError> {
        Self::with_clock(environment, Arc::new(SystemClock))
    }

    /// The same with another clock than the machine's.
    pub fn with_clock(
        environment: &Environment,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ConfigError> {
        let transport = transport(&clock);
        let microsoft = Microsoft::read(environment, &transport)?;
        let table = table(environment, &transport, clock.clone())?;
        Ok(Self {
            microsoft,
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
            offer_settings: table,
            transport,
            clock,
        })
    }

    pub fn ledger(&self) -> Ledger {
        Ledger::new(self.store.clone(), self.clock.clone())
    }

    /// Erasures, which wait for the receivers that the settings name.
    pub fn erasure(&self, environment: &Environment) -> Result<ErasureFlow, ConfigError> {
        Ok(ErasureFlow {
            ledger: self.ledger(),
            erasures: self.erasures.clone(),
            outbox: self.outbox.clone(),
            annotations: self.annotations.clone(),
            receivers: delivery::receivers(environment)?,
            receiver_states: self.receiver_states.clone(),
        })
    }
}

/// The way out of the process. Build it once: its clones share connections.
pub fn transport(clock: &Arc<dyn Clock>) -> Arc<dyn Transport> {
    Arc::new(DeadlineTransport::new(HttpClient::default(), clock.clone()))
}

#[cfg(test)]
mod tests;
