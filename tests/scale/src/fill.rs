//! A world in which the table holds the records of all subscriptions.

use std::sync::Arc;
use std::time::Duration;

use shared::host::clock::Clock;
use shared::store::{Checkpoints as _, Commit, DynamoDbStore, FirstStart, Store as _};

use crate::clock::{SimulatedClock, beginning};
use crate::customers::{Customers, State};
use crate::host::{Host, Latency};
use crate::microsoft::{Microsoft, Troubles};
use crate::table::Table;
use crate::template::{AGE, Template, purchase};
use crate::world::World;

/// A world with these customers, and a record of each that isn't new.
pub async fn world(customers: Customers, troubles: Troubles) -> Arc<World> {
    let mut templates = Vec::new();
    for state in Customers::recorded_states() {
        templates.push(template(customers, state).await);
    }
    let mut table = Table::default();
    table.fill(customers, &templates);
    let world = Arc::new(World::new(Microsoft::new(customers, troubles), table));
    if customers.are_recorded {
        let imported = beginning() - AGE;
        let first = FirstStart { started_at: imported, imported_at: Some(imported) };
        store(&world).save_first_start(&first).await.expect("the table has none");
        world.table().usage();
    }
    world
}

/// The store that ships, over a world that answers at once.
fn store(world: &Arc<World>) -> Arc<DynamoDbStore> {
    let clock: Arc<dyn Clock> = Arc::new(SimulatedClock::new(0));
    let none = Duration::ZERO;
    Host::new(world.clone(), clock, Latency { page: none, call: none, table: none }).store()
}

/// Lets the shipped store write a record of this state into a table of its own.
async fn template(customers: Customers, state: State) -> Template {
    let microsoft = Microsoft::new(customers, Troubles::default());
    let world = Arc::new(World::new(microsoft, Table::default()));
    let id = customers.id(0);
    let next = purchase(id, &state, customers.created(0));
    let commit = Commit { next: Some(next), mark: None };
    store(&world).commit(id, &commit).await.expect("the table is empty");
    let item = world.table().record(id).expect("a record").clone();
    Template { state, id, item }
}
