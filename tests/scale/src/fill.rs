//! A world in which the table holds the records of all subscriptions.

use std::sync::Arc;
use std::time::Duration;

use shared::host::clock::Clock;
use shared::store::{Commit, Store as _};

use crate::clock::SimulatedClock;
use crate::customers::{Customers, State};
use crate::host::{Host, Latency};
use crate::microsoft::{Microsoft, Troubles};
use crate::table::Table;
use crate::template::{Template, purchase};
use crate::world::World;

/// A world with these customers, and a record of each that isn't new.
pub async fn world(customers: Customers, troubles: Troubles) -> Arc<World> {
    let mut templates = Vec::new();
    for state in Customers::recorded_states() {
        templates.push(template(customers, state).await);
    }
    let mut table = Table::default();
    table.fill(customers, &templates);
    Arc::new(World::new(Microsoft::new(customers, troubles), table))
}

/// Lets the shipped store write a record of this state into a table of its own.
async fn template(customers: Customers, state: State) -> Template {
    let microsoft = Microsoft::new(customers, Troubles::default());
    let world = Arc::new(World::new(microsoft, Table::default()));
    let clock: Arc<dyn Clock> = Arc::new(SimulatedClock::new(0));
    let none = Duration::ZERO;
    let host = Host::new(world.clone(), clock, Latency { page: none, call: none, table: none });
    let id = customers.id(0);
    let next = purchase(id, &state, customers.created(0));
    let commit = Commit { next: Some(next), mark: None };
    host.store().commit(id, &commit).await.expect("the table is empty");
    let item = world.table().record(id).expect("a record").clone();
    Template { state, id, item }
}
