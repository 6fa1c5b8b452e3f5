//! The right end state: each record holds what Microsoft holds, and each change was told once.

use jiff::Timestamp;
use serde_json::Value;

use crate::customers::{Events, State};
use crate::world::World;

/// How many differences are named.
const NAMED: usize = 10;

/// What is not as it should be in the end: the first differences, and how many there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wrong {
    pub count: u64,
    pub named: Vec<String>,
}

impl Wrong {
    fn add(&mut self, what: impl FnOnce() -> String) {
        self.count += 1;
        if self.named.len() < NAMED {
            self.named.push(what());
        }
    }
}

/// Compares the table with Microsoft. A new purchase that the list doesn't show can't be known.
pub fn wrong(world: &World) -> Wrong {
    let (customers, listed) = {
        let microsoft = world.microsoft();
        (microsoft.customers, microsoft.listed())
    };
    let table = world.table();
    let mut wrong = Wrong::default();
    let mut told = 0;
    for number in 0..customers.count {
        let id = customers.id(number);
        let (state, events): (Option<State>, Events) = match customers.expected(number) {
            _ if customers.is_new(number) && number >= listed => (None, &[]),
            expected => expected,
        };
        told += usize::from(!events.is_empty());
        let held = table.subscription(id);
        if !held.as_ref().map_or(state.is_none(), |held| holds(held, state.as_ref())) {
            let held = held.as_ref().map(compared);
            wrong.add(|| format!("{number}: the record is {held:?}, and not {state:?}"));
        }
        if table.events(id) != events {
            wrong
                .add(|| format!("{number}: the events are {:?}, not {events:?}", table.events(id)));
        }
    }
    if table.told() != told {
        wrong.add(|| format!("{} subscriptions have events, and not {told}", table.told()));
    }
    wrong
}

/// Compares what the publisher's product was told with what it must be told: the same events, each once.
pub fn wrongly_told(world: &World) -> Wrong {
    let customers = world.microsoft().customers;
    let product = world.product();
    let mut wrong = Wrong::default();
    let mut told = 0;
    for number in 0..customers.count {
        let id = customers.id(number);
        let (_, events) = customers.expected(number);
        let expected = if customers.is_told(number) { events } else { &[] };
        told += usize::from(!expected.is_empty());
        let heard = product.get(&id.0).map_or(&[][..], Vec::as_slice);
        if heard != expected {
            wrong.add(|| format!("{number}: the product was told {heard:?}, not {expected:?}"));
        }
    }
    if product.len() != told {
        wrong
            .add(|| format!("the product was told of {} subscriptions, not {told}", product.len()));
    }
    wrong
}

/// What is compared of the subscription in a record.
fn compared(held: &Value) -> String {
    let names = ["saasSubscriptionStatus", "offerId", "planId", "quantity", "term"];
    names.map(|name| held[name].to_string()).join(" ")
}

/// Whether the subscription in a record is in this state.
fn holds(held: &Value, state: Option<&State>) -> bool {
    let Some(state) = state else { return false };
    let day = |name: &str| held["term"][name].as_str().and_then(|at| at.parse::<Timestamp>().ok());
    let midnight = |day: &str| format!("{day}T00:00:00Z").parse::<Timestamp>().ok();
    let (start, end) = state.term.unzip();
    held["saasSubscriptionStatus"] == state.status
        && held["offerId"] == state.offer
        && held["planId"] == state.plan
        && held["quantity"].as_u64() == state.seats
        && day("startDate") == start.and_then(midnight)
        && day("endDate") == end.and_then(midnight)
}
