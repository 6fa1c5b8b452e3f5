//! HTTP servers on this machine.

use std::io;
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
    /// Opens a port for a server; 0 takes any free one. `option` sets it on the command line.
    pub(crate) async fn open(
        server: &'static str,
        port: u16,
        option: &'static str,
    ) -> Result<Self, LocalError> {
        Self::bind(server, port).await.map_err(|source| LocalError::Port {
            server,
            port,
            option,
            source,
        })
    }

    /// Opens any free port for a server.
    pub(crate) async fn any(server: &'static str) -> Result<Self, LocalError> {
        Self::bind(server, 0).await.map_err(|source| LocalError::NoPort { server, source })
    }

    async fn bind(server: &'static str, port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let url = format!("http://{}", listener.local_addr()?);
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
