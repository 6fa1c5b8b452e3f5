//! The requests and events that the steps consist of.

use emulator::{Forgery, TokenVersion, World};
use http::StatusCode;
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Difference, Walkthrough};

impl Walkthrough<'_> {
    pub(super) fn world<T>(&self, act: impl FnOnce(&mut World, Uuid) -> T) -> T {
        self.emulator.world(|world| act(world, self.id))
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.system.url())
    }

    /// The publisher's API for the current subscription.
    pub(super) fn api(&self, path: &str) -> String {
        self.url(&format!("/subscriptions/{}{path}", self.id))
    }

    pub(super) async fn expect(
        &self,
        request: RequestBuilder,
        status: StatusCode,
    ) -> Result<Value, Difference> {
        let response = request.send().await?;
        let answered = response.status();
        let body = response.text().await?;
        if answered != status {
            return Err(Difference(format!("expected {status}, got {answered}: {body}")));
        }
        Ok(serde_json::from_str(&body).unwrap_or_default())
    }

    /// The buyer presses the landing page's button.
    pub(super) async fn confirm(&self, token: &str) -> Result<(), Difference> {
        let button = self.http.post(self.url("/landing")).form(&[("token", token)]);
        self.expect(button, StatusCode::OK).await.map(drop)
    }

    /// The publisher requests a change. Returns the operation's id.
    pub(super) async fn request_change(&self, change: &Value) -> Result<String, Difference> {
        self.accepted(self.http.patch(self.api("")).body(change.to_string())).await
    }

    /// The publisher cancels. Returns the operation's id.
    pub(super) async fn request_cancellation(&self) -> Result<String, Difference> {
        self.accepted(self.http.delete(self.api(""))).await
    }

    async fn accepted(&self, request: RequestBuilder) -> Result<String, Difference> {
        let accepted = self.expect(request, StatusCode::ACCEPTED).await?;
        let operation = accepted["operationId"].as_str().map(str::to_owned);
        operation.ok_or_else(|| Difference(format!("no operation in {accepted}")))
    }

    pub(super) async fn operation(&self, operation: &str) -> Result<Value, Difference> {
        let path = self.api(&format!("/operations/{operation}"));
        self.expect(self.http.get(path), StatusCode::OK).await
    }

    /// Delivers the due webhook calls until none is left, because a change that Microsoft makes may
    /// cause another call.
    pub(super) async fn deliver(&self) -> Result<(), Difference> {
        let mut sent = self.emulator.deliver_due().await;
        if sent.is_empty() {
            return Err(Difference("Microsoft's side had no webhook call to send".to_owned()));
        }
        while !sent.is_empty() {
            if let Some(refused) = sent.iter().find(|outcome| outcome.status != Some(200)) {
                let status = refused.status;
                return Err(Difference(format!("a webhook call was answered with {status:?}")));
            }
            sent = self.emulator.deliver_due().await;
        }
        Ok(())
    }

    /// Delivers a due change that must be rejected.
    pub(super) async fn deliver_rejected(&self) -> Result<(), Difference> {
        let sent = self.emulator.deliver_due().await;
        let statuses: Vec<_> = sent.iter().map(|outcome| outcome.status).collect();
        if statuses == [Some(StatusCode::BAD_REQUEST.as_u16())] {
            return Ok(());
        }
        Err(Difference(format!("expected a rejection, got {statuses:?}")))
    }

    /// A stranger calls the webhook with a forged token.
    pub(super) async fn forge(&self, forgery: Forgery) -> Result<(), Difference> {
        let token = self.emulator.entra(|entra| entra.forge(forgery, TokenVersion::V2));
        let body =
            json!({ "subscriptionId": self.id, "id": Uuid::new_v4(), "action": "Reinstate" });
        let request =
            self.http.post(self.url("/webhook")).bearer_auth(token).body(body.to_string());
        self.expect(request, StatusCode::UNAUTHORIZED).await.map(drop)
    }

    /// Runs the reconciliation, which must repair this many records.
    pub(super) async fn reconcile(&self, repaired: u64) -> Result<(), Difference> {
        let report = self.system.reconcile().await;
        let report = report.map_err(|error| Difference(error.to_string()))?;
        if (report.repaired, report.failed) != (repaired, 0) {
            return Err(Difference(format!(
                "expected {repaired} repaired records, got {report:?}"
            )));
        }
        Ok(())
    }
}
