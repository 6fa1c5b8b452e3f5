//! Tokens: ours for Microsoft, Microsoft's for our webhook, and the buyers'.

mod client_refusal;
mod credential;
mod id_token;
mod jwt;
mod keys;
mod refused;
mod ring_jwt;
#[cfg(test)]
mod test_env;
mod token;
mod token_cache;
mod web_app;
mod webhook_token;

pub use client_refusal::{class_of_refusal, describe_refusal, refuses_credential};
pub use credential::{
    Asserted, AwsIdentity, AzureIdentity, AzureIdentityError, Certificate, CertificateError,
    Credential, CredentialEnd, CredentialError, EndSource, EndingCredential, Identity, Proof,
    TOKEN_EXCHANGE, UnreadableEnd, WARNED_FROM_DAYS, WrittenEnd, sent,
};
pub use id_token::{IdTokenVerifier, Person};
pub use keys::{FetchKeysError, SigningKeyError, SigningKeys};
pub use refused::{InvalidToken, Refused, UnverifiedToken};
pub use token::{AccessToken, ClientCredentials, TokenEndpoint, TokenError, TokenProvider};
pub use token_cache::TokenCache;
pub use web_app::{SHORTEST_COOKIE_KEY, WebApp, are_cookie_keys};
pub use webhook_token::{Caller, Expected, WebhookTokenVerifier};
