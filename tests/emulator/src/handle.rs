//! A handle to a running emulator: the world behind a lock.

use crate::entra::Entra;
use crate::world::World;
use jiff::Timestamp;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// A running emulator. Clones are handles to the same one. It stops with [`Emulator::shutdown`], or
/// when the last handle is dropped.
#[derive(Clone, Debug)]
pub struct Emulator {
    inner: Arc<Inner>,
    // The server and the deliveries hold handles without this, so they don't keep the emulator
    // alive.
    _stop_at_last: Option<Arc<StopAtLast>>,
}

#[derive(Debug)]
struct Inner {
    world: Mutex<World>,
    url: String,
    live: bool,
    kept_in: Option<PathBuf>,
    client: reqwest::Client,
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
    pub(crate) fn new(mut world: World, url: String, client: reqwest::Client) -> Self {
        let (live, kept_in) = (world.settings().live, world.settings().kept_in.clone());
        world.entra().set_authority(&format!("{url}/entra"));
        let (stop, _) = watch::channel(false);
        Self {
            _stop_at_last: Some(Arc::new(StopAtLast(stop.clone()))),
            inner: Arc::new(Inner { world: Mutex::new(world), url, live, kept_in, client, stop }),
        }
    }

    /// A handle that does not keep the emulator running.
    pub(crate) fn inner_handle(&self) -> Self {
        Self { inner: Arc::clone(&self.inner), _stop_at_last: None }
    }

    /// The client for calls to the publisher.
    pub(crate) fn client(&self) -> &reqwest::Client {
        &self.inner.client
    }

    /// Stops the server and the deliveries.
    pub fn shutdown(&self) {
        self.inner.stop.send_replace(true);
    }

    /// Waits until the emulator stops.
    pub(crate) fn stopped(&self) -> impl Future<Output = ()> + use<> {
        let mut stopped = self.inner.stop.subscribe();
        async move {
            // An error means that all senders are gone, and so is the emulator.
            let _ = stopped.wait_for(|stopped| *stopped).await;
        }
    }

    /// The web page's address, without a slash at the end.
    pub fn url(&self) -> String {
        self.inner.url.clone()
    }

    /// The counterpart of `https://marketplaceapi.microsoft.com/api`, without a slash at the end.
    pub fn marketplace_url(&self) -> String {
        format!("{}/api", self.inner.url)
    }

    /// The counterpart of `https://login.microsoftonline.com`, without a slash at the end.
    pub fn entra_authority(&self) -> String {
        format!("{}/entra", self.inner.url)
    }

    /// The counterpart of `https://sts.eu-north-1.amazonaws.com`, without a slash at the end.
    pub fn sts_url(&self) -> String {
        format!("{}/sts", self.inner.url)
    }

    /// What Azure Functions puts into `IDENTITY_ENDPOINT`.
    pub fn identity_endpoint(&self) -> String {
        format!("{}/identity", self.inner.url)
    }

    /// Sends webhooks to this address from now on.
    pub fn set_webhook_url(&self, url: &str) {
        self.world(|world| world.settings_mut().webhook_url = Some(url.to_owned()));
    }

    /// Sends buyers to this address from now on.
    pub fn set_landing_url(&self, url: &str) {
        self.world(|world| world.settings_mut().landing_url = Some(url.to_owned()));
    }

    /// Shows the publisher's records from this address on the web page.
    pub fn set_publisher_url(&self, url: &str) {
        self.world(|world| world.settings_mut().publisher_url = Some(url.to_owned()));
    }

    /// Locks the world and acts on it. A live run first moves its clock to the system's.
    pub fn world<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        // A test that panicked in here reports its own failure, and must not fail the others.
        let mut world = self.inner.world.lock().unwrap_or_else(PoisonError::into_inner);
        if self.inner.live {
            world.follow(Timestamp::now());
        }
        act(&mut world)
    }

    /// Locks the world and acts on it, and keeps the result for the next run before the
    /// caller learns of it, if the settings name a file.
    pub(crate) fn change<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        self.world(|world| {
            let done = act(world);
            if let Some(file) = &self.inner.kept_in
                && let Err(error) = keep(world, file)
            {
                eprintln!("could not keep Microsoft's side in {}: {error}", file.display());
            }
            done
        })
    }

    /// Locks the world and acts on Entra.
    pub fn entra<T>(&self, act: impl FnOnce(&mut Entra) -> T) -> T {
        self.world(|world| act(world.entra()))
    }
}

/// Replaces the file in one step, so that a run that is killed leaves a whole one.
fn keep(world: &World, file: &Path) -> std::io::Result<()> {
    let new = file.with_extension("new");
    std::fs::write(&new, world.to_json())?;
    std::fs::rename(new, file)
}
