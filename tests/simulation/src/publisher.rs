//! The functions that ship. Each runs in its own execution environment.

use std::collections::BTreeMap;
use std::sync::Arc;

use activation::Activation;
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_secretsmanager::config::retry::RetryConfig;
use aws_sdk_secretsmanager::config::{BehaviorVersion, Region};
use delivery::Delivery;
use jiff::{SignedDuration, Timestamp};
use landing::Landing;
use management::Management;
use memory_store::MemoryStore;
use reconciliation::Reconciliation;
use shared::config::{
    DeliverySettings, Dependencies, EndpointSettings, EventBusSettings, ManagementSettings,
    Microsoft,
};
use shared::host::clock::Clock;
use shared::host::deadline::DeadlineTransport;
use shared::host::environment::{ConfigError, Environment};
use shared::host::http::Handler;
use shared::host::http_client::{Transport, for_aws};
use shared::host::secret::ClientSecret;
use shared::publisher::receiver::ReceiverSettings;
use shared::store::{Store, Target};
use webhook::Webhook;

use crate::aws;
use crate::choices::Choices;
use crate::clock::SimulatedClock;
use crate::dynamodb::{self, CheckedReads};
use crate::host::{Function, Host};
use crate::io::Io;
use crate::product::{DECISIONS, EVENTS, Signed, bus};
use crate::rules::CHANGE_RULES;
use crate::simulated_store::{SimulatedStore, Table};
use crate::transport::{ENTRA, MARKETPLACE, SimulatedTransport};

/// The publisher's side. A function starts cold at its first call, with empty caches.
pub(crate) struct Publisher {
    io: Arc<Io>,
    table: MemoryStore,
    /// Where the functions use the store that ships.
    dynamodb: Option<aws_sdk_dynamodb::Client>,
    environment: Environment,
    choices: Choices,
    handlers: BTreeMap<Function, Arc<dyn Handler>>,
    reconciliations: BTreeMap<Host, Arc<Reconciliation>>,
    /// Each with the number of the settings that it has read.
    deliveries: BTreeMap<Host, (u32, Arc<Delivery>)>,
    /// How often the settings have named other receivers.
    receivers_changed: u32,
    /// Until when execution environments go on with the former receivers.
    rollout_until: Timestamp,
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
            ("IMPORT", if choices.announces_import { "announce" } else { "silent" }.to_owned()),
            ("ACTIVATION", mode.to_owned()),
            ("LANDING_SIGN_IN", if choices.signs_in { "entra" } else { "off" }.to_owned()),
            ("LANDING_CLIENT_ID", emulated.landing_client_id),
            ("LANDING_CLIENT_SECRET", emulated.landing_client_secret),
            ("LANDING_BASE_URL", "http://localhost".to_owned()),
        ]);
        if choices.asks {
            settings.insert("DECISION_URL", DECISIONS.to_owned());
            if let Some(fallback) = choices.fallback {
                settings.insert("DECISION_FALLBACK", fallback.name().to_owned());
            }
        }
        if choices.rules {
            settings.insert("CHANGE_RULES", CHANGE_RULES.to_owned());
        }
        let product = io.clone();
        let environment = move |name: &str| match name {
            // A function that starts reads the key that is set then.
            "DECISION_SIGNING_KEY" if choices.asks => {
                Some(product.product(|product| product.keys.secret(Signed::Questions)))
            }
            name => settings.get(name).cloned(),
        };
        Self {
            io: io.clone(),
            table: table.clone(),
            dynamodb: None,
            environment: Environment::from_fn(environment),
            choices,
            handlers: BTreeMap::new(),
            reconciliations: BTreeMap::new(),
            deliveries: BTreeMap::new(),
            receivers_changed: 0,
            rollout_until: Timestamp::MIN,
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
        let (environment, dependencies) = (&self.environment, &self.dependencies(function.into())?);
        let handler: Arc<dyn Handler> = match function {
            Function::Landing => Arc::new(Landing::new(environment, dependencies)?),
            Function::Webhook => Arc::new(Webhook::new(environment, dependencies)?),
            Function::Activation => Arc::new(Activation::new(dependencies)),
            Function::Management => {
                Arc::new(Management::new(dependencies, self.management(function.into())))
            }
            Function::Reconciliation | Function::Delivery => {
                unreachable!("{function:?} answers no requests")
            }
        };
        self.handlers.insert(function, handler.clone());
        Ok(handler)
    }

    pub(crate) fn reconciliation(
        &mut self,
        host: Host,
    ) -> Result<Arc<Reconciliation>, ConfigError> {
        if let Some(reconciliation) = self.reconciliations.get(&host) {
            return Ok(reconciliation.clone());
        }
        let dependencies = self.dependencies(host)?;
        let reconciliation = Arc::new(Reconciliation::new(&self.environment, &dependencies)?);
        self.reconciliations.insert(host, reconciliation.clone());
        Ok(reconciliation)
    }

    pub(crate) fn delivery(&mut self, host: Host) -> Arc<Delivery> {
        if let Some((read, delivery)) = self.deliveries.get(&host) {
            let is_former = read + 1 == self.receivers_changed;
            let is_rolling_out = self.io.now() < self.rollout_until;
            if *read == self.receivers_changed || (is_former && is_rolling_out) {
                return delivery.clone();
            }
        }
        let targets = self.choices.receivers.targets();
        let named = self.io.product(|product| {
            let named = product.configured();
            named
                .map(|named| (named.settings.clone(), named.url(), named.secret()))
                .collect::<Vec<_>>()
        });
        let named = named.into_iter().map(|(receiver, url, secret)| EndpointSettings {
            receiver,
            url,
            keys: ClientSecret::Given(secret.into()),
            transport: self.transport(host),
        });
        let settings = DeliverySettings {
            source: SOURCE.to_owned(),
            endpoints: targets
                .contains(&Target::Endpoint)
                .then(|| self.endpoint(host))
                .into_iter()
                .chain(named)
                .collect(),
            event_bus: targets.contains(&Target::EventBus).then(|| self.event_bus(host)),
            park_after: SignedDuration::from_hours(24 * i64::from(self.choices.park_after_days)),
            rate_limit: None,
            store: self.records(host),
            receivers: self.store(host),
            outbox: self.store(host),
            annotations: self.store(host),
            attempts: self.store(host),
            keeps_attempt_text: true,
            sightings: self.store(host),
        };
        let delivery = Arc::new(Delivery::new(settings, self.clock(host)));
        self.deliveries.insert(host, (self.receivers_changed, delivery.clone()));
        delivery
    }

    fn endpoint(&self, host: Host) -> EndpointSettings {
        let keys = if self.choices.keys_in_secrets_manager {
            let client = self.secrets_manager(host);
            ClientSecret::SecretsManager { client, arn: aws::KEY_ARN.to_owned(), path: Vec::new() }
        } else {
            let keys = self.io.product(|product| product.keys.secret(Signed::Events));
            ClientSecret::Given(keys.into())
        };
        EndpointSettings {
            receiver: ReceiverSettings::of_all(Target::Endpoint),
            url: http::Uri::from_static(EVENTS),
            keys,
            transport: self.transport(host),
        }
    }

    /// A client without timers, which do not run here.
    fn secrets_manager(&self, host: Host) -> aws_sdk_secretsmanager::Client {
        let config = aws_sdk_secretsmanager::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(for_aws(self.transport(host)))
            .credentials_provider(credentials())
            .region(Region::new(aws::REGION))
            .retry_config(RetryConfig::disabled());
        aws_sdk_secretsmanager::Client::from_conf(config.build())
    }

    fn event_bus(&self, host: Host) -> EventBusSettings {
        EventBusSettings {
            name: bus::NAME.to_owned(),
            region: aws::REGION.to_owned(),
            credentials: credentials(),
            service: None,
            transport: self.transport(host),
        }
    }

    /// Drops a function's execution environment, so that its next call starts cold.
    pub(crate) fn killed(&mut self, host: Host) {
        match host.function {
            Function::Reconciliation => drop(self.reconciliations.remove(&host)),
            Function::Delivery => drop(self.deliveries.remove(&host)),
            other => drop(self.handlers.remove(&other)),
        }
    }

    /// The settings hold other keys: every function that reads them starts cold. A function that is
    /// running goes on with the old ones.
    pub(crate) fn redeployed(&mut self) {
        self.handlers.clear();
        self.reconciliations.clear();
        if !self.choices.keys_in_secrets_manager {
            self.deliveries.clear();
        }
    }

    /// The settings name other receivers. Execution environments that are warm may go on with the former ones
    /// for a while.
    pub(crate) fn receivers_changed(&mut self, rollout_until: Option<Timestamp>) {
        self.receivers_changed += 1;
        self.rollout_until = rollout_until.unwrap_or(Timestamp::MIN);
        self.handlers.remove(&Function::Management);
    }

    fn store(&self, host: Host) -> Arc<dyn Table> {
        match &self.dynamodb {
            Some(client) => Arc::new(dynamodb::store(client, self.clock(host))),
            None => Arc::new(SimulatedStore { table: self.table.clone(), io: self.io.clone() }),
        }
    }

    /// The records alone.
    fn records(&self, host: Host) -> Arc<dyn Store> {
        match &self.dynamodb {
            Some(client) => Arc::new(CheckedReads {
                store: dynamodb::store(client, self.clock(host)),
                table: self.table.clone(),
                io: self.io.clone(),
            }),
            None => self.store(host),
        }
    }

    fn dependencies(&self, host: Host) -> Result<Dependencies, ConfigError> {
        let transport = self.transport(host);
        Ok(Dependencies {
            microsoft: Microsoft::read(&self.environment, &transport)?,
            transport,
            store: self.records(host),
            checkpoints: self.store(host),
            due_work: self.store(host),
            runs: self.store(host),
            refusals: self.store(host),
            sightings: self.store(host),
            erasures: self.store(host),
            outbox: self.store(host),
            receiver_states: self.store(host),
            annotations: self.store(host),
            offer_settings: self.store(host),
            clock: self.clock(host),
        })
    }

    fn clock(&self, host: Host) -> Arc<dyn Clock> {
        Arc::new(SimulatedClock { io: self.io.clone(), ahead: self.io.skew().of(host) })
    }

    fn transport(&self, host: Host) -> Arc<dyn Transport> {
        let io = self.io.clone();
        let transport = SimulatedTransport { io, ahead: self.io.skew().of(host) };
        Arc::new(DeadlineTransport::new(transport, self.clock(host)))
    }

    fn receivers(&self) -> Vec<ReceiverSettings> {
        let unnamed = self.choices.receivers.targets().into_iter().map(ReceiverSettings::of_all);
        let named = self.io.product(|product| {
            product.configured().map(|named| named.settings.clone()).collect::<Vec<_>>()
        });
        unnamed.chain(named).collect()
    }

    fn management(&self, host: Host) -> ManagementSettings {
        ManagementSettings {
            source: SOURCE.to_owned(),
            receivers: self.receivers(),
            receiver_states: self.store(host),
            outbox: self.store(host),
            idempotency: self.store(host),
            annotations: self.store(host),
            attempts: self.store(host),
            inspection: self.store(host),
            examinations: self.store(host),
            overview: self.store(host),
            offers: self.store(host),
            starter: None,
            erasures: self.store(host),
            end: None,
            bytes: 0,
        }
    }
}

/// A function's identity at AWS.
fn credentials() -> SharedCredentialsProvider {
    let id = Credentials::new("simulated", "simulated", None, None, "simulation");
    SharedCredentialsProvider::new(id)
}

const SOURCE: &str = "urn:saas-fulfillment";
