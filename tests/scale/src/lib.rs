//! The reconciliation among hundreds of thousands of subscriptions: whether all of them end up right,
//! and what that costs in time, memory and units of the table.
//!
//! The function that ships runs over its own client and store. Microsoft's list is computed as it is
//! asked for, the table is DynamoDB in memory, and both see real requests. Nothing waits in real
//! time: the clock is simulated, and everything is drawn from a seed.

mod check;
mod clock;
mod customers;
mod figures;
mod fill;
mod host;
mod microsoft;
mod process;
mod run;
mod serve;
mod table;
mod template;
mod world;

pub use check::{Wrong, wrong, wrongly_told};
pub use clock::{beginning, simulated};
pub use customers::{Customers, State};
pub use figures::{Figures, on_the_line, process};
pub use fill::world;
pub use host::{Host, Kill, Latency};
pub use microsoft::{Microsoft, Troubles};
pub use process::{Process, measured, reconcile_here};
pub use run::{Course, Schedule};
pub use table::{Table, Usage};
pub use world::{Told, World};
