//! The calls between Microsoft and the publisher.

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// `POST /saas/subscriptions/resolve`
    Resolve,
    /// `POST /saas/subscriptions/{id}/activate`
    Activate,
    /// `GET /saas/subscriptions`
    ListSubscriptions,
    /// `GET /saas/subscriptions/{id}`
    GetSubscription,
    /// `GET /saas/subscriptions/{id}/listAvailablePlans`
    ListAvailablePlans,
    /// `PATCH /saas/subscriptions/{id}`
    UpdateSubscription,
    /// `DELETE /saas/subscriptions/{id}`
    DeleteSubscription,
    /// `GET /saas/subscriptions/{id}/operations`
    ListOperations,
    /// `GET /saas/subscriptions/{id}/operations/{operationId}`
    GetOperation,
    /// `PATCH /saas/subscriptions/{id}/operations/{operationId}`
    UpdateOperation,
    /// Entra's token endpoint.
    Token,
    /// Entra's discovery documents.
    Discovery,
    /// Entra's signing keys.
    Keys,
    /// Entra's sign-in page.
    Authorize,
    /// A webhook: the only call from Microsoft to the publisher.
    Webhook,
    /// A path that the service does not have.
    Unknown,
    /// In a [`Fault`](super::Fault): every call that the publisher makes.
    Any,
}
