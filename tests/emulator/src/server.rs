//! Starts the emulator's HTTP server.

use crate::connection::{KillSwitch, KillableListener};
use crate::handle::Emulator;
use crate::settings::Settings;
use crate::{delivery, http, page};
use jiff::Timestamp;
use std::io;
use std::net::Ipv4Addr;
use tokio::net::TcpListener;

impl Emulator {
    /// Binds 127.0.0.1 and serves. It sends webhooks only through [`Emulator::deliver_due`] or
    /// [`Emulator::run_deliveries`].
    ///
    /// # Errors
    /// If another process has the port, or the HTTP client cannot be built.
    pub async fn start(mut settings: Settings) -> io::Result<Self> {
        if settings.live {
            settings.start = Timestamp::now();
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, settings.port)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let client = delivery::client().map_err(io::Error::other)?;
        let emulator = Self::new(settings, url, client);
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
