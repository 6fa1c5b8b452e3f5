//! Sends webhooks over HTTP and tells the world how it went.

use crate::Emulator;
use crate::world::{DeliveryOutcome, Dispatch, World};
use http::{HeaderMap, header};
use serde_json::Value;
use std::io;
use std::time::Duration;
use uuid::Uuid;

/// How often a live run looks for webhooks that have become due.
const LIVE_INTERVAL: Duration = Duration::from_millis(100);

pub(crate) fn client() -> reqwest::Result<reqwest::Client> {
    // Fails when another part of the process chose a provider already, which serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        // A token must not follow a redirect or pass a proxy.
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
}

impl Emulator {
    /// Sends everything that is due at the world's clock, once each, in order.
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
        let mut stopped = self.stopped();
        tokio::spawn(async move {
            let mut interval = tokio::time::interval(LIVE_INTERVAL);
            loop {
                tokio::select! {
                    _ = interval.tick() => {}
                    _ = stopped.wait_for(|stopped| *stopped) => return,
                }
                for dispatch in emulator.world(World::take_due_deliveries) {
                    let emulator = emulator.clone();
                    // A slow webhook must not hold up another subscription's.
                    tokio::spawn(async move { emulator.deliver(dispatch).await });
                }
            }
        });
    }

    /// An operation's signed webhook, without sending it.
    pub fn webhook_request(&self, operation: Uuid) -> Option<(HeaderMap, Vec<u8>)> {
        self.world(|world| world.webhook_request(operation))
    }

    /// Posts any JSON to the webhook, for odd and forged forms. Nothing in the world changes.
    ///
    /// # Errors
    /// When there is no webhook address, or no answer.
    pub async fn deliver_payload(
        &self,
        payload: &Value,
        authorization: Option<String>,
    ) -> io::Result<(u16, String)> {
        self.deliver_raw(payload.to_string(), authorization).await
    }

    /// Posts any text to the webhook.
    ///
    /// # Errors
    /// When there is no webhook address, or no answer.
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
            .inner
            .client
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
        self.world(|world| world.delivery_answered(&dispatch, status))
    }

    async fn post(&self, dispatch: &Dispatch) -> Option<u16> {
        let timeout = self.world(|world| world.settings().behaviour.webhook_timeout);
        let request = self.inner.client.post(dispatch.url.as_deref()?).timeout(timeout);
        let sent =
            request.headers(dispatch.headers.clone()).body(dispatch.body.clone()).send().await;
        Some(sent.ok()?.status().as_u16())
    }
}
