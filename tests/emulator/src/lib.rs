//! Microsoft's side of the SaaS fulfillment APIs v2: marketplace, Entra and webhooks, in one
//! process.
//!
//! [`World`] is all of it as a plain value without I/O. [`Emulator`] serves it on 127.0.0.1 and
//! sends its webhooks. It was written from the specification, and shares no type with the client
//! that it checks.

mod connection;
mod delivery;
mod entra;
mod handle;
mod http;
mod page;
mod people;
mod seeded;
mod server;
mod settings;
mod staff;
mod wire;
mod world;

pub use entra::{AwsAccount, Entra, FUNCTION_ROLE, Forgery, ManagedIdentity};
pub use handle::Emulator;
pub use people::Person;
pub use server::StartError;
pub use settings::{
    Behaviour, ClientRefusal, EmptyList, FlatQuantity, LastLink, ListEntries, MARKETPLACE_APP_ID,
    Oddities, Settings, TokenVersion, WebhookForm,
};
pub use wire::{Answer, ApiRequest, Outcome, Reply};
pub use world::{
    Action, Call, CallRecord, Delivery, DeliveryOutcome, Direction, Dispatch, ErrorForm, Fault,
    FaultKind, Faults, Offer, OperationState, Plan, Purchase, Refused, SubscriptionState, Times,
    World, way,
};
