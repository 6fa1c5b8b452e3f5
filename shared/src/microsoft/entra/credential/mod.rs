//! How an application of the publisher's proves to Entra that it is the one: a client secret, or an
//! assertion in its place (F-CRED-1).

mod aws_identity;
mod azure_identity;
mod certificate;
mod end;
mod identity;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use thiserror::Error;

pub use aws_identity::AwsIdentity;
pub use azure_identity::{AzureIdentity, AzureIdentityError};
pub use certificate::{Certificate, CertificateError};
pub use end::{
    CredentialEnd, EndSource, EndingCredential, UnreadableEnd, WARNED_FROM_DAYS, WrittenEnd,
};
pub use identity::Identity;

use crate::host::error_class::ErrorClass;
use crate::host::secret::{ClientSecret, SecretError};
use crate::host::sts::StsError;

/// The audience of an assertion that comes from another identity provider, in Microsoft's global cloud
/// (F-CRED-10).
pub const TOKEN_EXCHANGE: &str = "api://AzureADTokenExchange";

/// The kind of an assertion (F-CRED-1).
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What the application has.
#[derive(Clone, Debug)]
pub enum Credential {
    Secret(ClientSecret),
    /// Key and certificate as PEM. The app registration has the certificate (F-CRED-4).
    Certificate(ClientSecret),
    /// The function's identity at AWS, which the app registration trusts (F-CRED-6).
    AwsIdentity(Arc<AwsIdentity>),
    /// The identity of the Azure Functions app, which the app registration trusts (F-CRED-12).
    AzureIdentity(Arc<AzureIdentity>),
}

/// Why the application has nothing to prove itself with. The text holds no secret.
#[derive(Debug, Error)]
pub enum CredentialError {
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error("the client certificate {0}")]
    Certificate(#[from] CertificateError),
    #[error(transparent)]
    Aws(#[from] StsError),
    #[error(transparent)]
    Azure(#[from] AzureIdentityError),
}

impl CredentialError {
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Secret(error) => error.class(),
            Self::Certificate(_) => ErrorClass::Configuration,
            Self::Aws(error) => error.class(),
            Self::Azure(error) => error.class(),
        }
    }
}

/// What goes to Entra. It is as secret as a password, so it is made anew for each request, and never
/// logged (F-CRED-3).
pub enum Proof {
    Secret(SecretString),
    Assertion(SecretString),
}

impl Credential {
    /// The same credential with what Secrets Manager keeps, for a caller that needs it several times.
    pub async fn fetched(&self) -> Result<Self, SecretError> {
        Ok(match self {
            Self::Secret(secret) => Self::Secret(ClientSecret::Given(secret.read().await?)),
            Self::Certificate(pem) => Self::Certificate(ClientSecret::Given(pem.read().await?)),
            Self::AwsIdentity(_) | Self::AzureIdentity(_) => self.clone(),
        })
    }

    pub async fn proof(&self, client: Identity<'_>) -> Result<Proof, CredentialError> {
        Ok(match self {
            Self::Secret(secret) => Proof::Secret(secret.read().await?),
            Self::Certificate(pem) => {
                let pem = pem.read().await?;
                Proof::Assertion(Certificate::parse(pem.expose_secret())?.assertion(client)?)
            }
            Self::AwsIdentity(identity) => Proof::Assertion(identity.token(client.timeout).await?),
            Self::AzureIdentity(identity) => {
                Proof::Assertion(identity.token(client.timeout).await?)
            }
        })
    }
}

impl Proof {
    /// The fields of the form that carry it.
    pub fn fields(&self) -> Vec<(&'static str, &str)> {
        match self {
            Self::Secret(secret) => vec![("client_secret", secret.expose_secret())],
            Self::Assertion(assertion) => vec![
                ("client_assertion_type", JWT_BEARER),
                ("client_assertion", assertion.expose_secret()),
            ],
        }
    }

    /// What Entra compares with the federated credentials of the app registration (F-CRED-11). `None`
    /// for what isn't compared.
    pub fn asserted(&self) -> Option<Asserted> {
        let Self::Assertion(assertion) = self else { return None };
        let claims = assertion.expose_secret().split('.').nth(1)?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
    }
}

/// Who an assertion says that it comes from. None of it is secret.
#[derive(Clone, Debug, Deserialize, Error, PartialEq, Eq)]
#[error("; the assertion's issuer is {issuer}, and its subject {subject}")]
pub struct Asserted {
    #[serde(rename = "iss")]
    pub issuer: String,
    #[serde(rename = "sub")]
    pub subject: String,
}

/// The end of a line about a refusal: what was asserted, if anything was.
pub fn sent(asserted: &Option<Asserted>) -> String {
    asserted.as_ref().map_or_else(String::new, ToString::to_string)
}
