//! A deterministic simulation that checks one claim: no subscription's state is lost, doubled or
//! forged.
//!
//! One seed decides everything: what people and Microsoft do, the order, duplication and delay of
//! webhooks, late reads, time, and the faults. A fault can hit any I/O of any function: the other
//! side refuses it, its result is lost, it times out, or the function is killed before or after it.
//!
//! The handlers are the ones that ship, down to the requests they put on the wire. Microsoft is the
//! emulator's world. The table is in memory (`tests/memory-store`) and passes the same contract
//! suite as the DynamoDB store. In a part of the seeds, the functions use the DynamoDB store itself,
//! over DynamoDB's wire (`tests/memory-dynamodb`).
//!
//! The simulation uses no network, no wall clock and no real waiting, so the same seed always gives
//! the same run.

mod aws;
mod browser;
mod campaign;
mod choices;
mod clock;
mod dynamodb;
mod exhaustive;
mod fault;
mod host;
mod invariants;
mod io;
mod product;
mod publisher;
mod reached;
mod replay;
mod reproduce;
mod rules;
mod run;
mod simulated_store;
mod skew;
mod storm;
mod tasks;
mod transport;

pub use campaign::{Campaign, CampaignError, Progress, StateError};
pub use exhaustive::{BrokenFlow, Flow, Injection, inject, inject_everywhere};
pub use fault::Fault;
pub use reached::{Reached, Totals};
pub use reproduce::reproduce_with;
pub use run::{Run, Violation, history, simulate};
pub use storm::Theme;
