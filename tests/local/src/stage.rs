//! Everything started and connected: database, Microsoft's side, functions.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_dynamodb::config::Credentials;
use azure_custom_handler::{Functions, router};
use delivery::{Delivery, Driver};
use emulator::Emulator;
use jiff::Timestamp;
use reconciliation::{Reconciliation, Report, SliceError};
use shared::config::Dependencies;
use shared::host::clock::{Clock, SystemClock};
use shared::host::environment::{ConfigError, Environment};
use shared::store::{Checkpoints, Store};
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::database::{self, Database};
use crate::stream::Stream;

/// What can't be started, in one line.
#[derive(Debug, Error)]
#[error("{0}")]
pub struct StageError(pub String);

impl From<ConfigError> for StageError {
    fn from(wrong: ConfigError) -> Self {
        Self(wrong.to_string())
    }
}

/// Puts something between the functions and their table.
pub type WrapStore = Box<dyn FnOnce(Ports) -> Ports + Send>;

/// The table, as the functions see it.
pub struct Ports {
    pub store: Arc<dyn Store>,
    pub checkpoints: Arc<dyn Checkpoints>,
}

/// How the stage is set.
#[derive(Default)]
pub struct Options {
    /// Settings of the functions, before the defaults of the stage. Where one of them names
    /// Microsoft's or the table's address, that is used instead of starting an own.
    pub variables: BTreeMap<String, String>,
    /// How the emulator behaves.
    pub emulator: emulator::Settings,
    /// The port of the functions; 0 for any.
    pub port: u16,
    /// Where the database is kept; `None` for memory.
    pub data: Option<PathBuf>,
    /// What stands between the functions and their table.
    pub wrap_store: Option<WrapStore>,
}

impl Options {
    /// The same, with one more setting.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }
}

/// The running system.
pub struct Stage {
    /// Microsoft's side; `None` where another one is used.
    emulator: Option<Emulator>,
    /// The table; the functions' own view of it.
    pub store: Arc<dyn Store>,
    /// How far the reconciliation has come.
    pub checkpoints: Arc<dyn Checkpoints>,
    /// Time, as the functions have it.
    pub clock: Arc<dyn Clock>,
    /// The reconciliation, run by whoever owns the stage.
    pub reconciliation: Arc<Reconciliation>,
    /// The delivery, likewise; `None` where nobody is to be told.
    pub delivery: Option<Arc<Delivery>>,
    /// The table's stream; `None` where another database is used.
    stream: Option<Stream>,
    /// The settings everything runs with.
    pub variables: BTreeMap<String, String>,
    database: Option<Database>,
    url: String,
    serving: JoinHandle<()>,
}

impl Stage {
    /// Starts what isn't given, makes the table, and serves the functions.
    pub async fn start(options: Options) -> Result<Self, StageError> {
        let Options { mut variables, emulator: settings, port, data, wrap_store } = options;
        let emulator = match (variables.get("MARKETPLACE_URL"), variables.get("ENTRA_AUTHORITY")) {
            (Some(_), Some(_)) => None,
            _ => Some(
                Emulator::start(settings)
                    .await
                    .map_err(|error| StageError(format!("the emulator: {error}")))?,
            ),
        };
        let database = match variables.get("AWS_ENDPOINT_URL_DYNAMODB") {
            Some(_) => None,
            None => Some(Database::start(data.as_deref()).await?),
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .await
            .map_err(|error| StageError(format!("port {port}: {error}")))?;
        let address = listener.local_addr().map_err(|error| StageError(error.to_string()))?;
        let url = format!("http://{address}");
        default_settings(&mut variables, emulator.as_ref(), database.as_ref(), &url);

        let environment = {
            let variables = variables.clone();
            Environment::from_fn(move |name| variables.get(name).cloned())
        };
        let clock: Arc<dyn Clock> = match &emulator {
            Some(emulator) => Arc::new(EmulatedTime(emulator.clone())),
            None => Arc::new(SystemClock),
        };
        let mut dependencies = Dependencies::with_clock(&environment, clock.clone())?;
        let table = client_of(&variables)?;
        database::create_table(&table.0, &table.1).await?;
        if let Some(wrap) = wrap_store {
            let Dependencies { store, checkpoints, .. } = dependencies;
            let Ports { store, checkpoints } = wrap(Ports { store, checkpoints });
            dependencies = Dependencies { store, checkpoints, ..dependencies };
        }
        let functions = Functions::new(&environment, &dependencies)?;
        let reconciliation = functions.reconciliation.clone();
        let delivery = functions.delivery.clone();
        let stream = database.as_ref().map(|database| Stream::of(database.inner(), &table.1));
        let stream = stream.transpose()?;

        let serving = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router(functions)).await {
                tracing::error!(%error, "the server of the functions ended");
            }
        });
        if let Some(emulator) = &emulator {
            emulator.set_webhook_url(&format!("{url}/webhook"));
            emulator.set_landing_url(&format!("{url}/landing"));
            emulator.set_publisher_url(&url);
        }
        Ok(Self {
            emulator,
            store: dependencies.store,
            checkpoints: dependencies.checkpoints,
            clock,
            reconciliation,
            delivery,
            stream,
            variables,
            database,
            url,
            serving,
        })
    }

    /// Where the functions stand; no trailing slash.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where the embedded database is; `None` where another one is used.
    pub fn database_url(&self) -> Option<&str> {
        self.database.as_ref().map(Database::url)
    }

    /// Microsoft's side, if it is the emulator.
    pub fn emulator(&self) -> Option<&Emulator> {
        self.emulator.as_ref()
    }

    /// Takes the table away: from now on nobody answers at its address.
    pub fn stop_database(&mut self) {
        self.database = None;
    }

    /// Tells the publisher's product what was recorded since the last time.
    pub async fn tell(&self) -> Result<(), StageError> {
        let Some(delivery) = &self.delivery else { return Ok(()) };
        match &self.stream {
            Some(stream) => stream.drive(delivery).await,
            None => self.sweep().await,
        }
    }

    /// Tells it what is due: what it didn't take before, or what somebody asked for.
    pub async fn sweep(&self) -> Result<(), StageError> {
        let Some(delivery) = &self.delivery else { return Ok(()) };
        let driver = if self.stream.is_some() { Driver::BesideTheStream } else { Driver::Alone };
        let swept = delivery.sweep(driver).await;
        swept.map(drop).map_err(|error| StageError(error.to_string()))
    }

    /// Runs the reconciliation until the list is through.
    pub async fn reconcile(&self) -> Result<Report, SliceError> {
        loop {
            let report = self.reconciliation.slice().await?;
            if report.finished {
                return Ok(report);
            }
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.serving.abort();
        if let Some(emulator) = &self.emulator {
            emulator.shutdown();
        }
    }
}

/// What the functions need and nobody gave.
fn default_settings(
    variables: &mut BTreeMap<String, String>,
    emulator: Option<&Emulator>,
    database: Option<&Database>,
    url: &str,
) {
    let mut default = |name: &str, value: &str| {
        variables.entry(name.to_owned()).or_insert_with(|| value.to_owned());
    };
    if let Some(emulator) = emulator {
        let settings = emulator.world(|world| world.settings().clone());
        default("MARKETPLACE_URL", &emulator.marketplace_url());
        default("ENTRA_AUTHORITY", &emulator.entra_authority());
        default("ENTRA_TENANT_ID", &settings.tenant_id);
        default("ENTRA_CLIENT_ID", &settings.client_id);
        default("MARKETPLACE_APP_ID", &settings.marketplace_app_id);
        default("LANDING_CLIENT_ID", &settings.landing_client_id);
    }
    if let Some(database) = database {
        default("AWS_ENDPOINT_URL_DYNAMODB", database.url());
    }
    default("TABLE_NAME", "subscriptions");
    default("AWS_REGION", "us-east-1");
    default("AWS_ACCESS_KEY_ID", "local");
    default("AWS_SECRET_ACCESS_KEY", "local");
    default("LANDING_SIGN_IN", "off");
    default("LANDING_BASE_URL", url);
    if let Some(emulator) = emulator
        && !variables.contains_key("LANDING_CLIENT_SECRET_ARN")
    {
        let secret = emulator.world(|world| world.settings().landing_client_secret.clone());
        variables.entry("LANDING_CLIENT_SECRET".to_owned()).or_insert(secret);
    }
    if let Some(emulator) = emulator
        && !variables.contains_key("ENTRA_CLIENT_SECRET_ARN")
    {
        let secret = emulator.world(|world| world.settings().client_secret.clone());
        variables.entry("ENTRA_CLIENT_SECRET".to_owned()).or_insert(secret);
    }
}

fn client_of(
    variables: &BTreeMap<String, String>,
) -> Result<(aws_sdk_dynamodb::Client, String), StageError> {
    let setting = |name: &str| {
        variables
            .get(name)
            .map(String::as_str)
            .ok_or_else(|| StageError(format!("{name} is not set")))
    };
    let credentials = Credentials::new(
        setting("AWS_ACCESS_KEY_ID")?,
        setting("AWS_SECRET_ACCESS_KEY")?,
        variables.get("AWS_SESSION_TOKEN").cloned(),
        None,
        "environment",
    );
    let endpoint = setting("AWS_ENDPOINT_URL_DYNAMODB")?;
    let client = database::client_as(credentials, endpoint, setting("AWS_REGION")?);
    Ok((client, setting("TABLE_NAME")?.to_owned()))
}

/// The functions live in the emulator's time: a clock that was moved there is moved here. Where it
/// only moves by hand, waiting moves it.
#[derive(Debug)]
struct EmulatedTime(Emulator);

#[async_trait]
impl Clock for EmulatedTime {
    fn now(&self) -> Timestamp {
        self.0.world(|world| world.now())
    }

    async fn sleep(&self, pause: Duration) {
        if self.0.world(|world| world.settings().live) {
            SystemClock.sleep(pause).await;
        } else {
            self.0.world(|world| world.advance(pause));
            tokio::task::yield_now().await;
        }
    }

    fn new_id(&self) -> Uuid {
        Uuid::new_v4()
    }
}
