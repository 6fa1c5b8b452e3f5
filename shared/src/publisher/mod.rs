//! The publisher's product: the events it receives, the questions it answers, and the records it
//! reads.

pub mod approval;
pub mod audit;
pub mod cloud_event;
pub mod formula;
pub mod handover;
pub mod receiver;
pub mod record_view;
pub mod standard_webhooks;
