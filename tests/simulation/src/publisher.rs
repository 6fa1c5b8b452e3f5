//! The functions that ship, each in an execution environment of its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use activation::Activate;
use landing::Landing;
use management::Management;
use reconciliation::Reconciliation;
use shared::config::{ConfigError, Environment, Foundation, ManagementSettings, Microsoft};
use shared::http::Handler;
use shared::outbound::Transport;
use webhook::Webhook;

use crate::io::{Io, SimulatedSystem};
use crate::store::{MemoryStore, SimulatedStore};
use crate::transport::{ENTRA, MARKETPLACE, SimulatedTransport};

/// One of the functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    Landing,
    Webhook,
    Activation,
    Management,
    Reconciliation,
}

/// The publisher's side.
pub struct Publisher {
    io: Arc<Io>,
    table: MemoryStore,
    settings: BTreeMap<&'static str, String>,
    pub landing: Arc<dyn Handler>,
    pub webhook: Arc<dyn Handler>,
    pub activation: Arc<dyn Handler>,
    pub management: Arc<dyn Handler>,
    pub reconciliation: Arc<Reconciliation>,
}

impl Publisher {
    /// All functions, cold.
    pub fn new(
        io: &Arc<Io>,
        table: &MemoryStore,
        policy: &str,
        mode: &str,
    ) -> Result<Self, ConfigError> {
        let emulated = io.world(|world| world.settings().clone());
        let settings = BTreeMap::from([
            ("MARKETPLACE_URL", MARKETPLACE.to_owned()),
            ("ENTRA_AUTHORITY", ENTRA.to_owned()),
            ("ENTRA_TENANT_ID", emulated.tenant_id),
            ("ENTRA_CLIENT_ID", emulated.client_id),
            ("ENTRA_CLIENT_SECRET", emulated.client_secret),
            ("CHANGE_POLICY", policy.to_owned()),
            ("ACTIVATION", mode.to_owned()),
            ("LANDING_SIGN_IN", "off".to_owned()),
        ]);
        let environment = environment(&settings);
        let foundation = foundation(io, table, &environment)?;
        Ok(Self {
            landing: Arc::new(Landing::new(&environment, &foundation)?),
            webhook: Arc::new(Webhook::new(&environment, &foundation)?),
            activation: Arc::new(Activate::new(&foundation)),
            management: Arc::new(Management::new(&foundation, settings_of(table))),
            reconciliation: Arc::new(Reconciliation::new(&environment, &foundation)?),
            io: io.clone(),
            table: table.clone(),
            settings,
        })
    }

    /// A function that died comes back cold: without a token, a key, or a memory.
    pub fn restart(&mut self, function: Function) -> Result<(), ConfigError> {
        let environment = environment(&self.settings);
        let foundation = foundation(&self.io, &self.table, &environment)?;
        match function {
            Function::Landing => self.landing = Arc::new(Landing::new(&environment, &foundation)?),
            Function::Webhook => self.webhook = Arc::new(Webhook::new(&environment, &foundation)?),
            Function::Activation => self.activation = Arc::new(Activate::new(&foundation)),
            Function::Management => {
                self.management = Arc::new(Management::new(&foundation, settings_of(&self.table)));
            }
            Function::Reconciliation => {
                self.reconciliation = Arc::new(Reconciliation::new(&environment, &foundation)?);
            }
        }
        Ok(())
    }
}

fn environment(settings: &BTreeMap<&'static str, String>) -> Environment {
    let settings = settings.clone();
    Environment::from_fn(move |name| settings.get(name).cloned())
}

/// What the publisher's own API has beside the foundation; nobody is told of events here.
fn settings_of(table: &MemoryStore) -> ManagementSettings {
    ManagementSettings {
        source: "urn:saas-fulfillment".to_owned(),
        targets: Vec::new(),
        outbox: Arc::new(table.clone()),
        requests: Arc::new(table.clone()),
    }
}

fn foundation(
    io: &Arc<Io>,
    table: &MemoryStore,
    environment: &Environment,
) -> Result<Foundation, ConfigError> {
    let transport: Arc<dyn Transport> = Arc::new(SimulatedTransport(io.clone()));
    Ok(Foundation {
        microsoft: Microsoft::read(environment, &transport)?,
        store: Arc::new(SimulatedStore { table: table.clone(), io: io.clone() }),
        system: Arc::new(SimulatedSystem(io.clone())),
    })
}
