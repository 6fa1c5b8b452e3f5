//! The table in memory, with the ports of the DynamoDB store. It passes the same contract
//! suite (`tests/it/store.rs`) and is a thousand times faster than the embedded DynamoDB.

mod annotations;
mod attempts;
mod checkpoints;
mod due_work;
mod erasures;
mod examinations;
mod idempotency;
mod inspection;
mod memory_store;
mod offer_settings;
mod outbox;
mod outbox_table;
mod overview;
mod pacing;
mod receivers;
mod refusals;
mod run_table;
mod runs;
mod stream;

pub use memory_store::MemoryStore;
pub use stream::{Entry, records, retried};
