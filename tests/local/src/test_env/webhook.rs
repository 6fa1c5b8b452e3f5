//! Webhook calls, Microsoft's and others, and their effects.

use std::time::Duration;

use emulator::{Action, Call, CallRecord, Purchase, TokenVersion};
use http::header::AUTHORIZATION;
use reqwest::Body;
use serde_json::Value;
use shared::domain::Term;
use uuid::Uuid;

use super::{Answer, TestEnv};

impl TestEnv {
    /// A subscription, and one of its operations whose webhook call is due.
    pub async fn about_to(&self, action: &Action) -> (Uuid, Uuid) {
        if *action == Action::Subscribe {
            let id = self.purchase(Purchase::flat_rate("auto"));
            return (id, self.world(|world| world.operations(id)[0]));
        }
        let id = self.active(Purchase::per_seat("basic", 10)).await;
        if *action == Action::Reinstate {
            self.world(|world| world.suspend(id)).expect("a suspension");
            assert_eq!(self.deliver_statuses().await, [200]);
            self.pass(120);
        }
        let operation = self.world(|world| match action {
            Action::ChangePlan => world.change_plan(id, "team"),
            Action::ChangeQuantity => world.change_quantity(id, 20),
            Action::Renew => world.renew(id),
            Action::Suspend => world.suspend(id),
            Action::Reinstate => world.reinstate(id),
            Action::Unsubscribe => world.unsubscribe(id),
            Action::Subscribe | Action::Other(_) => unreachable!("not prepared here"),
        });
        (id, operation.expect("the state permits it"))
    }

    /// Advances the clock on both sides by this many seconds.
    pub fn pass(&self, seconds: u64) {
        self.advance(Duration::from_secs(seconds));
    }

    /// Microsoft repeats the calls that failed.
    pub async fn redeliver(&self) -> Vec<u16> {
        self.world(|world| world.advance(world.settings().behaviour.retry_interval));
        self.deliver_statuses().await
    }

    /// Microsoft repeats failed calls until each one succeeded.
    pub async fn deliver_all(&self) {
        for _ in 0..10 {
            if self.world(|world| world.deliveries().is_empty()) {
                return;
            }
            self.redeliver().await;
        }
        panic!("calls still fail: {:?}", self.world(|world| world.deliveries().to_vec()));
    }

    /// An `Authorization` header as Microsoft sends it.
    pub fn authorization(&self, version: TokenVersion) -> String {
        format!("Bearer {}", self.microsoft().entra(|entra| entra.webhook_token(version)))
    }

    /// Calls the webhook with any body and `Authorization` header.
    pub async fn call(&self, body: impl Into<Body>, authorization: Option<&str>) -> Answer {
        let mut request = self.http.post(self.url("/webhook")).body(body);
        if let Some(authorization) = authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        self.send(request).await
    }

    /// Calls the webhook with any body and Microsoft's token.
    pub async fn signed(&self, body: impl Into<Body>) -> Answer {
        let authorization = self.authorization(TokenVersion::V1);
        self.call(body, Some(&authorization)).await
    }

    /// The body of an operation's webhook call, as Microsoft sends it.
    pub fn body_of(&self, operation: Uuid) -> Value {
        let (_, body) = self.microsoft().webhook_request(operation).expect("an operation");
        serde_json::from_slice(&body).expect("a JSON body")
    }

    /// The calls of this kind that Microsoft has received since its log was cleared.
    pub fn calls_of(&self, call: Call) -> Vec<CallRecord> {
        self.world(|world| world.calls().iter().filter(|made| made.call == call).cloned().collect())
    }

    /// The acknowledgements that Microsoft has received since its log was cleared.
    pub fn acknowledgements(&self) -> Vec<Value> {
        let calls = self.calls_of(Call::UpdateOperation);
        calls.into_iter().map(|call| call.request_body.expect("a JSON body")).collect()
    }

    /// How many events of this name a subscription has.
    pub async fn count(&self, id: Uuid, event: &str) -> usize {
        self.event_names(id).await.iter().filter(|name| **name == event).count()
    }

    /// Checks that the record agrees with Microsoft's copy (F-SEED-7).
    pub async fn assert_agrees(&self, id: Uuid, case: &str) {
        let microsoft = self.world(|world| world.subscription(id));
        let record = self.record(id).await.unwrap_or_else(|| panic!("{case}: no record"));
        let ours = &record.subscription;
        let Term { start_date, end_date, .. } = &ours.term;
        let day = |at: &Option<jiff::Timestamp>| at.map(|at| at.to_string()[..10].to_owned());
        assert_eq!(
            (
                record.status().as_str(),
                ours.plan_id.as_str(),
                ours.quantity,
                day(start_date),
                day(end_date)
            ),
            (
                microsoft.status,
                microsoft.plan_id.as_str(),
                microsoft.quantity.map(u64::from),
                microsoft.term_start.map(|day| day.to_string()),
                microsoft.term_end.map(|day| day.to_string())
            ),
            "{case}"
        );
    }
}
