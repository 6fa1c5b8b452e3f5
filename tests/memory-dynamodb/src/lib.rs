//! DynamoDB in memory, as its wire shows it. The shipped store runs over it unchanged, in the
//! simulation and in the contract suite (`tests/it/store.rs`).
//!
//! It is strict: a member, an operation, an expression or an attribute type that it doesn't know is
//! refused and reported, not ignored. And it does what the documentation of DynamoDB allows: reads
//! without `ConsistentRead` and indexes show an older state, batches leave keys unprocessed, pages
//! end early, transactions conflict, requests are throttled, expired items stay for days.
//!
//! It draws everything from its seed, so the same requests at the same times get the same answers.

mod batch_write;
mod behaviour;
mod capacity;
mod condition;
mod dynamodb;
mod items;
mod projection;
mod query;
mod refusal;
mod request;
mod tokens;
mod transaction;
mod value;

#[cfg(test)]
mod tests;

pub use behaviour::{Behaviour, Trouble};
pub use capacity::Units;
pub use dynamodb::{Answer, DynamoDb};
pub use value::{Item, Value};
