//! Why Entra refuses an application although its request is right.

/// What Entra says to every token request, whatever the request holds (F-AUTH-16).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientRefusal {
    SecretExpired,
    SecretWrong,
    ApplicationUnknown,
    TenantUnknown,
}
