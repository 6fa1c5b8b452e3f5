//! The whole system on one machine: an embedded DynamoDB, Microsoft's side, and every function
//! behind one HTTP server. What `cargo local` runs, and what the tests stand on.

pub mod database;
pub mod play;
pub mod stage;

pub use database::Database;
pub use stage::{Options, Stage, StageError};
