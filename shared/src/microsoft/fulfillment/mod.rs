//! The SaaS fulfillment APIs v2, as a port and its HTTP adapter.

mod client;
mod error;
mod purchase_token;
mod wire;

use async_trait::async_trait;

pub use client::{API_VERSION, Client, Endpoint};
pub use error::{FulfillmentError, Refusal};
pub use purchase_token::PurchaseToken;
pub use wire::{
    AcceptedOperation, Acknowledgement, MeteringDimension, Plan, PlanComponents, PlanPage,
    SubscriptionPage,
};

use crate::domain::{Observation, Operation, OperationId, Subscription, SubscriptionId};

/// Microsoft's side. All ten calls of the API; Update Subscription is two, since a request carries
/// a plan or a quantity, never both (F-CHP-4).
///
/// Every method answers [`FulfillmentError::Unauthorized`] only after one fresh token was tried
/// (F-AUTH-12), and repeats a call that failed on the way only where that is harmless (F-ERR-2).
#[async_trait]
pub trait Marketplace: Send + Sync {
    /// Who bought what, for the token of a landing-page visit (F-RES).
    async fn resolve(&self, token: &PurchaseToken) -> Result<Observation, FulfillmentError>;

    /// The account is configured; billing is to begin. `Ok` means received, not done (F-ACT-3).
    async fn activate(&self, subscription: &Subscription) -> Result<(), FulfillmentError>;

    /// A page of all subscriptions; `after` is the continuation token of the page before (F-LST).
    async fn list_subscriptions(
        &self,
        after: Option<&str>,
    ) -> Result<SubscriptionPage, FulfillmentError>;

    /// The authority for status, plan, seats and term (F-GET-3).
    async fn get_subscription(&self, id: SubscriptionId) -> Result<Observation, FulfillmentError>;

    /// The plans the customer may change to, the present one included (F-PLN).
    async fn list_available_plans(
        &self,
        id: SubscriptionId,
        plan_id: Option<&str>,
    ) -> Result<Vec<Plan>, FulfillmentError>;

    /// Asks for another plan (F-CHP). The change is in force when the webhook says so (F-CHP-7).
    async fn change_plan(
        &self,
        id: SubscriptionId,
        plan_id: &str,
    ) -> Result<AcceptedOperation, FulfillmentError>;

    /// Asks for another number of seats (F-CHQ).
    async fn change_quantity(
        &self,
        id: SubscriptionId,
        quantity: u64,
    ) -> Result<AcceptedOperation, FulfillmentError>;

    /// Asks for the end of the subscription (F-CAN). Irreversible.
    async fn cancel(&self, id: SubscriptionId) -> Result<AcceptedOperation, FulfillmentError>;

    /// The operations that wait for an acknowledgement (F-OPL).
    async fn list_operations(&self, id: SubscriptionId)
    -> Result<Vec<Operation>, FulfillmentError>;

    /// A requested change, and how far it has come. [`FulfillmentError::NotFound`] for an operation
    /// Microsoft doesn't know, whether it says so with 404 or 400 (F-OPG-3).
    async fn get_operation(
        &self,
        id: SubscriptionId,
        operation: OperationId,
    ) -> Result<Operation, FulfillmentError>;

    /// Acknowledges a requested change. [`FulfillmentError::Conflict`] once it is settled (F-OPU-4).
    async fn update_operation(
        &self,
        id: SubscriptionId,
        operation: OperationId,
        acknowledgement: Acknowledgement,
    ) -> Result<(), FulfillmentError>;
}
