//! The SaaS fulfillment APIs v2: a port and its HTTP adapter.

mod calls;
mod client;
mod error;
mod list_price;
mod next_link;
mod purchase_token;
mod throttle;
mod wire;

use async_trait::async_trait;

pub use client::{API_VERSION, Client, Endpoint};
pub use error::{FulfillmentError, Malformed, Refusal};
pub use list_price::{Amount, ListPrice};
pub use purchase_token::PurchaseToken;
pub use wire::{
    AcceptedOperation, Acknowledgement, MOST_SEATS, MeteringDimension, Plan, PlanComponents,
    PlanPage, SubscriptionPage,
};

use crate::domain::{Observation, Operation, OperationId, Subscription, SubscriptionId};

/// Microsoft's side: all ten calls of the API. Update Subscription has two methods, since a request
/// carries a plan or a quantity, never both (F-CHP-4).
///
/// A method MUST return [`FulfillmentError::Unauthorized`] only after it tried one fresh token
/// (F-AUTH-12), and MUST repeat a call that failed on the way only where that is harmless
/// (F-ERR-2).
#[async_trait]
pub trait Marketplace: Send + Sync {
    /// Resolves the token of a landing-page visit into the purchase (F-RES). Then show it, and call
    /// [`activate`](Self::activate) once the buyer confirms.
    async fn resolve(&self, token: &PurchaseToken) -> Result<Observation, FulfillmentError>;

    /// Begins billing. `Ok` means received, not done (F-ACT-3): then call
    /// [`get_subscription`](Self::get_subscription) until it says Subscribed.
    async fn activate(&self, subscription: &Subscription) -> Result<(), FulfillmentError>;

    /// A page of all subscriptions; `after` is the cursor of the previous page (F-LST).
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

    /// Requests another plan (F-CHP). The change is in force when the webhook says so (F-CHP-7);
    /// until then, follow it with [`get_operation`](Self::get_operation).
    async fn change_plan(
        &self,
        id: SubscriptionId,
        plan_id: &str,
    ) -> Result<AcceptedOperation, FulfillmentError>;

    /// Requests another number of seats (F-CHQ). As with [`change_plan`](Self::change_plan), wait
    /// for the webhook.
    async fn change_quantity(
        &self,
        id: SubscriptionId,
        quantity: u64,
    ) -> Result<AcceptedOperation, FulfillmentError>;

    /// Requests the end of the subscription (F-CAN). Irreversible.
    async fn cancel(&self, id: SubscriptionId) -> Result<AcceptedOperation, FulfillmentError>;

    /// The operations that wait for an acknowledgement (F-OPL).
    async fn list_operations(&self, id: SubscriptionId)
    -> Result<Vec<Operation>, FulfillmentError>;

    /// A requested change, and how far it has come. MUST return [`FulfillmentError::NotFound`] for
    /// an operation that Microsoft doesn't know, whether it answers 404 or 400 (F-OPG-3).
    async fn get_operation(
        &self,
        id: SubscriptionId,
        operation: &OperationId,
    ) -> Result<Operation, FulfillmentError>;

    /// Acknowledges a requested change. MUST return [`FulfillmentError::Conflict`] once it is
    /// settled (F-OPU-4): then read the operation with [`get_operation`](Self::get_operation).
    async fn update_operation(
        &self,
        id: SubscriptionId,
        operation: &OperationId,
        acknowledgement: Acknowledgement,
    ) -> Result<(), FulfillmentError>;
}
