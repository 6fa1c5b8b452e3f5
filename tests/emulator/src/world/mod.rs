//! Microsoft's side as one plain value: subscriptions, operations, webhooks, the clock and faults.
//!
//! Nothing in here does I/O, reads a clock or starts a task, so the same seed and the same calls
//! give the same run. The HTTP server, the delivery of webhooks and the simulation all drive this
//! one struct.

mod call;
mod catalog;
mod checks;
mod clock;
mod delivery;
mod entra_calls;
mod error_form;
mod faults;
mod kept;
mod lifecycle;
mod log;
mod logging;
mod marketplace;
mod operation;
mod purchase;
mod purchasing;
mod settle;
mod state;
mod subscription;
mod time;
mod timer;
pub mod way;
mod webhook_queue;
mod words;

pub use call::Call;
pub use catalog::{Offer, Plan};
pub use checks::Refused;
pub use error_form::ErrorForm;
pub use faults::{Fault, FaultKind, Faults, Times};
pub use log::{CallRecord, Direction};
pub use operation::{Action, OperationState};
pub use purchase::Purchase;
pub use state::World;
pub use subscription::SubscriptionState;
pub use webhook_queue::{Delivery, DeliveryOutcome, Dispatch};
