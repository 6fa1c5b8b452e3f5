//! The functions that ship, each in an execution environment of its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use activation::Activate;
use delivery::Delivery;
use jiff::SignedDuration;
use landing::Landing;
use management::Management;
use reconciliation::Reconciliation;
use shared::auth::ClientSecret;
use shared::config::{
    ConfigError, DeliverySettings, EndpointSettings, Environment, Foundation, ManagementSettings,
    Microsoft,
};
use shared::deadline::Punctual;
use shared::http::Handler;
use shared::outbound::Transport;
use shared::store::Target;
use shared::system::System;
use webhook::Webhook;

use crate::io::{Io, SimulatedSystem};
use crate::product::{DECISIONS, EVENTS, KEY};
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
    Delivery,
}

/// What the publisher has chosen.
#[derive(Clone, Copy, Debug, Default)]
pub struct Choices {
    /// `CHANGE_POLICY`.
    pub rejects: bool,
    /// `ACTIVATION`.
    pub by_publisher: bool,
    /// The product is asked about changes: `DECISION_URL`.
    pub asks: bool,
}

/// The publisher's side. A function starts cold when it's first called: without a token, a key, or a
/// memory.
pub struct Publisher {
    io: Arc<Io>,
    table: MemoryStore,
    environment: Environment,
    handlers: BTreeMap<Function, Arc<dyn Handler>>,
    reconciliation: Option<Arc<Reconciliation>>,
    delivery: Option<Arc<Delivery>>,
}

impl Publisher {
    /// All functions, not yet started.
    pub fn new(io: &Arc<Io>, table: &MemoryStore, choices: Choices) -> Self {
        let policy = if choices.rejects { "reject" } else { "accept" };
        let mode = if choices.by_publisher { "by-publisher" } else { "on-confirm" };
        io.note(|| format!("CHANGE_POLICY={policy} ACTIVATION={mode}"));
        let emulated = io.world(|world| world.settings().clone());
        let mut settings = BTreeMap::from([
            ("MARKETPLACE_URL", MARKETPLACE.to_owned()),
            ("ENTRA_AUTHORITY", ENTRA.to_owned()),
            ("ENTRA_TENANT_ID", emulated.tenant_id),
            ("ENTRA_CLIENT_ID", emulated.client_id),
            ("ENTRA_CLIENT_SECRET", emulated.client_secret),
            ("CHANGE_POLICY", policy.to_owned()),
            ("ACTIVATION", mode.to_owned()),
            ("LANDING_SIGN_IN", "off".to_owned()),
        ]);
        if choices.asks {
            settings.insert("DECISION_URL", DECISIONS.to_owned());
            settings.insert("DECISION_SIGNING_KEY", KEY.to_owned());
        }
        Self {
            io: io.clone(),
            table: table.clone(),
            environment: Environment::from_fn(move |name| settings.get(name).cloned()),
            handlers: BTreeMap::new(),
            reconciliation: None,
            delivery: None,
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
            Function::Management => Arc::new(Management::new(foundation, self.management())),
            Function::Reconciliation | Function::Delivery => {
                unreachable!("{function:?} answers no requests")
            }
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

    /// The function that tells the product.
    pub fn delivery(&mut self) -> Arc<Delivery> {
        if let Some(delivery) = &self.delivery {
            return delivery.clone();
        }
        let endpoint = EndpointSettings {
            url: http::Uri::from_static(EVENTS),
            keys: ClientSecret::Given(KEY.into()),
            transport: transport(&self.io),
        };
        let settings = DeliverySettings {
            source: SOURCE.to_owned(),
            endpoint: Some(endpoint),
            event_bus: None,
            park_after: SignedDuration::from_hours(7 * 24),
            outbox: self.store(),
        };
        let delivery = Arc::new(Delivery::new(settings, system(&self.io)));
        self.delivery = Some(delivery.clone());
        delivery
    }

    /// A function died; it starts cold when it's next called.
    pub fn died(&mut self, function: Function) {
        match function {
            Function::Reconciliation => self.reconciliation = None,
            Function::Delivery => self.delivery = None,
            other => drop(self.handlers.remove(&other)),
        }
    }

    fn store(&self) -> Arc<SimulatedStore> {
        Arc::new(SimulatedStore { table: self.table.clone(), io: self.io.clone() })
    }

    fn foundation(&self) -> Result<Foundation, ConfigError> {
        Ok(Foundation {
            microsoft: Microsoft::read(&self.environment, &transport(&self.io))?,
            store: self.store(),
            system: system(&self.io),
        })
    }

    /// What the publisher's own API has beside the foundation.
    fn management(&self) -> ManagementSettings {
        ManagementSettings {
            source: SOURCE.to_owned(),
            targets: vec![Target::Endpoint],
            outbox: self.store(),
            requests: self.store(),
        }
    }
}

const SOURCE: &str = "urn:saas-fulfillment";

fn system(io: &Arc<Io>) -> Arc<dyn System> {
    Arc::new(SimulatedSystem(io.clone()))
}

fn transport(io: &Arc<Io>) -> Arc<dyn Transport> {
    Arc::new(Punctual::new(SimulatedTransport(io.clone()), system(io)))
}
