//! Four subscriptions from purchase to cancellation, without a person at the keyboard. Each step is an HTTP request
//! or an event at Microsoft. After it, the walkthrough prints and compares what Microsoft holds,
//! what the table holds, which events were recorded, and which of them your product received.

mod changes;
mod compare;
mod steps;
mod unclaimed;

use std::time::Duration;

use emulator::{Emulator, Forgery, Purchase, Refused};
use http::StatusCode;
use serde_json::json;
use thiserror::Error;
use uuid::Uuid;

use crate::decider::Decider;
use crate::receiver::Receiver;
use crate::system::LocalSystem;

/// The first unexpected result.
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
        Self(format!("the functions did not answer: {error}"))
    }
}

/// Walks through two lives, up to the first difference, and returns the number of steps. `decider` must be
/// the one that the functions ask. Without a `receiver`, the deliveries are not compared.
pub async fn walk(
    system: &LocalSystem,
    receiver: Option<&Receiver>,
    decider: &Decider,
) -> Result<usize, Difference> {
    let mut walkthrough = Walkthrough::new(system, receiver, decider, 0)?;
    let purchase = Purchase::per_seat("basic", 10).named("Contoso Cloud");
    walkthrough.id = walkthrough.emulator.world(|world| world.purchase(purchase));
    walkthrough.life().await?;
    walkthrough.changes().await?;
    Ok(walkthrough.steps)
}

/// Walks through the lives of two subscriptions that Microsoft activates by itself, after so many steps. The
/// system has sign-in on.
pub async fn walk_with_sign_in(
    system: &LocalSystem,
    receiver: Option<&Receiver>,
    decider: &Decider,
    steps: usize,
) -> Result<(), Difference> {
    Walkthrough::new(system, receiver, decider, steps)?.unclaimed().await
}

struct Walkthrough<'a> {
    system: &'a LocalSystem,
    receiver: Option<&'a Receiver>,
    decider: &'a Decider,
    emulator: &'a Emulator,
    http: reqwest::Client,
    /// The current subscription.
    id: Uuid,
    /// How many of its events the steps so far have printed.
    events: usize,
    steps: usize,
}

impl<'a> Walkthrough<'a> {
    fn new(
        system: &'a LocalSystem,
        receiver: Option<&'a Receiver>,
        decider: &'a Decider,
        steps: usize,
    ) -> Result<Self, Difference> {
        let emulator = system.emulator().ok_or_else(|| {
            Difference(
            "the walkthrough needs the emulator, but MARKETPLACE_URL and ENTRA_AUTHORITY are set"
                .to_owned(),
        )
        })?;
        let http = shared::host::http_client::client();
        Ok(Self { system, receiver, decider, emulator, http, id: Uuid::nil(), events: 0, steps })
    }
}

impl Walkthrough<'_> {
    /// One subscription, from its purchase to its end.
    async fn life(&mut self) -> Result<(), Difference> {
        self.compare("A customer buys ten seats; the publisher has no record yet", &[]).await?;

        let link = self.world(|world, id| world.landing_link(id));
        self.expect(self.http.get(link), StatusCode::OK).await?;
        self.compare("The buyer opens the landing page, which calls Resolve", &["Purchased"])
            .await?;

        let token = self.world(|world, id| world.purchase_token(id));
        self.confirm(&token).await?;
        self.compare("The buyer confirms, which calls Activate and starts billing", &["Activated"])
            .await?;

        self.confirm(&token).await?;
        self.compare("The buyer presses the button again: nothing changes", &[]).await?;

        self.world(|world, id| world.change_plan(id, "team"))?;
        self.deliver().await?;
        self.compare(
            "The customer changes the plan, and we acknowledge within ten seconds",
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

        let operation = self.request_change(&json!({ "quantity": 25 })).await?;
        self.compare("The publisher requests more seats: 202, and no change yet", &[]).await?;
        self.operation(&operation).await?;
        self.deliver().await?;
        self.compare("Microsoft's webhook call confirms the change", &["QuantityChanged"]).await?;

        self.world(|world, id| world.renew(id))?;
        self.deliver().await?;
        self.compare("The term ends, and Microsoft renews it", &["Renewed"]).await?;

        self.world(|world, id| world.suspend(id))?;
        self.deliver().await?;
        self.compare("A payment fails, and Microsoft suspends the subscription", &["Suspended"])
            .await?;

        self.forge(Forgery::BadSignature).await?;
        self.compare("A stranger reports a payment with a forged token: 401", &[]).await?;

        self.world(|world, id| world.reinstate(id))?;
        self.deliver().await?;
        self.compare(
            "The customer pays, and Microsoft reinstates the subscription",
            &["Reinstated"],
        )
        .await?;

        self.world(|world, id| world.change_quantity(id, 30))?;
        self.world(|world, _| {
            world.lose_deliveries();
            world.advance(Duration::from_secs(15 * 60));
        });
        self.reconcile(1).await?;
        self.compare(
            "A webhook call is lost; the reconciliation finds the change",
            &["QuantityChanged"],
        )
        .await?;
        self.reconcile(0).await?;
        self.compare("The reconciliation runs again and finds no difference", &[]).await?;

        self.request_cancellation().await?;
        self.deliver().await?;
        self.compare("The publisher cancels, and the subscription ends", &["Unsubscribed"]).await
    }
}
