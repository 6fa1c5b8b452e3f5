//! The functions that ship. Each runs in its own execution environment.

use std::collections::BTreeMap;
use std::sync::Arc;

use activation::Activation;
use delivery::Delivery;
use jiff::SignedDuration;
use landing::Landing;
use management::Management;
use memory_store::MemoryStore;
use reconciliation::Reconciliation;
use shared::config::{
    DeliverySettings, Dependencies, EndpointSettings, ManagementSettings, Microsoft,
};
use shared::host::clock::Clock;
use shared::host::deadline::DeadlineTransport;
use shared::host::environment::{ConfigError, Environment};
use shared::host::http::Handler;
use shared::host::http_client::Transport;
use shared::host::secret::ClientSecret;
use shared::store::{Store, Target};
use webhook::Webhook;

use crate::choices::Choices;
use crate::clock::SimulatedClock;
use crate::dynamodb::{self, CheckedReads};
use crate::io::Io;
use crate::product::{DECISIONS, EVENTS, KEY};
use crate::rules::CHANGE_RULES;
use crate::simulated_store::{SimulatedStore, Table};
use crate::transport::{ENTRA, MARKETPLACE, SimulatedTransport};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Function {
    Landing,
    Webhook,
    Activation,
    Management,
    Reconciliation,
    Delivery,
}

/// The publisher's side. A function starts cold at its first call, with empty caches.
pub(crate) struct Publisher {
    io: Arc<Io>,
    table: MemoryStore,
    /// Where the functions use the store that ships.
    dynamodb: Option<aws_sdk_dynamodb::Client>,
    environment: Environment,
    handlers: BTreeMap<Function, Arc<dyn Handler>>,
    reconciliation: Option<Arc<Reconciliation>>,
    delivery: Option<Arc<Delivery>>,
}

impl Publisher {
    /// Starts no function yet.
    pub(crate) fn new(io: &Arc<Io>, table: &MemoryStore, choices: Choices) -> Self {
        let policy = if choices.rejects { "reject" } else { "accept" };
        let mode = if choices.by_publisher { "by-publisher" } else { "on-confirm" };
        io.note(|| format!("CHANGE_POLICY={policy} ACTIVATION={mode} {choices:?}"));
        let emulated = io.world(|world| world.settings().clone());
        let mut settings = BTreeMap::from([
            ("MARKETPLACE_URL", MARKETPLACE.to_owned()),
            ("ENTRA_AUTHORITY", ENTRA.to_owned()),
            ("ENTRA_TENANT_ID", emulated.tenant_id),
            ("ENTRA_CLIENT_ID", emulated.client_id),
            ("ENTRA_CLIENT_SECRET", emulated.client_secret),
            ("CHANGE_POLICY", policy.to_owned()),
            ("ACTIVATION", mode.to_owned()),
            ("LANDING_SIGN_IN", if choices.signs_in { "entra" } else { "off" }.to_owned()),
            ("LANDING_CLIENT_ID", emulated.landing_client_id),
            ("LANDING_CLIENT_SECRET", emulated.landing_client_secret),
            ("LANDING_BASE_URL", "http://localhost".to_owned()),
        ]);
        if choices.asks {
            settings.insert("DECISION_URL", DECISIONS.to_owned());
            settings.insert("DECISION_SIGNING_KEY", KEY.to_owned());
            if let Some(fallback) = choices.fallback {
                settings.insert("DECISION_FALLBACK", fallback.name().to_owned());
            }
        }
        if choices.rules {
            settings.insert("CHANGE_RULES", CHANGE_RULES.to_owned());
        }
        Self {
            io: io.clone(),
            table: table.clone(),
            dynamodb: None,
            environment: Environment::from_fn(move |name| settings.get(name).cloned()),
            handlers: BTreeMap::new(),
            reconciliation: None,
            delivery: None,
        }
    }

    /// Lets the functions use the store that ships, over DynamoDB's wire.
    pub(crate) fn use_dynamodb(&mut self) {
        self.dynamodb = Some(dynamodb::client(&self.io, &self.table));
    }

    /// One of the functions that answer HTTP requests.
    pub(crate) fn handler(&mut self, function: Function) -> Result<Arc<dyn Handler>, ConfigError> {
        if let Some(handler) = self.handlers.get(&function) {
            return Ok(handler.clone());
        }
        let (environment, dependencies) = (&self.environment, &self.dependencies()?);
        let handler: Arc<dyn Handler> = match function {
            Function::Landing => Arc::new(Landing::new(environment, dependencies)?),
            Function::Webhook => Arc::new(Webhook::new(environment, dependencies)?),
            Function::Activation => Arc::new(Activation::new(dependencies)),
            Function::Management => Arc::new(Management::new(dependencies, self.management())),
            Function::Reconciliation | Function::Delivery => {
                unreachable!("{function:?} answers no requests")
            }
        };
        self.handlers.insert(function, handler.clone());
        Ok(handler)
    }

    pub(crate) fn reconciliation(&mut self) -> Result<Arc<Reconciliation>, ConfigError> {
        if self.reconciliation.is_none() {
            let reconciliation = Reconciliation::new(&self.environment, &self.dependencies()?)?;
            self.reconciliation = Some(Arc::new(reconciliation));
        }
        Ok(self.reconciliation.clone().expect("made just now"))
    }

    pub(crate) fn delivery(&mut self) -> Arc<Delivery> {
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
        let delivery = Arc::new(Delivery::new(settings, clock(&self.io)));
        self.delivery = Some(delivery.clone());
        delivery
    }

    /// Drops a function's execution environment, so that its next call starts cold.
    pub(crate) fn killed(&mut self, function: Function) {
        match function {
            Function::Reconciliation => self.reconciliation = None,
            Function::Delivery => self.delivery = None,
            other => drop(self.handlers.remove(&other)),
        }
    }

    fn store(&self) -> Arc<dyn Table> {
        match &self.dynamodb {
            Some(client) => Arc::new(dynamodb::store(client, clock(&self.io))),
            None => Arc::new(SimulatedStore { table: self.table.clone(), io: self.io.clone() }),
        }
    }

    /// The records alone.
    fn records(&self) -> Arc<dyn Store> {
        match &self.dynamodb {
            Some(client) => Arc::new(CheckedReads {
                store: dynamodb::store(client, clock(&self.io)),
                table: self.table.clone(),
                io: self.io.clone(),
            }),
            None => self.store(),
        }
    }

    fn dependencies(&self) -> Result<Dependencies, ConfigError> {
        let transport = transport(&self.io);
        Ok(Dependencies {
            microsoft: Microsoft::read(&self.environment, &transport)?,
            transport,
            store: self.records(),
            checkpoints: self.store(),
            clock: clock(&self.io),
        })
    }

    fn management(&self) -> ManagementSettings {
        ManagementSettings {
            source: SOURCE.to_owned(),
            targets: vec![Target::Endpoint],
            outbox: self.store(),
            idempotency: self.store(),
        }
    }
}

const SOURCE: &str = "urn:saas-fulfillment";

fn clock(io: &Arc<Io>) -> Arc<dyn Clock> {
    Arc::new(SimulatedClock(io.clone()))
}

fn transport(io: &Arc<Io>) -> Arc<dyn Transport> {
    Arc::new(DeadlineTransport::new(SimulatedTransport(io.clone()), clock(io)))
}
