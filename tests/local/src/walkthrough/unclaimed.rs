//! Subscriptions that Microsoft activates by itself: one that no person ever opens, and one that its
//! beneficiary opens once. Sign-in is on.

use emulator::{Call, CallRecord, Person, Purchase};
use http::StatusCode;
use http::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::Url;
use serde_json::Value;

use super::{Difference, Walkthrough};

impl Walkthrough<'_> {
    pub(super) async fn unclaimed(&mut self) -> Result<(), Difference> {
        self.buy("Northwind Cloud").await?;
        self.plan_and_suspension().await?;
        self.end().await?;
        self.expect_claim("unclaimed").await?;

        self.buy("Tailwind Cloud").await?;
        self.plan_and_suspension().await?;
        self.visit_as(&Person::stranger()).await?;
        self.compare("A stranger who has the link signs in: nothing changes", &[]).await?;
        self.expect_claim("unclaimed").await?;
        let beneficiary = self.world(|world, id| world.subscription(id).beneficiary.clone());
        self.visit_as(&beneficiary).await?;
        self.compare("The beneficiary signs in, and has claimed it", &["Claimed"]).await?;
        self.visit_as(&beneficiary).await?;
        self.compare("The beneficiary comes again: nothing changes", &[]).await?;
        self.end().await?;
        self.expect_claim("claimed").await
    }

    /// Microsoft activates with the purchase, and its webhook call is the only notice (F-WHD-7).
    async fn buy(&mut self, name: &str) -> Result<(), Difference> {
        let purchase = Purchase::flat_rate("auto").named(name);
        self.id = self.emulator.world(|world| world.purchase(purchase));
        self.events = 0;
        self.deliver().await?;
        let events = ["Purchased", "Activated"];
        self.compare("A customer buys a plan that Microsoft activates by itself", &events).await?;
        self.expect_claim("unclaimed").await
    }

    async fn plan_and_suspension(&mut self) -> Result<(), Difference> {
        self.world(|world, id| world.change_plan(id, "silver"))?;
        self.deliver().await?;
        self.compare("The customer changes the plan at Microsoft", &["PlanChanged"]).await?;
        self.world(|world, id| world.suspend(id))?;
        self.deliver().await?;
        self.compare("A payment fails, and Microsoft suspends it", &["Suspended"]).await?;
        self.world(|world, id| world.reinstate(id))?;
        self.deliver().await?;
        self.compare("The customer pays, and Microsoft reinstates it", &["Reinstated"]).await
    }

    async fn end(&mut self) -> Result<(), Difference> {
        self.world(|world, id| world.unsubscribe(id))?;
        self.deliver().await?;
        self.compare("The customer cancels at Microsoft", &["Unsubscribed"]).await?;
        let id = self.id.to_string();
        let is_activation =
            |made: &&CallRecord| made.call == Call::Activate && made.path.contains(&id);
        match self.world(|world, _| world.calls().iter().filter(is_activation).count()) {
            0 => Ok(()),
            calls => Err(Difference(format!("Activate was called {calls} times"))),
        }
    }

    /// The API and the last event that the product received agree on whether a person has come.
    async fn expect_claim(&self, state: &str) -> Result<(), Difference> {
        let record = self.expect(self.http.get(self.api("")), StatusCode::OK).await?;
        if record["claim"]["state"] != state {
            return Err(Difference(format!("expected {state}, got {record}")));
        }
        let Some(receiver) = self.receiver else { return Ok(()) };
        let mut received = receiver.events();
        received.retain(|event| event["subject"] == self.id.to_string().as_str());
        let told = received.last().map_or(&Value::Null, |event| &event["data"]["unclaimed"]);
        if (told == true) == (state == "unclaimed") {
            return Ok(());
        }
        Err(Difference(format!("expected an event that says {state}, got {told}")))
    }

    /// A person follows Microsoft's link, signs in at Entra, and comes back to the page.
    async fn visit_as(&self, person: &Person) -> Result<(), Difference> {
        let mut cookies = Vec::new();
        let link = self.world(|world, id| world.landing_link(id));
        let mut entra = self.follow(&link, &mut cookies).await?;
        entra.query_pairs_mut().append_pair("identity", &person.email);
        let back = self.follow(entra.as_str(), &mut Vec::new()).await?;
        let page = self.follow(back.as_str(), &mut cookies).await?;
        self.http.get(page).header(COOKIE, cookies.join("; ")).send().await?;
        Ok(())
    }

    /// Returns where the answer redirects to, and keeps its cookies.
    async fn follow(&self, address: &str, cookies: &mut Vec<String>) -> Result<Url, Difference> {
        let request = self.http.get(address).header(COOKIE, cookies.join("; "));
        let answer = request.send().await?;
        for cookie in answer.headers().get_all(SET_COOKIE) {
            let pair = cookie.to_str().ok().and_then(|cookie| cookie.split(';').next());
            cookies.extend(pair.filter(|pair| !pair.ends_with('=')).map(str::to_owned));
        }
        let location = answer.headers().get(LOCATION).and_then(|to| to.to_str().ok());
        let to = location.and_then(|to| answer.url().join(to).ok());
        to.ok_or_else(|| Difference(format!("expected a redirect, got {}", answer.status())))
    }
}
