//! Changes of plan and seats in both directions: taken, refused, decided, and ended in every other way
//! Microsoft has.

use std::time::Duration;

use emulator::{Call, FaultKind, Purchase};
use http::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Difference, Play};
use crate::decider::Says;

/// A port that nobody listens on: Microsoft reaches no webhook there.
const NOBODY: &str = "http://127.0.0.1:9/webhook";

impl Play<'_> {
    /// Another customer's subscription, changed until it is cancelled.
    pub(super) async fn changes(&mut self) -> Result<(), Difference> {
        let purchase = Purchase::per_seat("basic", 10).named("Fabrikam Cloud");
        self.id = self.emulator.world(|world| world.purchase(purchase));
        self.events = 0;
        let token = self.world(|world, id| world.purchase_token(id));
        let button = self.http.post(self.url("/landing")).form(&[("token", &token)]);
        self.expect(button, StatusCode::OK).await?;
        self.compare("Another customer buys, and confirms", &["Purchased", "Activated"]).await?;

        self.asked_by_the_publisher().await?;
        self.asked_by_the_customer().await?;
        self.settled_elsewhere().await?;

        let operation = self.ask(None).await?;
        self.compare("The publisher cancels: 202, and nothing has happened yet", &[]).await?;
        self.follow(&operation, &["NotStarted"]).await?;
        self.deliver().await?;
        self.follow(&operation, &["Succeeded"]).await?;
        self.compare("Microsoft's webhook says that it is over", &["Unsubscribed"]).await
    }

    /// 202, poll, webhook, and applied only then (F-CHP-5, F-CHP-6, F-CHP-7); or refused at once.
    async fn asked_by_the_publisher(&mut self) -> Result<(), Difference> {
        for (wanted, asked, event) in [
            (json!({ "planId": "team" }), "another plan", "PlanChanged"),
            (json!({ "quantity": 25 }), "more seats", "QuantityChanged"),
        ] {
            let operation = self.ask(Some(&wanted)).await?;
            self.follow(&operation, &["NotStarted"]).await?;
            self.follow(&operation, &["InProgress"]).await?;
            let title = format!("The publisher asks for {asked}: 202, and Microsoft is at it");
            self.compare(&title, &[]).await?;
            self.deliver().await?;
            self.follow(&operation, &["Succeeded"]).await?;
            self.compare("Microsoft's webhook says that it is so", &[event]).await?;
        }
        for (wanted, code) in [
            (json!({ "quantity": 25 }), "already_in_force"),
            (json!({ "planId": "platinum" }), "plan_not_available"),
            (json!({ "quantity": 501 }), "quantity_out_of_limits"),
        ] {
            let body = wanted.to_string();
            let refused =
                self.expect(self.http.patch(self.own("")).body(body), StatusCode::CONFLICT).await?;
            self.same("the refusal's code", &refused["code"], code)?;
            let title = format!("The publisher asks for what can't be: declined with 409 {code}");
            self.compare(&title, &[]).await?;
        }
        Ok(())
    }

    /// Decided by the publisher's product (F-WHA-3, F-WHA-4).
    async fn asked_by_the_customer(&mut self) -> Result<(), Difference> {
        let Some(decider) = self.decider else { return Ok(()) };
        let asked = decider.questions().len();

        decider.says(Says::Accept);
        self.world(|world, id| world.change_quantity(id, 40))?;
        self.deliver().await?;
        self.compare(
            "The customer asks for 40 seats; the product is asked, and accepts",
            &["QuantityChanged"],
        )
        .await?;

        decider.says(Says::Reject("40 seats are too many for that plan".to_owned()));
        self.world(|world, id| world.change_plan(id, "basic"))?;
        self.deliver_refused().await?;
        self.compare(
            "The customer asks for a smaller plan; the product is asked, and rejects",
            &["ChangeRejected"],
        )
        .await?;

        self.world(|world, id| world.revert(id))?;
        self.deliver().await?;
        self.compare("Microsoft takes the rejected change back: accepted, nobody is asked", &[])
            .await?;

        decider.says(Says::Answer(500, String::new()));
        self.world(|world, id| world.change_quantity(id, 30))?;
        self.deliver().await?;
        self.compare(
            "The customer asks for 30 seats while the product is ill: as configured",
            &["QuantityChanged"],
        )
        .await?;

        decider.says(Says::WhatItThinks);
        let questions = decider.questions();
        if let Some(complaint) = decider.complaints().first() {
            return Err(Difference(format!("the product complains: {complaint}")));
        }
        match questions.len() - asked {
            3 => Ok(()),
            asked => Err(Difference(format!("the product was asked {asked} times, and not 3"))),
        }
    }

    /// Operations that end without us (F-CHP-6, F-OPU-4).
    async fn settled_elsewhere(&mut self) -> Result<(), Difference> {
        let operation = self.ask(Some(&json!({ "quantity": 31 }))).await?;
        self.follow(&operation, &["NotStarted"]).await?;
        let id: Uuid = operation.parse().map_err(|_| no_id(&operation))?;
        self.world(|world, _| world.end_in_conflict(id));
        self.deliver().await?;
        self.follow(&operation, &["Conflict"]).await?;
        self.compare("The publisher's change ends in Conflict: nothing is applied", &[]).await?;

        let webhook = self.url("/webhook");
        let operation = self.ask(Some(&json!({ "quantity": 32 }))).await?;
        let retry_window = self.world(|world, _| {
            let settings = world.settings_mut();
            settings.webhook_url = Some(NOBODY.to_owned());
            std::mem::replace(&mut settings.behaviour.retry_window, Duration::ZERO)
        });
        self.emulator.deliver_due().await;
        self.world(|world, _| {
            let settings = world.settings_mut();
            settings.webhook_url = Some(webhook);
            settings.behaviour.retry_window = retry_window;
            world.advance(Duration::from_secs(15 * 60));
        });
        self.follow(&operation, &["Failed"]).await?;
        self.reconcile(1).await?;
        self.compare("Microsoft can't report the publisher's change, and gives up: Failed", &[])
            .await?;

        let change = self.world(|world, id| world.change_quantity(id, 33))?;
        self.expect(self.http.delete(self.own("")), StatusCode::CONFLICT).await?;
        self.accepted_by_itself(change).await?;
        self.compare(
            "Microsoft accepts a change by itself; the acknowledgement meets 409",
            &["QuantityChanged"],
        )
        .await
    }

    /// The call is under way for so long that the ten seconds are over between our question and our
    /// answer (F-WHA-10).
    async fn accepted_by_itself(&self, change: Uuid) -> Result<(), Difference> {
        let request = self.emulator.webhook_request(change);
        let (headers, body) = request.ok_or_else(|| no_id(&change.to_string()))?;
        let answers = |world: &mut emulator::World| {
            let made = world.calls().iter().filter(|made| made.call == Call::UpdateOperation);
            made.filter(|made| made.status == Some(409)).count()
        };
        let before = self.world(|world, _| {
            let before = answers(world);
            world.lose_deliveries();
            world.advance(Duration::from_secs(30));
            // What was read before the ten seconds were over.
            let still_open = String::from_utf8_lossy(&body).into_owned();
            world.faults_mut().once(Call::GetOperation, FaultKind::Garbage(still_open));
            before
        });
        let call = self.http.post(self.url("/webhook")).headers(headers).body(body);
        self.expect(call, StatusCode::OK).await?;
        match self.world(|world, _| answers(world)) - before {
            1 => Ok(()),
            met => Err(Difference(format!("the acknowledgement met 409 {met} times"))),
        }
    }

    /// Asks by the publisher's API for a change, or for the end, and returns the operation to follow.
    async fn ask(&self, wanted: Option<&Value>) -> Result<String, Difference> {
        let request = match wanted {
            Some(wanted) => self.http.patch(self.own("")).body(wanted.to_string()),
            None => self.http.delete(self.own("")),
        };
        let accepted = self.expect(request, StatusCode::ACCEPTED).await?;
        let operation = accepted["operationId"].as_str();
        operation.map(str::to_owned).ok_or_else(|| no_id(&accepted.to_string()))
    }

    /// Polls an operation: it shows one of these statuses.
    async fn follow(&self, operation: &str, expected: &[&str]) -> Result<(), Difference> {
        let path = self.own(&format!("/operations/{operation}"));
        let shown = self.expect(self.http.get(path), StatusCode::OK).await?;
        let status = shown["status"].as_str().unwrap_or_default();
        if expected.contains(&status) {
            return Ok(());
        }
        Err(Difference(format!("the operation is {shown}, and not {expected:?}")))
    }

    /// Sends a change that is due, which is rejected.
    async fn deliver_refused(&self) -> Result<(), Difference> {
        let sent = self.emulator.deliver_due().await;
        let statuses: Vec<_> = sent.iter().map(|outcome| outcome.status).collect();
        if statuses == [Some(StatusCode::BAD_REQUEST.as_u16())] {
            return Ok(());
        }
        Err(Difference(format!("a change to be rejected was answered with {statuses:?}")))
    }

    fn same(&self, what: &str, value: &Value, expected: &str) -> Result<(), Difference> {
        if value == expected {
            return Ok(());
        }
        Err(Difference(format!("{what} is {value}, and not {expected:?}")))
    }
}

fn no_id(text: &str) -> Difference {
    Difference(format!("there is no operation {text}"))
}
