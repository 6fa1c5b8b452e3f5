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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Function {
    Landing,
    Webhook,
    Activation,
    Management,
    Reconciliation,
}

/// The publisher's side. A function starts cold when it's first called: without a token, a key, or a
/// memory.
pub struct Publisher {
    io: Arc<Io>,
    table: MemoryStore,
    environment: Environment,
    handlers: BTreeMap<Function, Arc<dyn Handler>>,
    reconciliation: Option<Arc<Reconciliation>>,
}

impl Publisher {
    /// All functions, not yet started.
    pub fn new(io: &Arc<Io>, table: &MemoryStore, policy: &str, mode: &str) -> Self {
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
        Self {
            io: io.clone(),
            table: table.clone(),
            environment: Environment::from_fn(move |name| settings.get(name).cloned()),
            handlers: BTreeMap::new(),
            reconciliation: None,
        }
    }

    /// A function that answers requests.
    pub fn handler(&mut self, function: Function) -> Result<Arc<dyn Handler>, ConfigError> {
        if let Some(handler) = self.handlers.get(&function) {
            return Ok(handler.clone());
        }
        let (environment, foundation) = (&self.environment, &self.foundation()?);
        let handler: Arc<dyn Handler> = match function {
            Function::Landing => Arc::new(Landing::new(environment, foundation)?),
            Function::Webhook => Arc::new(Webhook::new(environment, foundation)?),
            Function::Activation => Arc::new(Activate::new(foundation)),
            Function::Management => Arc::new(Management::new(foundation, settings_of(&self.table))),
            Function::Reconciliation => unreachable!("the reconciliation answers no requests"),
        };
        self.handlers.insert(function, handler.clone());
        Ok(handler)
    }

    /// The function that runs by the clock.
    pub fn reconciliation(&mut self) -> Result<Arc<Reconciliation>, ConfigError> {
        if self.reconciliation.is_none() {
            let reconciliation = Reconciliation::new(&self.environment, &self.foundation()?)?;
            self.reconciliation = Some(Arc::new(reconciliation));
        }
        Ok(self.reconciliation.clone().expect("made just now"))
    }

    /// A function died; it starts cold when it's next called.
    pub fn died(&mut self, function: Function) {
        match function {
            Function::Reconciliation => self.reconciliation = None,
            other => drop(self.handlers.remove(&other)),
        }
    }

    fn foundation(&self) -> Result<Foundation, ConfigError> {
        let transport: Arc<dyn Transport> = Arc::new(SimulatedTransport(self.io.clone()));
        Ok(Foundation {
            microsoft: Microsoft::read(&self.environment, &transport)?,
            store: Arc::new(SimulatedStore { table: self.table.clone(), io: self.io.clone() }),
            system: Arc::new(SimulatedSystem(self.io.clone())),
        })
    }
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
