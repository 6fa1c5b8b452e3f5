//! Sends webhooks over HTTP and reports the answers to the world.

use crate::handle::Emulator;
use crate::world::{DeliveryOutcome, Dispatch, World};
use http::{HeaderMap, header};
use serde_json::Value;
use std::io;
use std::time::Duration;
use uuid::Uuid;

/// How often a live run looks for webhooks that have become due.
const LIVE_INTERVAL: Duration = Duration::from_millis(100);

pub(crate) fn client() -> reqwest::Result<reqwest::Client> {
    // Fails if another part of the process has installed a provider, which is fine too.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        // A token must not follow a redirect or pass a proxy.
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
}

impl Emulator {
    /// Sends every webhook that is due by the world's clock, once each and in order.
    pub async fn deliver_due(&self) -> Vec<DeliveryOutcome> {
        let mut outcomes = Vec::new();
        for dispatch in self.world(World::take_due_deliveries) {
            outcomes.push(self.deliver(dispatch).await);
        }
        outcomes
    }

    /// Sends webhooks in the background as they become due, until the emulator stops.
    pub fn run_deliveries(&self) {
        let emulator = self.inner_handle();
        let stopped = self.stopped();
        tokio::spawn(async move {
            tokio::pin!(stopped);
            let mut interval = tokio::time::interval(LIVE_INTERVAL);
            loop {
                tokio::select! {
                    _ = interval.tick() => {}
                    () = &mut stopped => return,
                }
                for dispatch in emulator.world(World::take_due_deliveries) {
                    let emulator = emulator.clone();
                    // One slow webhook must not delay the others.
                    tokio::spawn(async move { emulator.deliver(dispatch).await });
                }
            }
        });
    }

    /// An operation's signed webhook. Does not send it.
    pub fn webhook_request(&self, operation: Uuid) -> Option<(HeaderMap, Vec<u8>)> {
        self.world(|world| world.webhook_request(operation))
    }

    /// Posts any JSON to the webhook, such as an odd or forged body. The world does not change.
    ///
    /// # Errors
    /// If there is no webhook address, or no answer.
    pub async fn deliver_payload(
        &self,
        payload: &Value,
        authorization: Option<String>,
    ) -> io::Result<(u16, String)> {
        self.deliver_raw(payload.to_string(), authorization).await
    }

    /// Posts any text to the webhook. The world does not change.
    ///
    /// # Errors
    /// If there is no webhook address, or no answer.
    pub async fn deliver_raw(
        &self,
        body: String,
        authorization: Option<String>,
    ) -> io::Result<(u16, String)> {
        let (url, timeout) = self.world(|world| {
            (world.settings().webhook_url.clone(), world.settings().behaviour.webhook_timeout)
        });
        let url = url.ok_or_else(|| io::Error::other("there is no webhook address"))?;
        let mut request = self
            .client()
            .post(url)
            .timeout(timeout)
            .header(header::CONTENT_TYPE, "application/json")
            .body(body);
        if let Some(authorization) = authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        let response = request.send().await.map_err(io::Error::other)?;
        let status = response.status().as_u16();
        Ok((status, response.text().await.map_err(io::Error::other)?))
    }

    async fn deliver(&self, dispatch: Dispatch) -> DeliveryOutcome {
        let status = self.post(&dispatch).await;
        self.change(|world| world.delivery_answered(&dispatch, status))
    }

    async fn post(&self, dispatch: &Dispatch) -> Option<u16> {
        let timeout = self.world(|world| world.settings().behaviour.webhook_timeout);
        let request = self.client().post(dispatch.url.as_deref()?).timeout(timeout);
        let sent =
            request.headers(dispatch.headers.clone()).body(dispatch.body.clone()).send().await;
        Some(sent.ok()?.status().as_u16())
    }
}
