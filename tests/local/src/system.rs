//! The local system: starts and connects the database, Microsoft's side and the functions.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use azure_custom_handler::{Functions, console_router, router};
use delivery::{Delivery, Driver};
use emulator::Emulator;
use http::Uri;
use reconciliation::{Reconciliation, Report, SliceError};
use shared::config::Dependencies;
use shared::host::clock::{Clock, SystemClock};
use shared::host::http::{Handler, Request};
use shared::store::{Checkpoints, DueWork, Runs, Store};

use crate::data_folder::DataFolder;
use crate::database::{self, Database};
use crate::emulated_clock::EmulatedClock;
use crate::error::LocalError;
use crate::server::{Port, Server};
use crate::settings;
use crate::stream::Stream;

/// Wraps the table's ports, for instance to make them fail.
pub type WrapStore = Box<dyn FnOnce(Ports) -> Ports + Send>;

/// The table's ports, as the functions use them.
pub struct Ports {
    pub store: Arc<dyn Store>,
    pub checkpoints: Arc<dyn Checkpoints>,
    pub due_work: Arc<dyn DueWork>,
}

#[derive(Default)]
pub struct Options {
    /// Settings of the functions. They take precedence over the local system's defaults. If one of
    /// them is the address of Microsoft's side or of the table, the local system uses that address
    /// and starts nothing of its own there.
    pub variables: BTreeMap<String, String>,
    pub emulator: emulator::Settings,
    /// The port of the functions; 0 takes any free one.
    pub port: u16,
    /// The port of the console; 0 takes any free one.
    pub console_port: u16,
    /// The folder that keeps the database and Microsoft's side. `None` keeps both in memory.
    pub data: Option<PathBuf>,
    pub wrap_store: Option<WrapStore>,
}

impl Options {
    /// Adds a setting.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }
}

/// The running system. Stops when it is dropped.
pub struct LocalSystem {
    /// `None` if the settings name another Microsoft.
    emulator: Option<Emulator>,
    pub store: Arc<dyn Store>,
    pub checkpoints: Arc<dyn Checkpoints>,
    pub runs: Arc<dyn Runs>,
    /// The functions' clock.
    pub clock: Arc<dyn Clock>,
    pub reconciliation: Arc<Reconciliation>,
    management: Arc<dyn Handler>,
    /// `None` if the settings name no receiver of events.
    pub delivery: Option<Arc<Delivery>>,
    /// `None` if the settings name another database.
    stream: Option<Stream>,
    /// All settings, with the defaults.
    pub variables: BTreeMap<String, String>,
    /// The names of the settings that the functions have read.
    pub settings_read: Vec<&'static str>,
    database: Option<Database>,
    url: String,
    /// `None` if the settings name no application of the console.
    console_url: Option<String>,
    _servers: Vec<Server>,
    _data: Option<DataFolder>,
}

impl LocalSystem {
    /// Starts the parts that the settings don't name, creates the table, and serves the functions.
    pub async fn start(options: Options) -> Result<Self, LocalError> {
        let Options { mut variables, emulator: mut settings, port, console_port, data, wrap_store } =
            options;
        let data = data.as_deref().map(DataFolder::open).transpose()?;
        settings.kept_in = data.as_ref().map(DataFolder::microsoft);
        let emulator = match (variables.get("MARKETPLACE_URL"), variables.get("ENTRA_AUTHORITY")) {
            (Some(_), Some(_)) => None,
            _ => Some(Emulator::start(settings).await?),
        };
        let database = match variables.get("AWS_ENDPOINT_URL_DYNAMODB") {
            Some(_) => None,
            None => {
                Some(Database::start(data.as_ref().map(DataFolder::database).as_deref()).await?)
            }
        };
        let port = Port::open("the functions", port, "--port").await?;
        let console_port = Port::open("the console", console_port, "--console-port").await?;
        let url = port.url.clone();
        settings::add_defaults(
            &mut variables,
            emulator.as_ref(),
            database.as_ref(),
            &url,
            &console_port.url,
        );

        let environment = settings::environment(&variables);
        let clock: Arc<dyn Clock> = match &emulator {
            Some(emulator) => Arc::new(EmulatedClock(emulator.clone())),
            None => Arc::new(SystemClock),
        };
        let mut dependencies = Dependencies::with_clock(&environment, clock.clone())?;
        let (client, table) = settings::table_client(&environment)?;
        database::create_table(&client, &table).await?;
        if let Some(wrap) = wrap_store {
            let Dependencies { store, checkpoints, due_work, .. } = dependencies;
            let ports = wrap(Ports { store, checkpoints, due_work });
            let Ports { store, checkpoints, due_work } = ports;
            dependencies = Dependencies { store, checkpoints, due_work, ..dependencies };
        }
        let functions = Functions::new(&environment, &dependencies)?;
        let reconciliation = functions.reconciliation.clone();
        let management = functions.management.clone();
        let delivery = functions.delivery.clone();
        let stream = database.as_ref().map(|database| Stream::of(database.inner(), &table));
        let stream = stream.transpose()?;

        let console = functions.console.clone();
        let console_url = console.as_ref().map(|_| console_port.url.clone());
        let mut servers = vec![port.serve(router(functions))];
        servers.extend(console.map(|console| console_port.serve(console_router(console))));
        if let Some(emulator) = &emulator {
            emulator.set_webhook_url(&format!("{url}/webhook"));
            emulator.set_landing_url(&format!("{url}/landing"));
            emulator.set_publisher_url(&url);
        }
        Ok(Self {
            emulator,
            store: dependencies.store,
            checkpoints: dependencies.checkpoints,
            runs: dependencies.runs,
            clock,
            reconciliation,
            management,
            delivery,
            stream,
            variables,
            settings_read: environment.asked(),
            database,
            url,
            console_url,
            _servers: servers,
            _data: data,
        })
    }

    /// The functions' URL, without a trailing slash.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The console's URL, without a trailing slash; `None` if there is no console.
    pub fn console_url(&self) -> Option<&str> {
        self.console_url.as_deref()
    }

    /// The embedded database's URL. `None` if the settings name another database.
    pub fn database_url(&self) -> Option<&str> {
        self.database.as_ref().map(Database::url)
    }

    /// `None` if the settings name another Microsoft.
    pub fn emulator(&self) -> Option<&Emulator> {
        self.emulator.as_ref()
    }

    /// Stops the database. From now on its port refuses connections.
    pub fn stop_database(&mut self) {
        self.database = None;
    }

    /// Delivers the events that were recorded since the last call. On Lambda, the table's stream
    /// triggers this.
    pub async fn deliver_events(&self) -> Result<(), LocalError> {
        let Some(delivery) = &self.delivery else { return Ok(()) };
        match &self.stream {
            Some(stream) => stream.drain(delivery).await,
            None => self.sweep().await,
        }
    }

    /// Delivers the events that are due: after a failed attempt, or for a requested redelivery.
    pub async fn sweep(&self) -> Result<(), LocalError> {
        let Some(delivery) = &self.delivery else { return Ok(()) };
        let driver = if self.stream.is_some() { Driver::BesideTheStream } else { Driver::Alone };
        delivery.sweep(driver).await.map(drop).map_err(LocalError::Sweep)
    }

    /// Examines the deployment, as the schedule does.
    pub async fn examine(&self) {
        let mut request = Request::default();
        *request.uri_mut() = Uri::from_static("/doctor");
        // What it finds is in the table and in the log.
        self.management.handle(request).await;
    }

    /// Makes a dry run of the reconciliation, to its end.
    pub async fn dry_run(&self) -> Result<Report, SliceError> {
        loop {
            let report = self.reconciliation.dry_slice().await?;
            if report.finished {
                return Ok(report);
            }
        }
    }

    /// Runs the reconciliation to the end of the list.
    pub async fn reconcile(&self) -> Result<Report, SliceError> {
        loop {
            let report = self.reconciliation.slice().await?;
            if report.finished {
                return Ok(report);
            }
        }
    }
}

impl Drop for LocalSystem {
    fn drop(&mut self) {
        if let Some(emulator) = &self.emulator {
            emulator.shutdown();
        }
    }
}
