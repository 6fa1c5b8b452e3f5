//! Starts the emulator's HTTP server.

use crate::connection::{KillSwitch, KillableListener};
use crate::handle::Emulator;
use crate::settings::Settings;
use crate::world::World;
use crate::{delivery, http, page};
use jiff::Timestamp;
use std::io;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use tokio::net::TcpListener;

/// Why the emulator can't start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("could not open 127.0.0.1:{port}: {source}")]
    Port { port: u16, source: io::Error },
    #[error("could not build the HTTP client: {0}")]
    Client(#[source] reqwest::Error),
    #[error("could not read {}, where Microsoft's side was kept: {source}", file.display())]
    Kept { file: PathBuf, source: io::Error },
}

impl Emulator {
    /// Binds 127.0.0.1 and serves. It sends webhooks only through [`Emulator::deliver_due`] or
    /// [`Emulator::run_deliveries`].
    ///
    /// # Errors
    /// If another process has the port, the kept file can't be read, or the HTTP client can't be
    /// built.
    pub async fn start(mut settings: Settings) -> Result<Self, StartError> {
        if settings.live {
            settings.start = Timestamp::now();
        }
        let port = settings.port;
        let failed = |source| StartError::Port { port, source };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(failed)?;
        let url = format!("http://{}", listener.local_addr().map_err(failed)?);
        let client = delivery::client().map_err(StartError::Client)?;
        let emulator = Self::new(world(settings)?, url, client);
        let service = http::routes()
            .merge(page::routes())
            .with_state(emulator.inner_handle())
            .into_make_service_with_connect_info::<KillSwitch>();
        let stopped = emulator.stopped();
        tokio::spawn(async move {
            let serving = axum::serve(KillableListener(listener), service);
            tokio::select! {
                _ = serving => {}
                () = stopped => {}
            }
        });
        Ok(emulator)
    }
}

/// The world that an earlier run has kept, or a new one.
fn world(settings: Settings) -> Result<World, StartError> {
    let Some(file) = settings.kept_in.clone() else { return Ok(World::new(settings)) };
    match std::fs::read_to_string(&file) {
        Ok(kept) => World::from_json(settings, &kept)
            .map_err(|error| StartError::Kept { file, source: error.into() }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(World::new(settings)),
        Err(source) => Err(StartError::Kept { file, source }),
    }
}
