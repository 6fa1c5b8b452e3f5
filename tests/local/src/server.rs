//! HTTP servers on this machine.

use std::net::Ipv4Addr;

use axum::Router;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::error::LocalError;

/// A port that is open, before anything answers there.
pub(crate) struct Port {
    server: &'static str,
    pub listener: TcpListener,
    /// The port's address, without a trailing slash.
    pub url: String,
}

impl Port {
    /// Opens a port for a server; 0 takes any free one.
    pub(crate) async fn open(server: &'static str, port: u16) -> Result<Self, LocalError> {
        let failed = |source| LocalError::Port { server, port, source };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(failed)?;
        let url = format!("http://{}", listener.local_addr().map_err(failed)?);
        Ok(Self { server, listener, url })
    }

    pub(crate) fn serve(self, routes: Router) -> Server {
        let Self { server, listener, .. } = self;
        Server(tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, routes).await {
                tracing::error!(%error, "{server} stopped");
            }
        }))
    }
}

/// A running server. Stops when it is dropped.
pub(crate) struct Server(JoinHandle<()>);

impl Drop for Server {
    fn drop(&mut self) {
        self.0.abort();
    }
}
