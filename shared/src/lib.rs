//! What every function stands on.
//!
//! [`domain`] holds the rules of a subscription's life and does nothing; [`fulfillment`], [`auth`]
//! and [`store`] speak to Microsoft, Entra and the table, and [`decision`] to the publisher's product;
//! [`commit`] and [`activation`] are what several functions do alike. The functions know this crate; it
//! knows none of them.

pub mod activation;
pub mod auth;
pub mod cloudevent;
pub mod commit;
pub mod config;
pub mod deadline;
pub mod decision;
pub mod domain;
pub mod fulfillment;
pub mod http;
#[cfg(feature = "lambda")]
pub mod lambda;
pub mod lenient;
pub mod operations;
pub mod outbound;
pub mod redelivery;
pub mod retry;
pub mod standard_webhooks;
pub mod store;
pub mod system;
pub mod telemetry;
