//! Microsoft's side of the SaaS fulfillment APIs v2: marketplace, Entra and webhooks, in one process.
//!
//! [`World`] is the whole of it as a plain value without I/O. [`Emulator`] gives it addresses on 127.0.0.1 and
//! sends its webhooks. It was written from the specification and shares no type with the client it checks.

mod connection;
mod delivery;
pub mod entra;
mod handle;
mod http;
mod page;
mod settings;
pub mod world;

pub use entra::{Entra, Forgery};
pub use handle::Emulator;
pub use settings::{
    Behaviour, EmptyList, LastLink, MARKETPLACE_APP_ID, Oddities, Settings, TokenVersion,
    WebhookForm,
};
pub use world::{
    Action, Answer, ApiRequest, Call, CallRecord, Delivery, DeliveryOutcome, Direction, Dispatch,
    ErrorForm, Fault, FaultKind, Faults, Offer, OperationState, Outcome, Person, Plan, Purchase,
    Refused, Reply, SubscriptionState, Times, World,
};
