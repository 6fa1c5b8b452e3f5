//! A running emulator: the world behind a lock, and a server in front of it.

use crate::connection::{KillSwitch, KillableListener};
use crate::entra::Entra;
use crate::settings::Settings;
use crate::world::World;
use crate::{delivery, http, page};
use jiff::Timestamp;
use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// A running emulator. Clones are handles to the same one. It stops with [`Emulator::shutdown`], or when the last
/// handle is dropped.
#[derive(Clone, Debug)]
pub struct Emulator {
    pub(crate) inner: Arc<Inner>,
    // The server and the deliveries hold handles without it, or the last would never be dropped.
    _stop_at_last: Option<Arc<StopAtLast>>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    world: Mutex<World>,
    url: String,
    live: bool,
    pub(crate) client: reqwest::Client,
    stop: watch::Sender<bool>,
}

#[derive(Debug)]
struct StopAtLast(watch::Sender<bool>);

impl Drop for StopAtLast {
    fn drop(&mut self) {
        self.0.send_replace(true);
    }
}

impl Emulator {
    /// Binds 127.0.0.1 and serves. Webhooks are sent by [`Emulator::deliver_due`] or
    /// [`Emulator::run_deliveries`] only.
    ///
    /// # Errors
    /// When the port is taken, or the HTTP client cannot be built.
    pub async fn start(mut settings: Settings) -> io::Result<Self> {
        if settings.live {
            settings.start = Timestamp::now();
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, settings.port)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let (stop, mut stopped) = watch::channel(false);
        let live = settings.live;
        let mut world = World::new(settings);
        world.entra().set_authority(&format!("{url}/entra"));
        let inner = Inner {
            world: Mutex::new(world),
            url,
            live,
            client: delivery::client().map_err(io::Error::other)?,
            stop: stop.clone(),
        };
        let emulator =
            Self { inner: Arc::new(inner), _stop_at_last: Some(Arc::new(StopAtLast(stop))) };
        let service = http::routes()
            .merge(page::routes())
            .with_state(emulator.inner_handle())
            .into_make_service_with_connect_info::<KillSwitch>();
        tokio::spawn(async move {
            let serving = axum::serve(KillableListener(listener), service);
            tokio::select! {
                _ = serving => {}
                // Also the end when every sender is gone.
                _ = stopped.wait_for(|stopped| *stopped) => {}
            }
        });
        Ok(emulator)
    }

    /// A handle that does not keep the emulator running.
    pub(crate) fn inner_handle(&self) -> Self {
        Self { inner: Arc::clone(&self.inner), _stop_at_last: None }
    }

    /// Stops the server and the deliveries.
    pub fn shutdown(&self) {
        self.inner.stop.send_replace(true);
    }

    pub(crate) fn stopped(&self) -> watch::Receiver<bool> {
        self.inner.stop.subscribe()
    }

    /// Where the web page is; no slash at the end.
    pub fn url(&self) -> String {
        self.inner.url.clone()
    }

    /// What a publisher takes for `https://marketplaceapi.microsoft.com/api`; no slash at the end.
    pub fn marketplace_url(&self) -> String {
        format!("{}/api", self.inner.url)
    }

    /// What a publisher takes for `https://login.microsoftonline.com`; no slash at the end.
    pub fn entra_authority(&self) -> String {
        format!("{}/entra", self.inner.url)
    }

    /// Sends webhooks here from now on.
    pub fn set_webhook_url(&self, url: &str) {
        self.world(|world| world.settings_mut().webhook_url = Some(url.to_owned()));
    }

    /// Sends buyers here from now on.
    pub fn set_landing_url(&self, url: &str) {
        self.world(|world| world.settings_mut().landing_url = Some(url.to_owned()));
    }

    /// Shows the publisher's record from here, beside Microsoft's.
    pub fn set_publisher_url(&self, url: &str) {
        self.world(|world| world.settings_mut().publisher_url = Some(url.to_owned()));
    }

    /// Locks the world and acts on it. In a live run the clock is brought up to date first.
    pub fn world<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        // A test that panicked inside has its own failure to report; the others may go on.
        let mut world = self.inner.world.lock().unwrap_or_else(PoisonError::into_inner);
        if self.inner.live {
            world.follow(Timestamp::now());
        }
        act(&mut world)
    }

    /// Locks the world and acts on Entra's part of it.
    pub fn entra<T>(&self, act: impl FnOnce(&mut Entra) -> T) -> T {
        self.world(|world| act(world.entra()))
    }
}
