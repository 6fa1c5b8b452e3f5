//! Who we are to Microsoft, and whether a caller is Microsoft.

mod id_token;
mod keys;
mod ring_jwt;
#[cfg(test)]
mod scene;
mod secret;
mod token;
mod webhook_token;

pub use id_token::{IdTokenVerifier, Person};
pub use keys::{KeyError, SigningKeys};
pub use secret::{ClientSecret, SecretError};
pub use token::{
    AccessToken, ClientCredentials, TokenCache, TokenEndpoint, TokenError, TokenProvider,
};
pub use webhook_token::{Caller, Expected, Refused, WebhookTokenVerifier, bearer_token};
