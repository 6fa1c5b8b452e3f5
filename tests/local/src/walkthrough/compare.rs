//! Prints and compares both sides after a step.

use std::fmt;

use shared::domain::{Claim, Event, Record, SubscriptionId};
use shared::store::StoreError;

use super::{Difference, Walkthrough};

/// The billed part of a subscription. Both sides must agree on it.
#[derive(Debug, PartialEq, Eq)]
struct Billed {
    status: String,
    plan: String,
    seats: Option<u64>,
    until: Option<String>,
}

impl fmt::Display for Billed {
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

fn billed(record: &Record) -> Billed {
    let subscription = &record.subscription;
    Billed {
        status: record.status().as_str().to_owned(),
        plan: subscription.plan_id.clone(),
        seats: subscription.quantity,
        until: subscription.term.end_date.map(|at| at.strftime("%Y-%m-%d").to_string()),
    }
}

fn unreadable(error: StoreError) -> Difference {
    Difference(format!("the table can't be read: {error}"))
}

fn list(names: &[&str], none: &str) -> String {
    if names.is_empty() { none.to_owned() } else { names.join(", ") }
}

impl Walkthrough<'_> {
    /// Prints the step's result. Both sides must agree, and the step must have recorded these
    /// events.
    pub(super) async fn compare(
        &mut self,
        title: &str,
        expected: &[&str],
    ) -> Result<(), Difference> {
        self.steps += 1;
        let microsoft = self.at_microsoft();
        let record = self.system.store.load(SubscriptionId(self.id)).await.map_err(unreadable)?;
        let table = record.as_ref().map(billed);
        let events = self.system.store.events(SubscriptionId(self.id), 0).await;
        let events = events.map_err(unreadable)?.items;
        let new = &events[self.events..];
        let names: Vec<_> = new.iter().map(|event| event.kind.name()).collect();
        self.events = events.len();

        println!("\n{:>2}. {title}", self.steps);
        println!("    Microsoft  {microsoft}");
        match &table {
            Some(table) => println!("    table      {table}"),
            None => println!("    table      no record"),
        }
        match record.as_ref().and_then(|record| record.claim) {
            None => {}
            Some(Claim::Unclaimed) => println!("    claim      unclaimed"),
            Some(Claim::Claimed(by)) => println!("    claim      by the {:?}", by.role),
        }
        println!("    events     {}", list(&names, "none"));
        for ruling in new.iter().filter_map(|event| event.ruling.as_ref()) {
            let reason = ruling.reason.as_ref().map(|reason| format!(": {reason}"));
            let reason = reason.unwrap_or_default();
            println!("    decision   {}ed by {}{reason}", ruling.verdict.name(), ruling.by.name());
        }

        let is_unknown = table.is_none() && events.is_empty() && expected.is_empty();
        if !is_unknown && table.as_ref() != Some(&microsoft) {
            return Err(Difference("the table and Microsoft hold different values".to_owned()));
        }
        if names != expected {
            return Err(Difference(format!("expected the events {expected:?}, got {names:?}")));
        }
        self.compare_deliveries(&events, names.len()).await
    }

    fn at_microsoft(&self) -> Billed {
        let subscription = self.world(|world, id| world.subscription(id));
        Billed {
            status: subscription.status.to_owned(),
            plan: subscription.plan_id,
            seats: subscription.quantity.map(u64::from),
            until: subscription.term_end.map(|day| day.to_string()),
        }
    }

    /// The product must have received every event once, in order, signed, and valid by its schema.
    async fn compare_deliveries(&self, recorded: &[Event], new: usize) -> Result<(), Difference> {
        let delivered = self.system.deliver_events().await;
        delivered.map_err(|error| Difference(error.to_string()))?;
        let Some(receiver) = self.receiver else { return Ok(()) };
        if let Some(complaint) = receiver.complaints().first() {
            return Err(Difference(format!("the product complains: {complaint}")));
        }
        let id = self.id.to_string();
        let mut received = receiver.events();
        received.retain(|event| event["subject"] == id.as_str());
        let types = received.iter().skip(received.len().saturating_sub(new));
        let types: Vec<_> =
            types.filter_map(|event| event["type"].as_str()?.rsplit('.').nth(1)).collect();
        println!("    product    {}", list(&types, "nothing"));
        let received: Vec<_> = received.iter().filter_map(|event| event["id"].as_str()).collect();
        let recorded: Vec<_> = recorded.iter().map(Event::id).collect();
        if received != recorded {
            return Err(Difference(format!("the product received {received:?} of {recorded:?}")));
        }
        Ok(())
    }
}
