//! How long runs take, and what they cost.

use std::path::Path;
use std::time::Duration;

use crate::clock::simulated;
use crate::customers::Customers;
use crate::fill::world;
use crate::host::Latency;
use crate::microsoft::Troubles;
use crate::process::{Process, measured};
use crate::run::Schedule;
use crate::table::Usage;

/// A run that nothing disturbs.
pub struct Figures {
    pub customers: Customers,
    /// How long its slices took in simulated time.
    pub took: Duration,
    pub examined: u64,
    pub repaired: u64,
    pub usage: Usage,
}

impl Figures {
    /// Runs the reconciliation once, with a page that takes so long.
    pub fn of(customers: Customers, page: Duration) -> Result<Self, String> {
        simulated(async {
            let world = world(customers, Troubles::default()).await;
            let mut schedule = Schedule::new(&world, 1, Latency::of_page(page), None);
            let report = schedule.run(u32::MAX).await.ok_or("the run never ended")?;
            let took =
                Duration::try_from(schedule.course.busy).map_err(|error| error.to_string())?;
            let usage = world.table().usage();
            let (examined, repaired) = (report.examined, report.repaired);
            Ok(Self { customers, took, examined, repaired, usage })
        })
    }

    /// Read units and write units for each subscription.
    pub fn units_each(&self) -> (f64, f64) {
        let count = self.customers.count as f64;
        (self.usage.units.read / count, self.usage.units.write / count)
    }
}

/// The time of a run among `count` subscriptions, on the line through two shorter runs.
pub fn on_the_line(few: &Figures, many: &Figures, count: u64) -> Duration {
    let between = (many.customers.count - few.customers.count) as f64;
    let each = (many.took.as_secs_f64() - few.took.as_secs_f64()) / between;
    many.took + Duration::from_secs_f64(each * (count - many.customers.count) as f64)
}

/// Runs the reconciliation once in a process of its own, with Microsoft and the table next to it.
pub fn process(binary: &Path, customers: Customers) -> Result<Process, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| error.to_string())?.block_on(async {
        let world = world(customers, Troubles::default()).await;
        measured(binary, &world).await
    })
}
