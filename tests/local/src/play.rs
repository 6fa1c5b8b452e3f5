//! The whole life of a subscription, without a person: each step is taken over HTTP, and then what
//! Microsoft holds, what the table holds, which events were recorded and which of them the publisher's
//! product took is printed and compared.

mod changes;

use std::fmt;
use std::time::Duration;

use emulator::{Emulator, Forgery, Purchase, Refused, TokenVersion, World};
use http::StatusCode;
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use shared::domain::{Event, SubscriptionId};
use thiserror::Error;
use uuid::Uuid;

use crate::Stage;
use crate::decider::Decider;
use crate::receiver::Receiver;

/// The first thing that wasn't as it must be.
#[derive(Debug, Error)]
#[error("{0}")]
pub struct Difference(String);

impl From<Refused> for Difference {
    fn from(refused: Refused) -> Self {
        Self(format!("Microsoft's side refused a step: {refused:?}"))
    }
}

impl From<reqwest::Error> for Difference {
    fn from(error: reqwest::Error) -> Self {
        Self(format!("the functions gave no answer: {error}"))
    }
}

/// What is billed of a subscription; the part both sides must agree on.
#[derive(Debug, PartialEq, Eq)]
struct Held {
    status: String,
    plan: String,
    seats: Option<u64>,
    until: Option<String>,
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<24} {:<8}", self.status, self.plan)?;
        match self.seats {
            Some(seats) => write!(f, " {seats:>3} seats")?,
            None => write!(f, "          ")?,
        }
        match &self.until {
            Some(until) => write!(f, "  until {until}"),
            None => Ok(()),
        }
    }
}

/// Plays the life to its end, or to the first difference. `receiver` and `decider` are the parts of the
/// publisher's product that are told and asked.
pub async fn play(
    stage: &Stage,
    receiver: Option<&Receiver>,
    decider: Option<&Decider>,
) -> Result<(), Difference> {
    let emulator = stage.emulator().ok_or_else(|| {
        Difference(
            "a play needs the emulator; MARKETPLACE_URL and ENTRA_AUTHORITY name another Microsoft"
                .to_owned(),
        )
    })?;
    let id = emulator
        .world(|world| world.purchase(Purchase::per_seat("basic", 10).named("Contoso Cloud")));
    let mut play = Play {
        stage,
        receiver,
        decider,
        emulator,
        http: shared::host::http_client::client(),
        id,
        events: 0,
        steps: 0,
    };
    play.life().await?;
    play.changes().await
}

struct Play<'a> {
    stage: &'a Stage,
    receiver: Option<&'a Receiver>,
    decider: Option<&'a Decider>,
    emulator: &'a Emulator,
    http: reqwest::Client,
    id: Uuid,
    events: usize,
    steps: usize,
}

impl Play<'_> {
    async fn life(&mut self) -> Result<(), Difference> {
        self.compare("A customer buys ten seats; the publisher does not know yet", &[]).await?;

        let link = self.world(|world, id| world.landing_link(id));
        self.expect(self.http.get(link), StatusCode::OK).await?;
        self.compare("The buyer opens the landing page: Resolve", &["Purchased"]).await?;

        let token = self.world(|world, id| world.purchase_token(id));
        let button = self.http.post(self.url("/landing")).form(&[("token", &token)]);
        self.expect(button, StatusCode::OK).await?;
        self.compare("The buyer confirms: Activate, and billing begins", &["Activated"]).await?;

        let button = self.http.post(self.url("/landing")).form(&[("token", &token)]);
        self.expect(button, StatusCode::OK).await?;
        self.compare("The buyer presses the button again: nothing happens", &[]).await?;

        self.world(|world, id| world.change_plan(id, "team"))?;
        self.deliver().await?;
        self.compare(
            "The customer changes the plan: acknowledged within ten seconds",
            &["PlanChanged"],
        )
        .await?;

        self.world(|world, id| world.change_quantity(id, 20))?;
        self.world(|world, _| world.duplicate_next_delivery());
        self.deliver().await?;
        self.compare(
            "The customer changes the seats, and Microsoft reports it twice",
            &["QuantityChanged"],
        )
        .await?;

        let body = json!({ "quantity": 25 }).to_string();
        let accepted =
            self.expect(self.http.patch(self.own("")).body(body), StatusCode::ACCEPTED).await?;
        self.compare("The publisher asks for more seats: 202, and nothing has changed yet", &[])
            .await?;
        let operation = self
            .own(&format!("/operations/{}", accepted["operationId"].as_str().unwrap_or_default()));
        self.expect(self.http.get(operation), StatusCode::OK).await?;
        self.deliver().await?;
        self.compare("Microsoft's webhook says that it is so", &["QuantityChanged"]).await?;

        self.world(|world, id| world.renew(id))?;
        self.deliver().await?;
        self.compare("The term ends and is renewed", &["Renewed"]).await?;

        self.world(|world, id| world.suspend(id))?;
        self.deliver().await?;
        self.compare("The payment fails: suspended", &["Suspended"]).await?;

        self.forge(Forgery::BadSignature).await?;
        self.compare("A stranger reports a payment, with a forged token: 401", &[]).await?;

        self.world(|world, id| world.reinstate(id))?;
        self.deliver().await?;
        self.compare("The customer pays: reinstated", &["Reinstated"]).await?;

        self.world(|world, id| world.change_quantity(id, 30))?;
        self.world(|world, _| {
            world.lose_deliveries();
            world.advance(Duration::from_secs(15 * 60));
        });
        self.reconcile(1).await?;
        self.compare(
            "A webhook is lost for good; the reconciliation notices",
            &["QuantityChanged"],
        )
        .await?;
        self.reconcile(0).await?;
        self.compare("The reconciliation again: nothing left to repair", &[]).await?;

        self.expect(self.http.delete(self.own("")), StatusCode::ACCEPTED).await?;
        self.deliver().await?;
        self.compare("The publisher cancels: over, for good", &["Unsubscribed"]).await
    }

    fn world<T>(&self, act: impl FnOnce(&mut World, Uuid) -> T) -> T {
        self.emulator.world(|world| act(world, self.id))
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.stage.url())
    }

    fn own(&self, path: &str) -> String {
        self.url(&format!("/subscriptions/{}{path}", self.id))
    }

    async fn expect(
        &self,
        request: RequestBuilder,
        status: StatusCode,
    ) -> Result<Value, Difference> {
        let response = request.send().await?;
        let answered = response.status();
        let body = response.text().await?;
        if answered != status {
            return Err(Difference(format!(
                "expected the answer {status}, got {answered}: {body}"
            )));
        }
        Ok(serde_json::from_str(&body).unwrap_or_default())
    }

    /// Sends what is due until nothing is: a change that Microsoft makes may report itself.
    async fn deliver(&self) -> Result<(), Difference> {
        let mut sent = self.emulator.deliver_due().await;
        if sent.is_empty() {
            return Err(Difference("Microsoft's side had nothing to report".to_owned()));
        }
        while !sent.is_empty() {
            if let Some(refused) = sent.iter().find(|outcome| outcome.status != Some(200)) {
                return Err(Difference(format!(
                    "a webhook was answered with {:?}",
                    refused.status
                )));
            }
            sent = self.emulator.deliver_due().await;
        }
        Ok(())
    }

    async fn forge(&self, forgery: Forgery) -> Result<(), Difference> {
        let token = self.emulator.entra(|entra| entra.forge(forgery, TokenVersion::V2));
        let body =
            json!({ "subscriptionId": self.id, "id": Uuid::new_v4(), "action": "Reinstate" });
        let request =
            self.http.post(self.url("/webhook")).bearer_auth(token).body(body.to_string());
        self.expect(request, StatusCode::UNAUTHORIZED).await?;
        Ok(())
    }

    async fn reconcile(&self, repaired: u64) -> Result<(), Difference> {
        let report = self.stage.reconcile().await.map_err(|error| Difference(error.to_string()))?;
        if (report.repaired, report.failed) != (repaired, 0) {
            return Err(Difference(format!(
                "expected {repaired} repaired records, got {report:?}"
            )));
        }
        Ok(())
    }

    /// Prints and compares the two sides, and the events since the last step.
    async fn compare(&mut self, title: &str, expected: &[&str]) -> Result<(), Difference> {
        self.steps += 1;
        let microsoft = self.world(|world, id| world.subscription(id));
        let microsoft = Held {
            status: microsoft.status.to_owned(),
            plan: microsoft.plan_id,
            seats: microsoft.quantity.map(u64::from),
            until: microsoft.term_end.map(|day| day.to_string()),
        };
        let unreadable = |error: shared::store::StoreError| Difference(error.to_string());
        let id = SubscriptionId(self.id);
        let table = self.stage.store.load(id).await.map_err(unreadable)?.map(|record| Held {
            status: record.status().as_str().to_owned(),
            plan: record.subscription.plan_id,
            seats: record.subscription.quantity,
            until: record.subscription.term.end_date.map(|at| at.strftime("%Y-%m-%d").to_string()),
        });
        let events = self.stage.store.events(id, 0).await.map_err(unreadable)?.items;
        let new: Vec<_> = events.iter().skip(self.events).map(|event| event.kind.name()).collect();
        self.events = events.len();

        println!("\n{:>2}. {title}", self.steps);
        println!("    Microsoft  {microsoft}");
        match &table {
            Some(table) => println!("    table      {table}"),
            None => println!("    table      nothing"),
        }
        println!(
            "    events     {}",
            if new.is_empty() { "none".to_owned() } else { new.join(", ") }
        );
        for ruling in
            events[events.len() - new.len()..].iter().filter_map(|event| event.ruling.as_ref())
        {
            let reason = ruling.reason.as_ref().map(|reason| format!(": {reason}"));
            let reason = reason.unwrap_or_default();
            println!("    decision   {} by {}{reason}", ruling.verdict.name(), ruling.by.name());
        }

        let unknown_yet = table.is_none() && self.events == 0 && expected.is_empty();
        if !unknown_yet && table.as_ref() != Some(&microsoft) {
            return Err(Difference("the table and Microsoft differ".to_owned()));
        }
        if new != expected {
            return Err(Difference(format!("expected the events {expected:?}, got {new:?}")));
        }
        self.told(&events, new.len()).await
    }

    /// The product took every event once, in order, signed, and as the schemas say.
    async fn told(&self, events: &[Event], new: usize) -> Result<(), Difference> {
        self.stage.tell().await.map_err(|error| Difference(error.to_string()))?;
        let Some(receiver) = self.receiver else { return Ok(()) };
        if let Some(complaint) = receiver.complaints().first() {
            return Err(Difference(format!("the product complains: {complaint}")));
        }
        let own = self.id.to_string();
        let told = receiver.events();
        let told: Vec<_> = told.iter().filter(|event| event["subject"] == own.as_str()).collect();
        let kinds: Vec<_> = told
            .iter()
            .skip(told.len().saturating_sub(new))
            .filter_map(|event| event["type"].as_str()?.rsplit('.').nth(1))
            .collect();
        println!(
            "    product    {}",
            if kinds.is_empty() { "nothing".to_owned() } else { kinds.join(", ") }
        );
        let ids: Vec<_> = told.iter().filter_map(|event| event["id"].as_str()).collect();
        let recorded: Vec<_> = events.iter().map(Event::id).collect();
        if ids != recorded {
            return Err(Difference(format!("the product took {ids:?} of {recorded:?}")));
        }
        Ok(())
    }
}
