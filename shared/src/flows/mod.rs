//! What several functions do alike, made of Microsoft, the table and the rules.

pub mod activation;
pub mod answer;
pub mod erasure;
pub mod ledger;
pub mod noting;
pub mod redelivery;
pub mod request_change;
pub mod restore;
