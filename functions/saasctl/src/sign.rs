//! Signs requests for API Gateway with AWS Signature Version 4.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_config::BehaviorVersion;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials as _, SharedCredentialsProvider};
use bytes::Bytes;
use shared::host::aws_signature::{self, sign_request};
use shared::host::http_client::{HttpClient, for_aws};
use shared::host::sts::{Sts, StsError};
use thiserror::Error;
use tokio::sync::Mutex;
use url::Url;

use crate::connection::Connection;

/// Why a request can't be signed.
#[derive(Debug, Error)]
pub(crate) enum SigningError {
    #[error("no region is set")]
    NoRegion,
    #[error("no credentials are set")]
    NoCredentials,
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    #[error(transparent)]
    Signature(#[from] aws_signature::SigningError),
}

/// Credentials that end sooner than this are fetched again. An export runs longer than they last.
const RENEWAL: Duration = Duration::from_secs(60);

pub(crate) struct Signer {
    provider: SharedCredentialsProvider,
    credentials: Mutex<Credentials>,
    region: String,
}

impl Signer {
    pub(crate) async fn find(connection: &Connection) -> Result<Self, SigningError> {
        let (provider, region) = identity(connection).await?;
        let credentials = Mutex::new(provider.provide_credentials().await?);
        Ok(Self { provider, credentials, region })
    }

    pub(crate) fn region(&self) -> &str {
        &self.region
    }

    /// The ARN of the principal that signs, as AWS knows it. A stand-in for AWS is found where its own tools
    /// find it.
    pub(crate) async fn principal(&self, timeout: Duration) -> Result<String, StsError> {
        let endpoint = std::env::var("AWS_ENDPOINT_URL_STS").ok();
        let endpoint = endpoint.unwrap_or_else(|| Sts::endpoint_in(&self.region));
        let transport = Arc::new(HttpClient::default());
        let region = self.region.clone();
        let credentials = self.credentials.lock().await.clone();
        Sts { transport, endpoint, region }.caller_identity(&credentials, timeout).await
    }

    pub(crate) async fn sign(
        &self,
        request: &mut http::Request<Bytes>,
    ) -> Result<(), SigningError> {
        let mut credentials = self.credentials.lock().await;
        if credentials.expiry().is_some_and(|end| end < SystemTime::now() + RENEWAL) {
            *credentials = self.provider.provide_credentials().await?;
        }
        sign_request(request, &credentials, &self.region, "execute-api")?;
        Ok(())
    }
}

/// Finds credentials where AWS's own tools do (environment, profile, single sign-on), and the region.
pub(crate) async fn identity(
    connection: &Connection,
) -> Result<(SharedCredentialsProvider, String), SigningError> {
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(for_aws(Arc::new(HttpClient::default())));
    if let Some(profile) = &connection.aws_profile {
        loader = loader.profile_name(profile);
    }
    let loader = loader.load().await;
    let region = connection.region.clone().or_else(|| region_of(&connection.url));
    let region = region.or_else(|| loader.region().map(ToString::to_string));
    let region = region.ok_or(SigningError::NoRegion)?;
    let provider = loader.credentials_provider().ok_or(SigningError::NoCredentials)?;
    Ok((provider, region))
}

/// Whether this is one of API Gateway's own addresses, which accept signed requests.
pub(crate) fn is_gateway(url: &Url) -> bool {
    url.host_str().is_some_and(|host| host.contains(".execute-api."))
}

/// The region in, for example, `k7wq2m9xva.execute-api.eu-north-1.amazonaws.com`.
fn region_of(url: &Url) -> Option<String> {
    let (_, rest) = url.host_str()?.split_once(".execute-api.")?;
    rest.split('.').next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_gateways_own_address_contains_the_region() {
        for (address, region) in [
            (
                "https://k7wq2m9xva.execute-api.eu-north-1.amazonaws.com/subscriptions",
                Some("eu-north-1"),
            ),
            ("https://a.execute-api.cn-north-1.amazonaws.com.cn", Some("cn-north-1")),
            ("https://api.example.com", None),
            ("http://127.0.0.1:8080", None),
        ] {
            let url: Url = address.parse().expect("an address");
            assert_eq!(region_of(&url).as_deref(), region, "{address}");
            assert_eq!(is_gateway(&url), region.is_some(), "{address}");
        }
    }
}
