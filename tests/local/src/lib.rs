//! The whole system on one machine: an embedded DynamoDB, Microsoft's side, and every function
//! behind one HTTP server. What `cargo local` runs, and what the tests stand on.

pub mod database;
pub mod decider;
pub mod play;
pub mod receiver;
pub mod schemas;
pub mod stage;
pub mod stream;

pub use database::Database;
pub use stage::{Options, Stage, StageError};
