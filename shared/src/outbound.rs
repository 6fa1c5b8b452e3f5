//! The way out: one HTTP client and one TLS stack for Microsoft and for AWS.
//!
//! `ring` and compiled-in roots, because both are there at once: other providers and trust stores
//! spend a cold function's first third of a second on entropy and on parsing files.

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode};
use rustls::{ClientConfig, RootCertStore};
use thiserror::Error;

/// A peer that can't be connected to within this is down.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// Real pages of List Subscriptions measured 80 KB for 89 entries; a body beyond this is not ours.
const LARGEST_ANSWER: usize = 8 * 1024 * 1024;

/// The client of everything a function calls. Build it once; clones share its connections.
///
/// # Panics
/// Never: the TLS configuration is constant.
pub fn client() -> reqwest::Client {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let tls =
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring supports the default protocol versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .connect_timeout(CONNECT_TIMEOUT)
        // A redirect could carry a bearer token elsewhere (F-GEN-8); the API doesn't use them.
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .user_agent(concat!("saas-fulfillment-functions/", env!("CARGO_PKG_VERSION")))
        .build()
        .expect("a preconfigured TLS backend can't fail to load")
}

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum SendError {
    /// The request can't have been carried out: there was no connection.
    #[error("not connected: {0}")]
    NotSent(String),
    /// The request may have been carried out.
    #[error("no answer: {0}")]
    NoAnswer(String),
    /// Longer than anything Microsoft sends.
    #[error("the answer is too large")]
    TooLarge,
}

/// Sends a request and reads the whole answer.
pub async fn send(
    request: reqwest::RequestBuilder,
) -> Result<(StatusCode, HeaderMap, Bytes), SendError> {
    let mut response = request.send().await.map_err(SendError::from)?;
    let status = response.status();
    let headers = std::mem::take(response.headers_mut());
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > LARGEST_ANSWER {
            return Err(SendError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok((status, headers, body.freeze()))
}

impl From<reqwest::Error> for SendError {
    fn from(error: reqwest::Error) -> Self {
        let error = error.without_url();
        let unsent = error.is_connect() || error.is_builder();
        let mut reason = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            reason = cause.to_string();
            source = cause.source();
        }
        if unsent { Self::NotSent(reason) } else { Self::NoAnswer(reason) }
    }
}

/// The same client, as the AWS SDK wants it.
pub fn for_aws(client: reqwest::Client) -> SharedHttpClient {
    http_client_fn(move |settings, _| {
        SharedHttpConnector::new(Connector {
            client: client.clone(),
            timeout: settings.read_timeout(),
        })
    })
}

#[derive(Debug)]
struct Connector {
    client: reqwest::Client,
    timeout: Option<Duration>,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.client.clone();
        let timeout = self.timeout;
        HttpConnectorFuture::new(async move {
            let mut request =
                outgoing(request).map_err(|error| ConnectorError::user(error.into()))?;
            *request.timeout_mut() = timeout;
            let builder = reqwest::RequestBuilder::from_parts(client, request);
            let (status, headers, body) = send(builder).await.map_err(|error| match error {
                SendError::NotSent(_) | SendError::NoAnswer(_) => ConnectorError::io(error.into()),
                SendError::TooLarge => ConnectorError::other(error.into(), None),
            })?;
            let mut response = http::Response::new(SdkBody::from(body));
            *response.status_mut() = status;
            *response.headers_mut() = headers;
            HttpResponse::try_from(response)
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// The SDK's request as reqwest's. The calls made here have their whole body in memory.
fn outgoing(request: HttpRequest) -> Result<reqwest::Request, Box<dyn StdError + Send + Sync>> {
    let (parts, body) = request.try_into_http1x()?.into_parts();
    let body = Bytes::copy_from_slice(body.bytes().ok_or("a streaming body")?);
    Ok(reqwest::Request::try_from(http::Request::from_parts(parts, body))?)
}
