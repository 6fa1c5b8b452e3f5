//! A second subscription: changes of its plan and seats by the publisher and by the customer, with
//! every way in which Microsoft ends them.

use std::time::Duration;

use emulator::{Call, FaultKind, Purchase, World};
use http::StatusCode;
use serde_json::json;
use uuid::Uuid;

use super::{Difference, Walkthrough};
use crate::decider::Reply;

/// An address that refuses connections.
const CLOSED: &str = "http://127.0.0.1:9/webhook";

impl Walkthrough<'_> {
    pub(super) async fn changes(&mut self) -> Result<(), Difference> {
        let purchase = Purchase::per_seat("basic", 10).named("Fabrikam Cloud");
        self.id = self.emulator.world(|world| world.purchase(purchase));
        self.events = 0;
        let token = self.world(|world, id| world.purchase_token(id));
        self.confirm(&token).await?;
        self.compare("Another customer buys and confirms", &["Purchased", "Activated"]).await?;

        self.changes_by_publisher().await?;
        self.changes_by_customer().await?;
        self.changes_that_end_otherwise().await?;

        let operation = self.request_cancellation().await?;
        self.compare("The publisher cancels: 202, and no change yet", &[]).await?;
        self.expect_status(&operation, "NotStarted").await?;
        self.deliver().await?;
        self.expect_status(&operation, "Succeeded").await?;
        self.compare("Microsoft's webhook call confirms the end", &["Unsubscribed"]).await
    }

    /// The publisher polls an accepted change and applies it with its webhook call (F-CHP-5,
    /// F-CHP-6, F-CHP-7).
    async fn changes_by_publisher(&mut self) -> Result<(), Difference> {
        for (change, name, event) in [
            (json!({ "planId": "team" }), "another plan", "PlanChanged"),
            (json!({ "quantity": 25 }), "more seats", "QuantityChanged"),
        ] {
            let operation = self.request_change(&change).await?;
            self.expect_status(&operation, "NotStarted").await?;
            self.expect_status(&operation, "InProgress").await?;
            let title = format!("The publisher requests {name}: 202, and no change yet");
            self.compare(&title, &[]).await?;
            self.deliver().await?;
            self.expect_status(&operation, "Succeeded").await?;
            self.compare("Microsoft's webhook call confirms the change", &[event]).await?;
        }
        for (change, name, code) in [
            (json!({ "quantity": 25 }), "its 25 seats again", "already_in_force"),
            (json!({ "planId": "platinum" }), "an unavailable plan", "plan_not_available"),
            (json!({ "quantity": 501 }), "501 seats", "quantity_out_of_limits"),
        ] {
            let request = self.http.patch(self.api("")).body(change.to_string());
            let refused = self.expect(request, StatusCode::CONFLICT).await?;
            if refused["code"] != code {
                return Err(Difference(format!("expected the code {code}, got {refused}")));
            }
            self.compare(&format!("The publisher requests {name}: 409 {code}"), &[]).await?;
        }
        Ok(())
    }

    /// The publisher's product decides about the customer's changes (F-WHA-3, F-WHA-4).
    async fn changes_by_customer(&mut self) -> Result<(), Difference> {
        let decider = self.decider;
        let before = decider.questions().len();

        decider.reply_with(Reply::Accept);
        self.world(|world, id| world.change_quantity(id, 40))?;
        self.deliver().await?;
        self.compare("The customer requests 40 seats; your product accepts", &["QuantityChanged"])
            .await?;

        decider.reply_with(Reply::Reject("40 seats are too many for that plan".to_owned()));
        self.world(|world, id| world.change_plan(id, "basic"))?;
        self.deliver_rejected().await?;
        self.compare(
            "The customer requests a smaller plan; your product rejects",
            &["ChangeRejected"],
        )
        .await?;

        self.world(|world, id| world.revert(id))?;
        self.deliver().await?;
        self.compare("Microsoft reverts the rejected change; your product isn't asked", &[])
            .await?;

        decider.reply_with(Reply::Raw(500, String::new()));
        self.world(|world, id| world.change_quantity(id, 30))?;
        self.deliver().await?;
        self.compare(
            "The customer requests 30 seats; your product fails, the fallback accepts",
            &["QuantityChanged"],
        )
        .await?;

        decider.reply_with(Reply::ByRule);
        if let Some(complaint) = decider.complaints().first() {
            return Err(Difference(format!("the product complains: {complaint}")));
        }
        match decider.questions().len() - before {
            3 => Ok(()),
            questions => Err(Difference(format!("expected 3 questions, got {questions}"))),
        }
    }

    /// Operations that end without an answer of the publisher (F-CHP-6, F-OPU-4).
    async fn changes_that_end_otherwise(&mut self) -> Result<(), Difference> {
        let operation = self.request_change(&json!({ "quantity": 31 })).await?;
        self.expect_status(&operation, "NotStarted").await?;
        let id: Uuid = operation.parse().map_err(|_| unknown_operation(&operation))?;
        self.world(|world, _| world.end_in_conflict(id));
        self.deliver().await?;
        self.expect_status(&operation, "Conflict").await?;
        self.compare("The publisher requests 31 seats; the operation ends as Conflict", &[])
            .await?;

        let webhook = self.url("/webhook");
        let operation = self.request_change(&json!({ "quantity": 32 })).await?;
        let retry_window = self.world(|world, _| {
            let settings = world.settings_mut();
            settings.webhook_url = Some(CLOSED.to_owned());
            std::mem::replace(&mut settings.behaviour.retry_window, Duration::ZERO)
        });
        self.emulator.deliver_due().await;
        self.world(|world, _| {
            let settings = world.settings_mut();
            settings.webhook_url = Some(webhook);
            settings.behaviour.retry_window = retry_window;
            world.advance(Duration::from_secs(15 * 60));
        });
        self.expect_status(&operation, "Failed").await?;
        self.reconcile(1).await?;
        self.compare(
            "The publisher requests 32 seats; Microsoft can't report it and fails it",
            &[],
        )
        .await?;

        let change = self.world(|world, id| world.change_quantity(id, 33))?;
        self.expect(self.http.delete(self.api("")), StatusCode::CONFLICT).await?;
        self.acknowledge_too_late(change).await?;
        self.compare(
            "We acknowledge after ten seconds; Microsoft has accepted already",
            &["QuantityChanged"],
        )
        .await
    }

    /// The webhook reads the operation in time, but acknowledges it after more than ten seconds.
    /// Microsoft has then accepted the change and answers 409 (F-WHA-10).
    async fn acknowledge_too_late(&self, change: Uuid) -> Result<(), Difference> {
        let request = self.emulator.webhook_request(change);
        let (headers, body) = request.ok_or_else(|| unknown_operation(&change.to_string()))?;
        let conflicts = |world: &mut World| {
            let made = world.calls().iter().filter(|made| made.call == Call::UpdateOperation);
            made.filter(|made| made.status == Some(409)).count()
        };
        let before = self.world(|world, _| {
            let before = conflicts(world);
            world.lose_deliveries();
            world.advance(Duration::from_secs(30));
            // The operation as it was before the ten seconds had passed.
            let open = String::from_utf8_lossy(&body).into_owned();
            world.faults_mut().once(Call::GetOperation, FaultKind::Garbage(open));
            before
        });
        let call = self.http.post(self.url("/webhook")).headers(headers).body(body);
        self.expect(call, StatusCode::OK).await?;
        match self.world(|world, _| conflicts(world)) - before {
            1 => Ok(()),
            conflicts => Err(Difference(format!("expected one 409, got {conflicts}"))),
        }
    }

    /// Polls an operation, which must have this status.
    async fn expect_status(&self, operation: &str, expected: &str) -> Result<(), Difference> {
        let shown = self.operation(operation).await?;
        if shown["status"] == expected {
            return Ok(());
        }
        Err(Difference(format!("expected an operation with {expected}, got {shown}")))
    }
}

fn unknown_operation(id: &str) -> Difference {
    Difference(format!("there is no operation {id}"))
}
