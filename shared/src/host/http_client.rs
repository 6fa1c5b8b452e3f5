//! The way out: one HTTP client and one TLS stack for Microsoft and for AWS.
//!
//! `ring` and compiled-in roots, because both are there at once: other providers and trust stores
//! spend a cold function's first third of a second on entropy and on parsing files.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use bytes::{Bytes, BytesMut};
use http::HeaderValue;
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

/// Carries requests out and answers in. Everything a function says to the world passes here.
#[async_trait]
pub trait Transport: Send + Sync + fmt::Debug {
    /// Sends a request and reads the whole answer; no answer within `timeout` is none.
    ///
    /// MUST return [`SendError::NotSent`] only if the request can't have been carried out.
    async fn send(
        &self,
        request: http::Request<Bytes>,
        timeout: Duration,
    ) -> Result<http::Response<Bytes>, SendError>;
}

/// HTTPS, for real.
#[derive(Clone, Debug)]
pub struct Https(reqwest::Client);

impl Default for Https {
    fn default() -> Self {
        Self(client())
    }
}

#[async_trait]
impl Transport for Https {
    async fn send(
        &self,
        request: http::Request<Bytes>,
        timeout: Duration,
    ) -> Result<http::Response<Bytes>, SendError> {
        let mut request = reqwest::Request::try_from(request)?;
        *request.timeout_mut() = Some(timeout);
        let mut response = self.0.execute(request).await?;
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > LARGEST_ANSWER {
                return Err(SendError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        let mut answer = http::Response::new(body.freeze());
        *answer.status_mut() = response.status();
        std::mem::swap(answer.headers_mut(), response.headers_mut());
        Ok(answer)
    }
}

/// A header's value that no debug output shows.
pub fn secret_header(value: &str) -> Result<HeaderValue, SendError> {
    let mut value = HeaderValue::from_str(value)
        .map_err(|_| SendError::NotSent("a secret is not header text".into()))?;
    value.set_sensitive(true);
    Ok(value)
}

/// A request that could not be built can't have been carried out.
impl From<http::Error> for SendError {
    fn from(error: http::Error) -> Self {
        Self::NotSent(error.to_string())
    }
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

/// The same way out, as the AWS SDK wants it.
pub fn for_aws(transport: Arc<dyn Transport>) -> SharedHttpClient {
    http_client_fn(move |settings, _| {
        SharedHttpConnector::new(Connector {
            transport: transport.clone(),
            timeout: settings.read_timeout().unwrap_or(AWS_TIMEOUT),
        })
    })
}

/// Beyond what the SDK's own attempts may take; it ends them earlier.
const AWS_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Debug)]
struct Connector {
    transport: Arc<dyn Transport>,
    timeout: Duration,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let transport = self.transport.clone();
        let timeout = self.timeout;
        HttpConnectorFuture::new(async move {
            let request = outgoing(request).map_err(ConnectorError::user)?;
            let answer = transport.send(request, timeout).await.map_err(|error| match error {
                SendError::NotSent(_) | SendError::NoAnswer(_) => ConnectorError::io(error.into()),
                SendError::TooLarge => ConnectorError::other(error.into(), None),
            })?;
            HttpResponse::try_from(answer.map(SdkBody::from))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// The SDK's request. The calls made here have their whole body in memory.
fn outgoing(request: HttpRequest) -> Result<http::Request<Bytes>, Box<dyn StdError + Send + Sync>> {
    let request = request.try_into_http1x()?;
    let body = Bytes::copy_from_slice(request.body().bytes().ok_or("a streaming body")?);
    Ok(request.map(|_| body))
}
